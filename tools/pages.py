"""Write the pages of the documentation that are generated from the code.

python -m tools.pages --write
python -m tools.pages --check    # 1, and which, where a page is not what the code says
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from postrender import errors
from postrender.cli.commands import COMMANDS
from postrender.cli.commands.filter import GROUPS
from postrender.cli.commands.lint import LINT_SETTINGS
from postrender.integrations.flux.controllers import controllers
from postrender.lint.rules import RULES
from postrender.planner.codes import CODES
from postrender.planner.findings import NEVER_ALLOWED
from postrender.planner.policy import Policy
from postrender.settings.table import Setting
from tools.code_examples import LINT, examples

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
SCHEMAS = ROOT / "postrender" / "report" / "schemas"
BACK = "[All codes](index.md) · [Troubleshooting](../errors.md)"
MADE = "<!-- Made from the code by bin/docs --write; do not edit. -->\n"
FAMILIES = {
    "PR1": "Ownership",
    "PR2": "Name collisions and resourceVersion",
    "PR3": "Changes that Helm does not apply",
    "PR4": "Objects that leave the chart",
    "PR5": "Failed runs, hooks and later runs",
    "PR6": "Argo CD",
    "PR9": "Unknown Helm version",
    "PL1": "Findings of postrender lint",
    "PL2": "Findings of postrender lint OLD NEW",
}
RULE_HELMS = {"PL101": "3.17.0 and earlier", "PL108": "3.17.1 and later, 4.x"}
"""The Helm versions that a rule is about, if not all."""
_MOVE_CRDS = "Commands for users: [Move CRDs from crds/ to templates/](../move-crds.md)."
RULE_GUIDES = {
    "PL203": _MOVE_CRDS,
    "PL204": "Commands for users: [Removed APIs](../removed-apis.md).",
    "PL206": "Commands for users: [Immutable fields](../immutable-fields.md).",
    "PL208": _MOVE_CRDS,
}
"""The guide for a rule, if there is one."""
LANGUAGES = {
    ".py": "python",
    ".tf": "terraform",
    ".yaml": "yaml",
    ".gotmpl": "yaml",
    "Containerfile": "dockerfile",
}
"""How a file of an example is coloured, by its suffix or name."""
_POLICY = Policy()
DEFAULTS: Mapping[str, str] = {
    "stamp": _POLICY.stamp.value,
    "on_drift": "store, or fail",
    "label_key": _POLICY.label_key,
}


def pages() -> dict[str, str]:
    """Every generated page by its path below ``docs/``."""
    made = {"settings.md": settings(), "exit-codes.md": exit_codes(), "codes/index.md": codes()}
    made |= {f"codes/{code}.md": _code(code) for code in CODES}
    made |= {f"codes/{code}.md": _rule(code) for code in RULES}
    made["commands/index.md"] = commands()
    made |= {f"commands/{name}.md": command(name) for name in ("filter", *COMMANDS)}
    schemas = {f"schemas/{path.name}": path.read_text() for path in sorted(SCHEMAS.rglob("*.schema.json"))}
    return {path: _tidy(text) for path, text in made.items()} | callers() | schemas


def codes() -> str:
    """The list of all codes, by family."""
    nowhere = [code for code, _, _ in _codes() if code[:3] not in FAMILIES]
    assert not nowhere, f"no family in FAMILIES: {nowhere}"
    lines = [
        "# Codes",
        MADE,
        "Each finding has a code. `postrender explain PR102` prints its explanation. An error stops the run; "
        "`--allow PR106` downgrades it to a warning (not PR101).",
    ]
    for family, title in FAMILIES.items():
        listed = [(code, about) for code, about, _ in _codes() if code.startswith(family)]
        if listed:
            lines += [
                f"## {title}",
                _table(
                    ("code", "severity", "title"),
                    [(f"[{code}]({code}.md)", _severity(code), about) for code, about in listed],
                ),
            ]
    return "\n\n".join(lines)


def settings() -> str:
    """Every setting: flag, variable, values, default, and what Helm calls it."""
    lines = [
        "# Settings",
        MADE,
        "A flag has precedence over its variable, and a variable over the calling Helm's setting. A switch takes "
        "`true` or `false`. A flag marked *several* can be repeated; its variable takes commas. If Helm is the parent "
        "process, its settings are detected.",
        *(part for title, listed in GROUPS for part in (f"## {title[:1].upper()}{title[1:]}", _settings(listed))),
        "## Options of lint",
        _settings(LINT_SETTINGS),
    ]
    return "\n\n".join(lines)


def exit_codes() -> str:
    """Every exit code, from the classes of errors."""
    rows = [("0", "success")]
    kinds: list[type[errors.PostrenderError]] = [errors.PostrenderError, *errors.PostrenderError.__subclasses__()]
    meaning = {1: "Internal error."}
    for kind in kinds:
        rows.append((str(kind.exit_code), meaning.get(kind.exit_code) or (kind.__doc__ or "").partition("\n")[0]))
    rows.append(
        ("10", "With `--detailed-exitcode` (`plan`, `orphans`, `verify`): something would change or was found.")
    )
    return "\n\n".join(
        [
            "# Exit codes",
            MADE,
            _table(("code", "meaning"), sorted(set(rows), key=lambda row: int(row[0]))),
            "On any code but 0 the filter prints nothing to stdout, so Helm stores nothing. If a program of `--first` "
            "or `--then` fails, the filter exits with its exit code.",
            "`plan`, `orphans` and `verify` exit with 0 when they did their work, whatever they found; `plan` with 4 "
            "if the run would be refused. `postrender lint` exits with 1 if it found anything, `postrender run` with "
            "Helm's own exit code if Helm fails.",
            "## By command",
            "\n".join(f"- `{name}`: {codes}" for name, codes in _listed_codes()),
        ]
    )


def _listed_codes() -> Iterator[tuple[str, str]]:
    """The exit codes that a command's help lists, by the command's name."""
    for name in COMMANDS:
        parser = import_module(f"postrender.cli.commands.{name.replace('-', '_')}").parser()
        _, found, codes = (parser.epilog or "").partition("exit codes: ")
        if found:
            yield f"postrender {name}", " ".join(codes.split())


def commands() -> str:
    """The list of commands."""
    rows = [("[postrender](filter.md)", "the filter: rendered manifests in, manifests that Helm can adopt out")]
    rows += [(f"[postrender {name}]({name}.md)", about) for name, about in COMMANDS.items()]
    return "\n\n".join(["# Commands", MADE, _table(("command", "what"), rows)])


def command(name: str) -> str:
    """One command, as its parser describes it. Not by its help, whose form differs between versions of Python."""
    parser: argparse.ArgumentParser = import_module(f"postrender.cli.commands.{name.replace('-', '_')}").parser()
    lines = [f"# {parser.prog}", MADE]
    if parser.description:
        lines.append(f"```text\n{parser.description.rstrip()}\n```")
    for group in parser._action_groups:
        rows = [row for action in group._group_actions if (row := _argument(action))]
        if rows:
            title = {"positional arguments": "arguments", "options": "flags"}.get(group.title or "", group.title or "")
            lines += [f"## {title[:1].upper()}{title[1:]}", _table(("argument", "what"), rows)]
    if parser.epilog:
        lines.append(f"```text\n{parser.epilog.rstrip()}\n```")
    lines.append("[All commands](index.md) · [Settings](../settings.md) · [Exit codes](../exit-codes.md)")
    return "\n\n".join(lines)


def callers() -> dict[str, str]:
    """A page for each example that shows a caller: its README, and the files that the README tells of.

    The README is the original. It stands beside the files, where whoever opens the folder looks for it, and a test runs
    its commands there; the site has no link to the repository to send its reader to.
    """
    folders = (readme.parent for readme in sorted(EXAMPLES.glob("*/README.md")) if readme.parent.name != "shirts")
    return {f"callers/{folder.name}.md": _caller(folder) for folder in folders}


def _caller(folder: Path) -> str:
    heading, text = (folder / "README.md").read_text().split("\n", 1)
    lines = [heading, MADE, _linked(text.strip(), "../codes/"), *_CALLER_PARTS.get(folder.name, list)(), "## The files"]
    lines.append(f"From the folder `examples/{folder.name}` of the repository.")
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name != "README.md":
            language = LANGUAGES.get(file.suffix or file.name, "sh")
            lines += [f"`{file.name}`:", f"```{language}\n{file.read_text().strip()}\n```"]
    lines.append("[All callers](../callers.md)\n")
    return "\n\n".join(lines)


def _helm_controllers() -> list[str]:
    """The Helm in each helm-controller."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for version, each in controllers().items():
        hooks = each.strategy.value if each.strategy else "combined, separate, nohooks"
        rows.setdefault((str(each.helm), hooks), []).append(version)
    return [
        "## Helm in helm-controller",
        _table(
            ("helm-controller", "Helm", "post-render strategy"),
            [(", ".join(found), *row) for row, found in rows.items()],
        ),
    ]


