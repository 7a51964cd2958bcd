"""Coverage-guided fuzzing: ``bin/fuzz SECONDS`` feeds bytes to the oracle until it finds a broken promise.

What it finds is written to ``tests/corpus/found``, where the tests keep it from coming back. Runs under Atheris, in a
virtual environment of its own.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["postrender.manifest", "postrender.manifest.edit", "yaml"]):
    import postrender.manifest.decode
    import postrender.manifest.go_yaml  # noqa: F401 - imported when needed, and then it would go by unseen
    from tests.fuzz.oracle import check
from tests.tools.goreader import GoReader

CORPUS = Path(__file__).parents[1] / "corpus"
LONGEST = 4096
SLOWEST = 20
"""Seconds that an input may take; one that takes longer hangs, and is kept as a finding."""


def seeds(folder: Path) -> None:
    """Put the hand-made streams and the YAML test suite's where the fuzzer starts from."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*CORPUS.glob("traps/*/input.yaml"), *CORPUS.glob("found/*")):
        name = path.parent.name if path.name == "input.yaml" else path.name
        (folder / f"seed-{name}").write_bytes(path.read_bytes())
    suite: dict[str, str] = json.loads((CORPUS / "yaml-test-suite.json").read_text())
    for name, text in suite.items():
        spec = "".join(f"  {line}" for line in text.splitlines(keepends=True))
        manifest = f"apiVersion: v1\nkind: A\nmetadata:\n  name: a\nspec:\n{spec}"
        (folder / f"seed-{name}").write_bytes(manifest.encode())


def main(folder: str, seconds: str) -> None:
    """Fuzz for some seconds, keeping what reaches new code in a folder."""
    seeds(Path(folder))
    with GoReader() as go:

        def one(data: bytes) -> None:
            check(data, go)

        options = [
            f"-max_total_time={seconds}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOWEST}",
            f"-dict={Path(__file__).parent / 'yaml.dict'}",
            f"-artifact_prefix={CORPUS / 'found'}/",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
