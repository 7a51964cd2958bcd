"""Who may write to stderr: what stands on it came from outside, so that one place escapes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import postrender

ROOT = Path(postrender.__file__).parent

WRITERS = {("text.py", "to_stderr"), ("text.py", "draw")}
"""Module and function."""


def scopes(tree: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every node with the function around it, ``""`` at a module's top."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else name
        yield inner, node
        yield from scopes(node, inner)


def is_stderr(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute) and node.attr in ("stderr", "__stderr__") and ast.unparse(node.value) == "sys"
    )


def writes(node: ast.AST) -> bool:
    """Whether a node writes to stderr: by name, by descriptor, by ``print`` or as a library does."""
    if not isinstance(node, ast.Call):
        return False
    function = ast.unparse(node.func)
    if isinstance(node.func, ast.Attribute) and is_stderr(node.func.value):
        return node.func.attr in ("write", "writelines", "buffer")
    if function.startswith(("sys.stderr.buffer.", "logging.", "warnings.", "traceback.print", "faulthandler.")):
        return True
    given = [*node.args, *(each.value for each in node.keywords)]
    if function == "print":
        return True  # Also to stdout: ``output.write`` does that.
    if function == "os.write":
        return not node.args or ast.unparse(node.args[0]) == "2"
    if function in ("open", "os.fdopen"):
        return bool(node.args) and ast.unparse(node.args[0]) in ("2", "'/dev/stderr'", "'/proc/self/fd/2'")
    # The last two only look at the terminal behind it.
    return any(is_stderr(each) for each in given) and not function.startswith(("subprocess.", "columns", "paint"))


def found() -> set[tuple[str, str]]:
    """Every function of ours that writes to stderr."""
    return {
        (str(path.relative_to(ROOT)), function)
        for path in ROOT.rglob("*.py")
        for function, node in scopes(ast.parse(path.read_text()))
        if writes(node)
    }


def test_one_place_writes_to_stderr() -> None:
    assert found() == WRITERS


def test_what_counts_as_writing() -> None:
    for line in (
        "sys.stderr.write(x)",
        "sys.stderr.writelines(x)",
        "sys.stderr.buffer.write(x)",
        "print(x, file=sys.stderr)",
        "print(x)",
        "os.write(2, x)",
        "open('/dev/stderr', 'w')",
        "os.fdopen(2)",
        "traceback.print_exc()",
        "logging.warning(x)",
        "warnings.warn(x)",
        "shutil.copyfileobj(x, sys.stderr)",
    ):
        assert any(writes(node) for _, node in scopes(ast.parse(line))), line
    for line in ("sys.stderr.flush()", "sys.stderr.isatty()", "os.write(handle, x)", "sys.stdout.write(x)", "open(x)"):
        assert not any(writes(node) for _, node in scopes(ast.parse(line))), line
