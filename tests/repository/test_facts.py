"""Go source that this repository cites: every citation resolves, and a change of the source is seen."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.tools import assets
from tools import facts
from tools.citations import ROOT, Citation, cited


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What Helm says (``Update``, pkg/kube/client.go of v4.0.1).", [(["pkg/kube/client.go"], ["Update"])]),
        ("``createPatch`` and ``Client.Build`` (client.go).", [(["client.go"], ["createPatch", "Client.Build"])]),
        ("From driver/{secrets,util}.go (``Query``).", [(["driver/secrets.go", "driver/util.go"], ["Query"])]),
        ("The `a` does. See resolve.go.", [(["resolve.go"], [])]),
        ("``a``, x/a.go of 1.2 (``b`` and ``c``), y.go", [(["x/a.go"], ["b", "c"]), (["y.go"], [])]),
        ("``a`` of x/a.go; ``b`` of a page", [(["x/a.go"], ["a"])]),
        ("no Go: example.gopher", []),
    ],
)
def test_what_a_text_cites(text: str, expected: list[tuple[list[str], list[str]]]) -> None:
    assert [(list(files), list(names)) for files, names in cited(text)] == expected


def test_every_citation_resolves() -> None:
    """With the source, where it is on disk; where CI is set, it is downloaded. ``bin/facts --write`` registers more."""
    assert facts.check(download=bool(os.environ.get("CI"))) == []


def test_what_is_registered_nowhere_is_found() -> None:
    citation = Citation(ROOT / "postrender/x.py", 3, "f", ("kube/client.go",), ("update", "nowhere"))
    assert facts.unresolved(citation, facts.load()) == ["nowhere"]
    assert str(citation) == "postrender/x.py:3 f"


def declared(root: Path, name: str, file: str = "a/x.go") -> Any:
    asked = json.dumps([{"root": str(root), "file": file, "name": name}])
    done = subprocess.run([assets.build("gofacts")], input=asked, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]


def test_a_declaration_is_told_by_its_code(tmp_path: Path) -> None:
    """Not by comments and layout; where the file moved, it is followed."""
    file = tmp_path / "a" / "x.go"
    file.parent.mkdir()
    file.write_text(
        "package a\n\n// F does.\nfunc F(b int) int { // why\n\n\treturn b + 1\n}\n\nfunc (c *C[T]) F() {}\n"
    )
    text = declared(tmp_path, "F")["text"]
    assert text == "func F(b int) int {\n\treturn b + 1\n}\nfunc (c *C[T]) F() {\n}"
    assert declared(tmp_path, "C.F")["text"] == "func (c *C[T]) F() {\n}"
    file.write_text("package a\n\nfunc F(\n\tb int,\n) int {\n\t/* because */ return b + 1 }\nfunc (c *C[T]) F() {}\n")
    assert declared(tmp_path, "a.F")["text"] == text
    file.write_text("package a\n\nfunc F(b int) int { return b + 2 }\n")
    assert declared(tmp_path, "F")["text"] != text
    (tmp_path / "z").mkdir()
    file.rename(tmp_path / "z" / "y.go")
    assert declared(tmp_path, "F")["file"] == "z/y.go"
    assert declared(tmp_path, "G") == {"file": "a/x.go", "text": ""}


def test_a_newer_helm_is_compared() -> None:
    """Helm 3.22.0 began to update from live state what the release does not hold."""
    found = facts.changes(facts.helm_modules("v3.22.0"), facts.helm_modules("v3.21.4"))
    cited = [
        Citation(ROOT / "postrender/helm/versions.py", 58, "updates_from_live", ("pkg/kube/client.go",), ("update",)),
    ]
    reports = {f"{change.old.name} {change.old.file}": change.report(cited) for change in found}
    report = reports["update pkg/kube/client.go"]
    assert report.startswith("changed: update (pkg/kube/client.go of helm.sh/helm/v3 v3.21.4) -> v3.22.0\n")
    assert '\n-\t\t\treturn errors.Errorf("no %s with the name %q found", kind, info.Name)\n' in report
    assert report.endswith(
        "  rests on it: postrender/helm/versions.py:58 updates_from_live\n"
        "    row 3.22.0\n    row 4.0.0\n    row 4.0.5\n    row 4.1.0\n    row 4.2.0\n"
        "    test tests/helm/test_versions.py\n"
        "    test tests/repository/test_facts.py"
    )
    assert "createPatch pkg/kube/client.go" not in reports


def test_the_registry_is_brought_up_to_what_is_cited(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody cites goes; what is cited is looked for in the sources of the registered modules."""
    citation = Citation(ROOT / "postrender/x.py", 3, "f", ("pkg/kube/client.go",), ("update", "Build"))
    registry = {fact: mark for fact, mark in facts.load().items() if fact.module == "helm.sh/helm/v3"}
    version = facts.newest(registry, "helm.sh/helm/v3")
    facts.folder("helm.sh/helm/v3", version, download=True)
    del registry[facts.Fact("helm.sh/helm/v3", version, "pkg/kube/client.go", "Client.Build")]
    monkeypatch.setattr(facts, "load", lambda: registry)
    monkeypatch.setattr(facts, "citations", lambda: iter([citation]))
    assert [fact.name for fact in facts.written()] == ["update", "Build"]
    assert all(facts.written().values())