_CALLER_PARTS: Mapping[str, Callable[[], list[str]]] = {"flux": _helm_controllers}
"""What a page has besides the README and the files, by the folder of the example."""


def _argument(action: argparse.Action) -> tuple[str, str] | None:
    if action.help in (None, argparse.SUPPRESS) or "--help" in action.option_strings:
        return None
    takes = action.nargs != 0
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    names = action.option_strings or [metavar]
    shown = ", ".join(f"`{name}`" for name in names).replace("|", "\\|")
    if takes and action.option_strings and action.nargs != "?":
        shown += f" `{metavar}`"
    choices = f"; one of {', '.join(map(str, action.choices))}" if action.choices else ""
    return shown, _cell(str(action.help)) + choices


def _settings(listed: tuple[Setting, ...]) -> str:
    return _table(
        ("flag", "variable", "default", "what"),
        [
            (
                ", ".join(f"`{flag}`" for flag in setting.flags) + (" *several*" if setting.kind == "list" else ""),
                f"`{setting.variable}`",
                _default(setting),
                _cell(setting.help) + (f"; one of {', '.join(setting.choices)}" if setting.choices else ""),
            )
            for setting in listed
        ],
    )


def _default(setting: Setting) -> str:
    if setting.name in DEFAULTS:
        return f"`{DEFAULTS[setting.name]}`"
    if setting.helm_flags:
        return f"Helm's `--{setting.helm_flags[0]}`"
    if setting.helm_variable:
        return f"`${setting.helm_variable}`"
    return "`false`" if setting.kind == "bool" else "–"


