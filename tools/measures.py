"""Measures of the code's form, printed as a table; a test holds each at or below its limit.

``python -m tools.measures`` prints name, measured value and limit. Lower is better for every measure.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "postrender"

LIMITS = {
    "modules at the top": 8,
    "import layers": 9,
    "import circles of packages": 0,
    "import circles of modules": 0,
    "files": 243,
    "lines": 38_320,
    "modules imported by the offline filter": 64,
    "dialect identifiers": 0,
    "file names used twice": 12,
    "lines of the longest function": 47,
    "parameters of the longest signature": 11,
}
"""The largest value allowed for each measure. Lower a limit when the code gets better, do not raise one."""

DIALECT = frozenset(
    """
    account alive anew brought deaf floor heard house lookalike lookalikes mend mended mending mends namesake namesakes
    nobody room rooms said say says somebody tell telling tells told twins unheeding ways whose wish
    """.split()  # noqa: SIM905 - one word a line hides the whole
)
"""Words that no identifier contains: the field has another word for each."""

OFFLINE_FILTER = """
import sys
before = set(sys.modules)
from postrender.cli.main import main
main(["--offline", "--stamp", "all", "--release", "shop", "--namespace", "shop", "--helm-version", "3.12.3"])
import json
sys.stderr.write("\\n" + json.dumps(sorted(set(sys.modules) - before)))
"""

MANIFEST = b"---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: a\ndata:\n  a: YQ==\n"


def main() -> None:
    """Print every measure with its limit."""
    for name, value in measures().items():
        print(f"{name:40} {value:6} (at most {LIMITS[name]})")


def measures() -> dict[str, int]:
    """Each measure by the name that it has in ``LIMITS``."""
    sources = {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    trees = [ast.parse(source) for source in sources.values()]
    functions = [
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    names = Counter(path.name for path in sources if path.name != "__init__.py")
    return {
        "modules at the top": len([path for path in sources if path.parent == PACKAGE]),
        "import layers": len(import_layers()),
        "import circles of packages": len(circles(package_imports())),
        "import circles of modules": len(circles(module_imports())),
        "files": len(sources),
        "lines": sum(source.count("\n") for source in sources.values()),
        "modules imported by the offline filter": len(offline_filter_imports()),
        "dialect identifiers": sum(dialect_identifiers(trees).values()),
        "file names used twice": len([name for name, times in names.items() if times > 1]),
        "lines of the longest function": max((node.end_lineno or 0) - node.lineno + 1 for node in functions),
        "parameters of the longest signature": max(parameters(node) for node in functions),
    }


def import_layers() -> list[str]:
    """The layers of the first import-linter contract, highest first, each as it stands in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text()
    layers = re.search(r"^layers = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert layers, "pyproject.toml has no contract of layers"
    return re.findall(r'"([^"]+)"', layers[1])


def module_imports() -> dict[str, set[str]]:
    """Each module of the package with the modules that it imports, anywhere in its source."""
    graph = grimp.build_graph("postrender", cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def package_imports() -> dict[str, set[str]]:
    """Each module or package directly below ``postrender`` with those others that it imports."""

    def top(module: str) -> str:
        return ".".join(module.split(".")[:2])

    found: dict[str, set[str]] = {}
    for module, imported in module_imports().items():
        found.setdefault(top(module), set()).update(top(name) for name in imported)
    return {name: imported - {name} for name, imported in found.items() if name != "postrender"}


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """The groups of two or more names that import each other, directly or not."""
    reached = {name: _reachable(name, imports) for name in imports}
    groups = {frozenset(other for other in seen if name in reached.get(other, ())) for name, seen in reached.items()}
    return [set(group) for group in groups if len(group) > 1]


def _reachable(start: str, imports: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in imports.get(waiting.pop(), set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


def offline_filter_imports() -> set[str]:
    """The modules of the package that an offline run of the filter imports."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})" + OFFLINE_FILTER,
        ],
        input=MANIFEST,
        capture_output=True,
        check=True,
    )
    return {name for name in json.loads(done.stderr.rpartition(b"\n")[2]) if name.startswith("postrender")}


def dialect_identifiers(trees: list[ast.Module]) -> Counter[str]:
    """The identifiers that contain a word of ``DIALECT``, with how often each is defined or used."""
    found: Counter[str] = Counter()
    for tree in trees:
        for node in ast.walk(tree):
            for name in _identifiers(node):
                words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
                if DIALECT & set(words) and "service" not in words:  # a service account is a word of Kubernetes
                    found[name] += 1
    return found


def _identifiers(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.arg) or (isinstance(node, ast.keyword) and node.arg):
        return [str(node.arg)]
    return [node.name.rpartition(".")[2]] if isinstance(node, ast.alias) else []


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a function names, ``self`` and ``cls`` not counted."""
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len([argument for argument in named if argument.arg not in {"self", "cls"}])


if __name__ == "__main__":
    main()
