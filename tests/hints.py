"""Every hint that the code can print, as a template, found in the source; and which of them a printed hint was made of.

A template is the text in the source; ``ANY`` stands for what the program fills in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from postrender.text import AGAIN

PACKAGE = Path(__file__).parents[1] / "postrender"
ANY = "\N{HORIZONTAL ELLIPSIS}"

COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:helm|kubectl|postrender|pip|pipx|rm|df|env|export|unset|openssl|ls|command|argocd|"
    rf"kustomize|kpt|\(echo|{ANY}) |--[a-z]|\.\.\.(?: |$)"
)
"""How a hint begins."""

ARGUMENTS = {"Finding": 3, "error": 2, "warning": 2, "note": 2, "Unknown": 1, "Skipped": 1, "Check": 3}
"""Which argument of what holds hints, beside ``next``."""

CALLS = ("kubectl", "call", "typed")
"""Functions whose first argument is a command; of the first two without ``kubectl``."""

NO_HINT = (
    r"postrender (?:…: the plugin is|….* exit code|…, Python|plan: |…\nHelm up to)",
    r"(?:helm|postrender) …$",
    r"helm …: the plan is",
    r"helm of unknown version",
    r"--[a-z-]+ (?:goes with|works on|takes what|of a file|with the release)",
    r"--[a-z-]+=…(?:=…)?$",
    r"kubectl … … …$",
    r"… (?:-o yaml|\.\.\.)$",
    r"(?:helm|helm install) ?$|--action install $",
    r"postrender adopt --undo ……$",
    r"postrender …$",
    r"(?:postrender|helm)(?: [a-z]+)* \[FLAG",
    r"postrender (?:plan|snapshot|flux) (?:RELEASE|HELMRELEASE)",
    r"export the cluster",
    r"helm (?:\.\.\.|upgrade)$",
    r"helm rollback to revision",
    r"--force-replace --server-side=false$",
)
"""Texts of the code that begin like a command and are none, or are only a part of one that is found as a whole."""


def text_of(node: ast.expr) -> str | None:
    """A string as it stands in the code, with ``ANY`` for what is filled in; ``None`` for another expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text_of(node.left), text_of(node.right)
        return None if left is None and right is None else f"{left or ANY}{right or ANY}"
    return None


def hints_given(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that are given as hints."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        yield from (keyword.value for keyword in call.keywords if keyword.arg == "next")
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        yield from call.args[ARGUMENTS[name] :][:1] if name in ARGUMENTS else ()
        if name == "Hint":
            yield call.args[0]


def texts_of(node: ast.expr) -> Iterator[str]:
    """The texts of an expression that are commands as they stand there; remarks and advice in words are none."""
    text = text_of(node)
    if text is not None:
        yield text
    elif isinstance(node, (ast.Tuple, ast.List)):
        for each in node.elts:
            yield from texts_of(each)
    elif isinstance(node, ast.Starred):
        yield from texts_of(node.value)
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        yield from texts_of(node.elt)
    elif isinstance(node, ast.IfExp):
        yield from (*texts_of(node.body), *texts_of(node.orelse))


def _by_calls(tree: ast.AST) -> Iterator[str]:
    """The commands that are given to ``kubectl`` and ``typed``."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        text = text_of(call.args[0])
        if name in CALLS and text:
            yield text if name == "typed" else f"kubectl {text}"


def _elsewhere(tree: ast.AST) -> Iterator[str]:
    """Other strings that begin as a command does: in a tuple, a constant or what a function returns."""
    for node in ast.walk(tree):
        values: list[ast.expr | None] = []
        if isinstance(node, (ast.Return, ast.Assign, ast.AnnAssign, ast.Yield)):
            values = [node.value]
        elif isinstance(node, (ast.Tuple, ast.List)):
            values = [*node.elts]
        for value in values:
            if value is not None:
                yield from (text for text in texts_of(value) if " " in text.strip() and not text.startswith(ANY))


@cache
def templates() -> dict[str, str]:
    """Every hint of the code, with the module of one place."""
    found = {AGAIN: "text.py"}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent.name == "completion":
            continue
        tree = ast.parse(path.read_text())
        given = (text for node in hints_given(tree) for text in texts_of(node))
        for text in (*given, *_by_calls(tree), *_elsewhere(tree)):
            if COMMAND.match(text) and not any(re.match(pattern, text) for pattern in NO_HINT):
                found.setdefault(text, path.relative_to(PACKAGE).as_posix())
    return found


@cache
def pattern(template: str) -> re.Pattern[str]:
    """What a printed hint looks like that was made of a template; flags that reach a cluster may stand behind it."""
    before, after = "", r"(?: .*)?"
    text = template
    if text.startswith("--"):
        before, text = r"(?:postrender|\S*helm) .*", text.replace(" ", "\N{SYMBOL FOR SPACE}")
    elif found := re.match(r"(\w+=\S+ )?(helm|postrender|…)((?: [a-z-]+)*) \.\.\.(?: (.*))?$", text):
        variables, program, verb, flags = found.groups()
        verb, _, install = verb.strip().partition(" ")
        verb = rf"(?=.*{install}).* {verb}" if verb else ""
        before = f"{re.escape(variables or '')}(?:postrender run .*-- )?\\S*{program.replace(ANY, 'helm')}{verb} .*"
        text = flags or ""
        ours = text.removeprefix("--post-renderer-args=")
        if ours != text:
            ours, program = _escaped(ours), rf"\S*{program.replace(ANY, 'helm')}{verb}"
            in_run = rf"postrender run .*{ours} -- {program}"
            return re.compile(rf"(?:{program} .*--post-renderer-args={ours}|{in_run}){after}", re.DOTALL)
    return re.compile(before + _escaped(text) + after, re.DOTALL)


def _escaped(text: str) -> str:
    return re.escape(text).replace(re.escape(ANY), ".*").replace("\N{SYMBOL FOR SPACE}", "[ =]")


def made_of(hint: str, ran: str = "") -> set[str]:
    """The templates that a printed hint may have been made of; ``ran`` is what was run."""
    words, before = set(hint.split()), set(ran.split())
    if words == before:
        return {AGAIN}
    if words < before:
        gone = {word.partition("=")[0] for word in before - words} | ({ANY} if "helm " in hint else set())
        if found := {each for each in templates() if each.partition(" without ")[2] in gone}:
            return found
    plain = re.sub(r"^KUBECONFIG=\S+ (?=kubectl )", "", hint)
    whole = (each for each in templates() if each != AGAIN and " without " not in each)
    return {each for each in whole if pattern(each).fullmatch(plain)}


IN_FAULTS = {
    "--request-timeout …": "reads: no answer: verify",
    "command -v helm": "surroundings: helm is missing for run: filter",
    "kubectl auth whoami": "reads: unauthorized: filter --adopt",
    "kubectl config view": "credentials: no server: filter",
    "kubectl get --raw '/readyz?verbose'": "writes: write fails: move",
    "kubectl get --raw /version": "credentials: a plugin that fails: filter",
    "kubectl get --raw … -v=6": "reads: redirect: orphans",
    "postrender doctor": "credentials: a token file that is missing: filter",
}
"""Templates that ``tests/faults`` types, with servers that fail, and the row that prints each first."""