def _codes() -> Iterator[tuple[str, str, str]]:
    yield from ((code.code, code.title, code.text) for code in CODES.values())
    yield from ((rule.code, rule.title, rule.text) for rule in RULES.values())


def _severity(code: str) -> str:
    return ", ".join(CODES[code].severity if code in CODES else _rule_severities(code))


def _rule_severities(code: str) -> tuple[str, ...]:
    source = inspect.getsource(inspect.getmodule(RULES[code].check) or RULES[code].check)
    used = {found.lower() for found in re.findall(r"Severity\.([A-Z]+)", source)}
    return tuple(each for each in ("error", "warning", "info") if each in used)


def _facts(code: str, helms: str, since: str) -> str:
    severity = _severity(code)
    if code in CODES and "error" in CODES[code].severity:
        allowed = "no flag overrides it" if code in NEVER_ALLOWED else f"`--allow {code}` makes an error a warning"
        severity += f" ({allowed})"
    return _table(("severity", "Helm versions", "since"), [(severity, helms, f"postrender {since}")])


def _code(code: str) -> str:
    known = CODES[code]
    parts = [f"# {code}: {known.title}", MADE, _facts(code, known.helms, known.since)]
    example = examples().get(code)
    if example is not None:
        helm = "a Helm of unknown version" if example.helm == "unknown" else f"Helm {example.helm}"
        label = {"error": "error: ", "warning": "warning: "}.get(example.finding.severity.value, "")
        message = f"{label}{example.object}: {example.finding.text} ({code})"
        parts += ["## What you see", f"```text\n{textwrap.fill(message, 100, break_on_hyphens=False)}\n```"]
    parts += ["## Why", _linked(known.cause, "", code), "## Fix", _linked(known.fix, "", code)]
    if example is not None:
        action = "helm template" if example.command == "template" else f"helm {example.command.split()[0]}"
        parts += ["## Example", f"`{action}` with {helm}. The chart renders:", _yaml(example.before)]
        if example.after is None:
            parts.append("postrender stops with this error: nothing is installed or changed.")
        elif example.after == example.before:
            parts.append("postrender does not change this manifest.")
        else:
            parts += ["postrender passes to Helm:", _yaml(example.after)]
    return "\n\n".join([*parts, BACK])


