"""``bin/facts``: the Go source that this repository's docstrings, comments and pages cite, by fingerprint.

    bin/facts --check                          # every citation resolves, and the source is what was read
    bin/facts --helm v3.22.0 --from v3.21.4    # what changed in a newer Helm and its libraries, and what rests on it
    bin/facts --kubernetes v1.37.0             # the same for the API server of a Kubernetes
    bin/facts --accept v3.22.0                 # that Helm is read: its fingerprints replace those of the one before
    bin/facts --write                          # bring facts.yaml up to what is cited, from the sources on disk

``facts.yaml`` beside this file is the registry: module and version at which it was read, file, name, fingerprint.
A fingerprint is the SHA-256 of the declaration without comments, as gofmt sets it (the Go program ``gofacts``); the
name ``*`` stands for the whole file. A fact without a fingerprint is one whose source the Go proxy does not serve.
A source that is not on disk is passed over, but downloaded where CI is set.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from postrender.helm import versions
from tests.tools import assets
from tools.citations import ROOT, Citation, citations

REGISTRY = Path(__file__).with_suffix(".yaml")
SERVER = ("k8s.io/apiserver", "k8s.io/apiextensions-apiserver")
"""Modules that only an API server runs, of the version of its Kubernetes."""
STANDARD = "std"
"""As module: Go's own library, whatever version is installed."""
_HEAD = """\
# Go source that docstrings, comments and pages cite: module@version, file, name, fingerprint. See facts.py.
"""


@dataclass(frozen=True, order=True)
class Fact:
    """A declaration of a file of a module, at the version at which it was read."""

    module: str
    version: str
    file: str
    name: str

    def __str__(self) -> str:
        """``Update (pkg/kube/client.go of helm.sh/helm/v3 v3.21.4)``."""
        return f"{self.name} ({self.file} of {self.module} {self.version})"

    def at(self, version: str) -> Fact:
        """The same of another version."""
        return Fact(self.module, version, self.file, self.name)

    def is_cited_by(self, citation: Citation, name: str) -> bool:
        """True if the citation means this declaration by ``name``, ``*`` for the whole file."""
        return self.name == name and any(f"/{self.module}/{self.file}".endswith(f"/{file}") for file in citation.files)


Registry = dict[Fact, str]


def load() -> Registry:
    """The registered facts with their fingerprints."""
    found = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    return {
        Fact(key.rpartition("@")[0], key.rpartition("@")[2], file, name): mark
        for key, files in found.items()
        for file, names in files.items()
        for name, mark in names.items()
    }


def store(registry: Registry) -> None:
    """Write facts.yaml."""
    tree: dict[str, dict[str, dict[str, str]]] = {}
    for fact, mark in sorted(registry.items()):
        tree.setdefault(f"{fact.module}@{fact.version}", {}).setdefault(fact.file, {})[fact.name] = mark
    REGISTRY.write_text(_HEAD + yaml.safe_dump(tree, width=120, sort_keys=False), encoding="utf-8")


def names(citation: Citation) -> tuple[str, ...]:
    """The names that a citation cites."""
    return citation.names or ("*",)


def unresolved(citation: Citation, registry: Iterable[Fact]) -> list[str]:
    """Cited names that no registered fact has."""
    return [name for name in names(citation) if not any(fact.is_cited_by(citation, name) for fact in registry)]


@cache
def folder(module: str, version: str, *, download: bool) -> Path | None:
    """The source of a module; ``None`` if it is not on disk and not to be downloaded. Raises BuildError."""
    if module == STANDARD:
        return Path(assets.go("env", "GOROOT").strip()) / "src"
    escaped = re.sub("[A-Z]", lambda found: "!" + found[0].lower(), f"{module}@{version}")
    path = Path(assets.go("env", "GOMODCACHE").strip()) / escaped
    if not path.is_dir() and download:
        assets.go("mod", "download", f"{module}@{version}", cwd=Path("/"))
    return path if path.is_dir() else None


