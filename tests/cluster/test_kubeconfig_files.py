"""The namespace of a kubeconfig, by our reading and by a real Helm's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from postrender.cluster import kubeconfig_files
from postrender.cluster.kubeconfig_files import Namespace, NotDetermined, defined_twice, load_kubeconfig
from postrender.helm.versions import HelmVersion
from tests.tools import assets

OLD, NEW = HelmVersion(3, 16, 4), HelmVersion(3, 17, 0)


def namespace(paths: str, context: str, environ: dict[str, str], helm: HelmVersion | None = NEW) -> Namespace:
    return kubeconfig_files.namespace(load_kubeconfig(paths, environ), context, environ, helm)


def config(current: str | None, **contexts: str | None) -> str:
    """A kubeconfig with these contexts and their namespaces."""
    lines = ["apiVersion: v1", "kind: Config"]
    lines += [f"current-context: {current}"] if current is not None else []
    lines += ["clusters:", "- name: c", "  cluster: {server: https://127.0.0.1:1}"]
    lines += ["users:", "- name: u", "  user: {}", "contexts:" if contexts else "contexts: []"]
    for name, space in contexts.items():
        extra = "" if space is None else f", namespace: {space}"
        lines += [f"- name: {name}", f"  context: {{cluster: c, user: u{extra}}}"]
    return "\n".join(lines) + "\n"


CASES: dict[str, tuple[list[str | None], str, str]] = {
    "the current context's": ([config("a", a="one", b="two")], "", "one"),
    "the named context's": ([config("a", a="one", b="two")], "b", "two"),
    "a context without": ([config("a", a=None)], "", "default"),
    "a context with an empty one": ([config("a", a='""')], "", "default"),
    "no current context": ([config(None, a="one")], "", "default"),
    "a current context that does not exist": ([config("z", a="one")], "", "default"),
    "a named context that does not exist": ([config("a", a="one")], "z", "default"),
    "the first current context wins": ([config("a", a="one"), config("b", b="two")], "", "one"),
    "a context of a later file": ([config("b", a="one"), config("a", b="two")], "", "two"),
    "a current context of a later file": ([config(None, a="one"), config("a")], "", "one"),
    "an empty current context": ([config('""', a="one"), config("a")], "", "one"),
    "a file that does not exist": ([None, config("a", a="one")], "", "one"),
    "an empty file": (["", config("a", a="one")], "", "one"),
    "no file at all": ([None], "", "default"),
    "json": (['{"apiVersion":"v1","kind":"Config","current-context":"a","clusters":[{"name":"c","cluster":'
              '{"server":"https://127.0.0.1:1"}}],"contexts":[{"name":"a","context":{"cluster":"c","namespace":"j"}}]}'],
             "", "j"),
    "a separator and a comment first": (["# mine\n---\n" + config("a", a="one")], "", "one"),
}  # fmt: skip


def written(folder: Path, texts: Sequence[str | None]) -> str:
    paths = [folder / f"config-{index}" for index in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        if text is not None:
            path.write_text(text)
            path.chmod(0o600)
    return os.pathsep.join(map(str, paths))


@pytest.mark.parametrize("case", CASES)
def test_namespace(case: str, tmp_path: Path) -> None:
    texts, context, expected = CASES[case]
    assert namespace(written(tmp_path, texts), context, {}).name == expected


def helm_says(version: str, tmp_path: Path, texts: Sequence[str | None], context: str) -> str:
    """The namespace of a release, as a real Helm resolves it."""
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n")
    (tmp_path / "chart" / "templates" / "a.yaml").write_text("namespace: {{ .Release.Namespace }}\n")
    answer = subprocess.run(
        [assets.helm(version), "template", "shop", tmp_path / "chart"],
        env={"HOME": str(tmp_path), "KUBECONFIG": written(tmp_path, texts), "HELM_KUBECONTEXT": context},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return answer.stdout.rpartition("namespace: ")[2].strip()


@pytest.mark.parametrize("version", ["3.12.3", "4.3.1"])
@pytest.mark.parametrize("case", CASES)
def test_helm_resolves_the_same(case: str, version: str, tmp_path: Path) -> None:
    texts, context, expected = CASES[case]
    assert helm_says(version, tmp_path, texts, context) == expected


TWICE: dict[str, tuple[list[str | None], str, str]] = {
    "both have one": ([config("a", a="one"), config("a", a="two")], "two", "one"),
    "only the second has one": ([config("a", a=None), config("a", a="two")], "two", "default"),
    "only the first has one": ([config("a", a="one"), config("a", a=None)], "one", "one"),
    "three": ([config("a", a="one"), config("a", a="two"), config("a", a=None)], "two", "one"),
}
"""The same context in several files: what Helm up to 3.16 takes, and what Helm takes since."""


@pytest.mark.parametrize("case", TWICE)
def test_a_context_of_several_files(case: str, tmp_path: Path) -> None:
    texts, old, new = TWICE[case]
    paths = written(tmp_path, texts)
    assert namespace(paths, "", {}, OLD).name == old
    assert namespace(paths, "", {}, NEW).name == new
    if old == new:
        assert namespace(paths, "", {}, None).name == new
        return
    with pytest.raises(NotDetermined) as caught:
        namespace(paths, "", {}, None)
    assert str(caught.value) == "several kubeconfigs define the context a, and Helm's versions differ in what they take"


@pytest.mark.parametrize("case", TWICE)
def test_helm_resolves_several_files_so(case: str, tmp_path: Path) -> None:
    texts, old, new = TWICE[case]
    for index, (version, expected) in enumerate((("3.12.3", old), ("3.17.3", new), ("4.3.1", new))):
        folder = tmp_path / str(index)
        folder.mkdir()
        assert helm_says(version, folder, texts, "") == expected, version


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "", ""),
        ("127.0.0.1:1", "127.0.0.1:9", "the cluster c"),
        ("user: {}", "user: {token: t}", "the user u"),
        ("user: u}", "user: v}", "the context a"),
        ("name: c\n", "name: d\n", ""),
        ("name: a\n", "name: b\n", ""),
    ],
)
def test_what_several_files_define_differently(first: str, second: str, expected: str, tmp_path: Path) -> None:
    text = config("a", a=None)
    assert first in text
    config_of_both = load_kubeconfig(written(tmp_path, [text, text.replace(first, second)]), {})
    assert defined_twice(config_of_both, "") == expected
    assert defined_twice(config_of_both, "a") == expected
    assert defined_twice(config_of_both, "z") == ""
    assert "token" not in repr(config_of_both)


def test_the_origin_names_the_context(tmp_path: Path) -> None:
    assert namespace(written(tmp_path, [config("a", a="one")]), "", {}) == Namespace("one", "kubeconfig (context a)")


def test_without_paths_it_is_the_one_at_home(tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").write_text(config("a", a="home"))
    assert namespace("", "", {"HOME": str(tmp_path)}).name == "home"
    assert namespace("", "", {}) == Namespace("default", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "{path} cannot be read: "),
        ("- a\n", "{path} is not a kubeconfig"),
        ("\x00", "{path} cannot be read: "),
    ],
)
def test_what_is_no_kubeconfig_is_told(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, [text])
    with pytest.raises(NotDetermined) as caught:
        namespace(path, "", {})
    assert str(caught.value).startswith(message.format(path=path))


def test_a_file_without_a_kind_is_a_kubeconfig(tmp_path: Path) -> None:
    """``Load`` (loader.go) decodes with Config as the kind of what names none; ``helm env`` agrees."""
    path = tmp_path / "config"
    path.write_text("current-context: a\ncontexts: [{name: a, context: {namespace: shop}}]\n")
    assert namespace(str(path), "", {}) == Namespace("shop", "kubeconfig (context a)")


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotDetermined) as caught:
        namespace(str(tmp_path), "", {})
    assert str(caught.value) == f"{tmp_path} cannot be read: Is a directory"


POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("t")
    (folder / "namespace").write_text("pods\n")
    monkeypatch.setattr(kubeconfig_files, "SERVICE_ACCOUNT", str(folder))
    return folder


def test_in_a_pod_it_is_the_service_accounts(pod: Path, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none")
    assert namespace(nowhere, "", POD) == Namespace("pods", "service account")
    assert namespace(nowhere, "", {**POD, "POD_NAMESPACE": "mine"}) == Namespace("mine", "POD_NAMESPACE")
    assert namespace(written(tmp_path, [config("a", a=None)]), "", POD).name == "pods"
    assert namespace(written(tmp_path, [config("a", a="one")]), "", POD).name == "one"
    assert namespace(written(tmp_path, [config("a", a="default")]), "", POD).name == "default"
    assert namespace(nowhere, "", {}) == Namespace("default", "default")
    (pod / "namespace").unlink()
    assert namespace(nowhere, "", POD) == Namespace("default", "default")
    (pod / "token").unlink()
    assert namespace(nowhere, "", {**POD, "POD_NAMESPACE": "mine"}) == Namespace("default", "default")