def _rule(code: str) -> str:
    rule = RULES[code]
    cause, _, fix = rule.text.partition("\n\nFix: ")
    parts = [
        f"# {code}: {rule.title}",
        MADE,
        _facts(code, RULE_HELMS.get(code, "all"), "0.1.0"),
        "## Why",
        _linked(cause, "", code),
    ]
    parts += ["## Fix", _linked(fix, "", code), *([RULE_GUIDES[code]] if code in RULE_GUIDES else [])]
    if code in LINT:
        example = LINT[code]
        new = "New version, " if "old" in example else ""
        parts += ["## Example", *(["Old version:", _yaml(example["old"])] if new else [])]
        parts += [f"{new}reported:".capitalize(), _yaml(example["before"])]
        parts += [f"{new}not reported:".capitalize(), _yaml(example["after"])]
    parts += [
        "## Suppress it",
        f"Put the comment `# postrender: ignore={code}` on the line, or run lint with `--ignore {code}`.",
    ]
    return "\n\n".join([*parts, BACK])


def _yaml(text: str) -> str:
    return f"```yaml\n{text.strip()}\n```"


def _linked(text: str, folder: str, but: str = "") -> str:
    """The text with each code in its prose leading to the code's page."""
    known = {code for code, _, _ in _codes()} - {but}
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`|\[[^]]*\]\([^)]*\))", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [
        re.sub(r"\bP[RL]\d{3}\b", lambda found: _link(found[0], folder) if found[0] in known else found[0], part)
        for part in parts[::2]
    ]
    return "".join(parts)


def _link(code: str, folder: str) -> str:
    return f"[{code}]({folder}{code}.md)"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("%%", "%")


def _tidy(text: str) -> str:
    return text.replace("\n\n\n", "\n\n").rstrip() + "\n"


def stale(folder: Path = DOCS) -> list[str]:
    """The pages that are not what the code says, and those that nothing makes any longer."""
    made = pages()
    wrong = [
        path for path, text in made.items() if not (folder / path).is_file() or (folder / path).read_text() != text
    ]
    there = [path.relative_to(folder).as_posix() for path in folder.rglob("*.md") if MADE.strip() in path.read_text()]
    return sorted([*wrong, *(path for path in there if path not in made)])


def main(arguments: list[str]) -> int:
    """Write or compare."""
    parser = argparse.ArgumentParser(prog="python -m tools.pages")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--write", action="store_true")
    group.add_argument("--check", action="store_true")
    if parser.parse_args(arguments).check:
        wrong = stale()
        for path in wrong:
            sys.stderr.write(f"docs/{path} is not what the code says\n")
        if wrong:
            sys.stderr.write("hint: bin/docs --write\n")
        return 1 if wrong else 0
    made = pages()
    for path in stale():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        if path in made:
            (DOCS / path).write_text(made[path])
        else:
            (DOCS / path).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