def declarations(facts: Sequence[Fact], *, download: bool) -> dict[Fact, tuple[str, str]]:
    """Where each fact stands now, and its text, ``""`` if it is nowhere; facts without source on disk are left out."""
    found = [(fact, place) for fact in facts if (place := folder(fact.module, fact.version, download=download))]
    asked = [{"root": str(place), "file": fact.file, "name": fact.name} for fact, place in found]
    done = subprocess.run(
        [assets.build("gofacts")], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return {
        fact: (answer["file"], answer["text"]) for (fact, _), answer in zip(found, json.loads(done.stdout), strict=True)
    }


def fingerprint(text: str) -> str:
    """Sixteen hexadecimal digits."""
    return assets.digest(text.encode()) if text else ""


def check(*, download: bool) -> list[str]:
    """What is wrong with the citations and the registry, a line each."""
    registry, cited = load(), list(citations())
    wrong = [
        f"{citation}: {REGISTRY.name} has no {name} of {' or '.join(citation.files)}"
        for citation in cited
        for name in unresolved(citation, registry)
    ]
    held = [fact for fact, mark in registry.items() if mark]
    for fact, (file, text) in declarations(held, download=download).items():
        if not text:
            wrong.append(f"{REGISTRY.name}: there is no {fact}")
        elif fact.module != STANDARD and (file != fact.file or fingerprint(text) != registry[fact]):
            wrong.append(f"{REGISTRY.name}: not as it was read: {fact}")
    return wrong


def newest(registry: Iterable[Fact], module: str) -> str:
    """The newest registered version of a module, ``""`` for none."""
    return max({fact.version for fact in registry if fact.module == module}, key=_numbers, default="")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


@dataclass(frozen=True)
class Change:
    """A fact that differs between two versions; ``file`` is where it is now, ``text`` is ``""`` if it is gone."""

    old: Fact
    new: Fact
    file: str
    before: str
    text: str

    def report(self, cited: Sequence[Citation]) -> str:
        """What changed, and the places, rows, codes and tests that rest on it."""
        moved = f", now in {self.file}" if self.text and self.file != self.old.file else ""
        lines = [f"{'gone' if not self.text else 'changed'}: {self.old} -> {self.new.version}{moved}"]
        lines += difflib.unified_diff(
            self.before.splitlines(), self.text.splitlines(), self.old.version, self.new.version, lineterm="", n=2
        )
        for citation in cited:
            if any(self.old.is_cited_by(citation, name) for name in names(citation)):
                lines.append(f"  rests on it: {citation}")
                lines += [f"    {each}" for each in resting(citation)]
        return "\n".join(lines)


def helm_modules(version: str) -> dict[str, str]:
    """A Helm and the versions of the libraries that its go.mod names, but for those of an API server."""
    helm = f"helm.sh/helm/{version.split('.')[0]}"
    return {**{name: at for name, at in _required(helm, version).items() if name not in SERVER}, helm: version}


def server_modules(version: str) -> dict[str, str]:
    """The libraries of an API server of that Kubernetes, ``v1.37.0``."""
    staged = f"v0.{version.removeprefix('v').partition('.')[2]}"
    return {**_required(SERVER[0], staged), **dict.fromkeys(SERVER, staged)}


def changes(now: Mapping[str, str], before: Mapping[str, str]) -> Iterator[Change]:
    """Cited declarations that differ between these versions of modules.

    A module that ``before`` lacks is compared with the version at which it was read.
    """
    registry = load()
    pairs: list[tuple[Fact, Fact]] = []
    for module in sorted({fact.module for fact in registry} & set(now)):
        read = newest(registry, module)
        then = before.get(module, read)
        pairs += [
            (fact.at(then), fact.at(now[module])) for fact in registry if (fact.module, fact.version) == (module, read)
        ]
    texts = declarations([each for pair in pairs for each in pair], download=True)
    for old, new in pairs:
        (_, was), (file, text) = texts[old], texts[new]
        if was != text or file != old.file:
            yield Change(old, new, file, was, text)


def _required(module: str, version: str) -> dict[str, str]:
    place = folder(module, version, download=True)
    assert place is not None
    return dict(re.findall(r"^(?:require)?\s+(\S+) (v\S+)", (place / "go.mod").read_text(), re.M))


def resting(citation: Citation) -> list[str]:
    """The rows, codes and tests that rest on what a place cites."""
    if citation.path.suffix != ".py":
        return []
    rows, codes = [], []
    if citation.path == Path(versions.__file__):
        rows = [f"row {since}" for since, change in versions.ROWS if citation.scope in change]
    text = citation.path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == citation.scope:
            codes = sorted(set(re.findall(r"\bP[RL]\d{3}\b", ast.get_source_segment(text, node) or "")))
    module = ".".join(citation.path.relative_to(ROOT).with_suffix("").parts)
    tests = _mentioning("|".join(codes) or citation.scope) if rows or codes else _mentioning(_imported(module))
    return [*rows, *(f"code {code}" for code in codes), *(f"test {path}" for path in tests)]


def _imported(module: str) -> str:
    package, _, name = module.rpartition(".")
    return rf"from {re.escape(module)} import|import {re.escape(module)}|from {re.escape(package)} import .*\b{name}"


@cache
def _mentioning(pattern: str) -> list[str]:
    """The test files in which something matches."""
    found = re.compile(rf"\b(?:{pattern})\b")
    paths = sorted(
        path for of in ("test_*.py", "plans/*.yaml", "published/*.py") for path in (ROOT / "tests").rglob(of)
    )
    return [path.relative_to(ROOT).as_posix() for path in paths if found.search(path.read_text(encoding="utf-8"))]


def accept(version: str) -> Registry:
    """The registry with that Helm in the place of the one that was read before. Raises ValueError for what is gone."""
    registry = load()
    helm = f"helm.sh/helm/{version.split('.')[0]}"
    read = newest(registry, helm)
    old = [fact for fact in registry if (fact.module, fact.version) == (helm, read)]
    found = declarations([fact.at(version) for fact in old], download=True)
    if gone := [str(fact) for fact, (_, text) in found.items() if not text]:
        raise ValueError(f"not there any more: {', '.join(gone)}")
    kept = {fact: mark for fact, mark in registry.items() if fact not in old}
    return {**kept, **{Fact(helm, version, file, fact.name): fingerprint(text) for fact, (file, text) in found.items()}}


def written() -> Registry:
    """The registry without what nobody cites, with what the newest registered sources on disk have of what is cited."""
    cited, known = list(citations()), load()
    registry = {
        fact: mark
        for fact, mark in known.items()
        if any(fact.is_cited_by(citation, name) for citation in cited for name in names(citation))
    }
    added = [
        fact
        for citation in cited
        for name in unresolved(citation, registry)
        for module in sorted({fact.module for fact in known})
        for fact in _possible(module, newest(known, module), citation, name)
    ]
    texts = declarations([*added, *(fact for fact, mark in registry.items() if not mark)], download=False)
    return {
        **registry,
        **{fact: fingerprint(text) for fact, (file, text) in texts.items() if text and file == fact.file},
    }


def _possible(module: str, version: str, citation: Citation, name: str) -> Iterator[Fact]:
    """Files of a module that a citation may mean."""
    place = folder(module, version, download=False)
    if place is not None:
        files = [
            path.relative_to(place).as_posix() for path in sorted(place.rglob("*.go")) if "testdata" not in path.parts
        ]
        facts = (Fact(module, version, file, name) for file in files)
        yield from (fact for fact in facts if fact.is_cited_by(citation, name))


def main(arguments: Sequence[str]) -> int:
    """0 if nothing is wrong; changes are none of the wrong."""
    parser = argparse.ArgumentParser(
        prog="facts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="hold every citation against the registry and the source")
    what.add_argument("--helm", metavar="VERSION", help="list what differs in this Helm")
    what.add_argument("--kubernetes", metavar="VERSION", help="list what differs in the API server of this Kubernetes")
    what.add_argument("--accept", metavar="VERSION", help="register this Helm as read")
    what.add_argument("--write", action="store_true", help="bring the registry up to what is cited")
    parser.add_argument(
        "--from", dest="since", metavar="VERSION", help="the version to compare with (default: as read)"
    )
    options = parser.parse_args(arguments)
    if options.check:
        wrong, registry = check(download=bool(os.environ.get("CI"))), load()
        held = sum(map(bool, registry.values()))
        cited = len(list(citations()))
        score = f"{cited} citations of {len(registry)} facts, {held} with a fingerprint: {len(wrong)} wrong"
        print("\n".join([*wrong, score, *(["hint: bin/facts --write"] if wrong else [])]))
        return 1 if wrong else 0
    if version := options.helm or options.kubernetes:
        modules = helm_modules if options.helm else server_modules
        found = list(changes(modules(version), modules(options.since) if options.since else {}))
        places = list(citations())
        print("\n\n".join([*(each.report(places) for each in found), f"{len(found)} cited declarations differ"]))
        return 0
    store(accept(options.accept) if options.accept else written())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
