"""A secret planted in a real cluster, and looked for in what every command says of it."""

from __future__ import annotations

import json
from pathlib import Path

from postrender.cli.commands import COMMANDS
from tests.cli.test_secrets_stay import WORD, leaks, packed
from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.helm import Filter, HelmFactory
from tests.e2e.kinds import CONFIG_MAP, SECRET
from tests.e2e.test_plan import postrender

UNASKED = {"lint", "flux", "argocd", "krm", "helm-plugin", "completion", "explain"}
"""Commands that ask no cluster, or run another one of these."""

FORMATS = ("text", "json", "yaml", "markdown", "html")


def test_no_command_shows_a_secret_of_the_cluster(helm: HelmFactory, namespace: Namespace, tmp_path: Path) -> None:
    it = helm("3.21.4")
    kept = manifest(SECRET, "kept", {"a": packed(f"{WORD}-kept")}, keep=True)
    place = chart(
        tmp_path,
        {
            "db": manifest(SECRET, "db", {"a": packed(f"{WORD}-chart")}),
            "kept": kept,
            "notes": manifest(CONFIG_MAP, "notes", {"a": "b"}),
            "NOTES.txt": f"the password is {WORD}-notes\n",
        },
        values={"password": f"{WORD}-values"},
    )
    it.install("old", chart(tmp_path, {"kept": kept}), "--set", f"p={WORD}-set").expect_ok()
    it.uninstall("old").expect_ok()
    common = ("-n", it.namespace)
    planning = ("r", str(place), "--helm", str(it.binary), *common)
    said: dict[str, list[bytes]] = {name: [] for name in COMMANDS}

    def ask(name: str, *arguments: str, codes: tuple[int, ...]) -> None:
        done = postrender(it, name, *arguments)
        assert done.returncode in codes, (name, arguments, done.returncode, done.stdout, done.stderr)
        said[name] += [done.stdout, done.stderr]

    for output in FORMATS:
        ask("plan", *planning, "-o", output, codes=(4,))
        ask("plan", *planning, "--adopt", "orphans", "-o", output, codes=(0,))
        ask("plan", *planning, "--adopt", "orphans", "--detailed-exitcode", "-o", output, codes=(10,))
    failed = it.install("r", place, filter=True)
    assert not failed.ok
    said["plan"] += [failed.stderr.encode()]
    it.install("r", place, filter=Filter(("--adopt=orphans",))).expect_ok()
    namespace.patch(SECRET, "db", {"data": {"a": packed(f"{WORD}-drift"), "b": packed(f"{WORD}-new")}})
    namespace.kubectl_apply(manifest(SECRET, "applied", {"a": packed(f"{WORD}-applied")}), SECRET)
    for output in ("text", "json", "yaml"):
        ask("orphans", *common, "-o", output, codes=(0,))
        ask("verify", "r", *common, "-o", output, codes=(0,))
        ask("adopt", "r", "secrets/applied", *common, "--dry-run", "-o", output, codes=(0,))
    for output in FORMATS:
        ask("plan", *planning, "-o", output, codes=(0,))
    ask("snapshot", *planning, codes=(0,))
    ask("adopt", "r", "secrets/applied", *common, "--yes", codes=(0,))
    ask("unpin", "r", *common, codes=(0,))
    ask("unserved", "r", *common, "-v", codes=(0,))
    ask("move", "--all", "--from", "r", "--to", "s", *common, "--dry-run", codes=(0,))
    ask("forget", "r", *common, "--dry-run", codes=(0,))
    ask("rename", "r", "s", *common, "--dry-run", codes=(0, 4))
    ask("doctor", "--helm", str(it.binary), "--release", "r", *common, codes=(0,))

    def sealed(value: str) -> str:
        body = {**manifest(SECRET, "sealed", {"a": packed(f"{WORD}-{value}")}), "immutable": True}
        return str(chart(tmp_path, {"sealed": body}))

    ask("run", "--", str(it.binary), "install", "s", sealed("run"), *common, codes=(0,))
    ask("run", "--", str(it.binary), "upgrade", "s", sealed("refused"), *common, codes=(1, 4))
    ask("run", "--", str(it.binary), "upgrade", "s", sealed("flag"), *common, f"--no-such={WORD}", codes=(1, 2))
    assert {name for name, texts in said.items() if not texts} == UNASKED
    assert {name: found for name, texts in said.items() if (found := leaks(*texts))} == {}
    assert b"digest:" in b"".join(said["verify"])


def test_what_a_server_objects_to_is_told_without_the_values(helm: HelmFactory, tmp_path: Path) -> None:
    """``kubernetes.io/dockerconfigjson`` is looked into by the server, and an immutable Secret is not to be changed."""
    it = helm("4.3.1")
    first = {**manifest(SECRET, "db", {"a": packed(f"{WORD}-one")}), "immutable": True}
    it.install("r", chart(tmp_path, {"db": first})).expect_ok()
    second = {**first, "data": {"a": packed(f"{WORD}-two")}}
    done = postrender(
        it, "plan", "r", str(chart(tmp_path, {"db": second})), "--helm", str(it.binary), "-n", it.namespace
    )
    assert done.returncode == 4
    assert leaks(done.stdout, done.stderr) == []
    assert b"PR307" in done.stdout
    failed = it.upgrade("r", chart(tmp_path, {"db": second}), filter=True)
    assert not failed.ok
    assert leaks(json.dumps([failed.stdout, failed.stderr])) == []
