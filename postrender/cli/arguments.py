"""Settings turned into a parser's arguments, and the values of flags and variables read back.

The filter's usual flags are read from the settings' table without ``argparse``: importing it and declaring all flags
takes 4 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace

from postrender.errors import UsageError
from postrender.settings.parse import Value, from_text
from postrender.settings.table import SETTINGS, Flags, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def given(arguments: Sequence[str], settings: Iterable[Setting]) -> SimpleNamespace | None:
    """What argparse makes of these arguments, an attribute a setting; ``None`` where it is to be asked itself.

    That is where a flag is not one of the settings', lacks its value, or has one that begins with a dash: it then
    prints the help, or says what is wrong.
    """
    table = {flag: setting for setting in settings for flag in setting.flags}
    found: dict[str, str | list[str] | None] = dict.fromkeys(setting.name for setting in table.values())
    rest = [*reversed(arguments)]
    while rest:
        flag, equals, value = rest.pop().partition("=")
        setting = table.get(flag)
        if setting is None:
            return None
        if not equals:
            follows = bool(rest) and not rest[-1].startswith("-")
            if not follows and setting.kind != "bool":
                return None
            value = rest.pop() if follows else "true"
        if setting.kind == "list":
            found[setting.name] = [*(found[setting.name] or ()), value]
        else:
            found[setting.name] = value
    return SimpleNamespace(**found)


FILTER_SETTINGS: tuple[Setting, ...] = (
    Setting("live", "str", "FILE", "answer from this file (kubectl get ... -o yaml) instead of a cluster", path=True),
    Setting(
        "offline", "bool", "", "do not contact a cluster: only add labels and, with --stamp all, ownership metadata"
    ),
    Setting(
        "adopt",
        "list",
        "WHAT",
        "existing objects to adopt: orphans (of uninstalled releases), unmanaged (without a Helm owner)",
        choices=("orphans", "unmanaged"),
    ),
    Setting(
        "stamp",
        "str",
        "WHICH",
        "documents that get ownership metadata: adopt (only adopted objects, the default), all, none",
        choices=("adopt", "all", "none"),
    ),
    Setting(
        "on_drift",
        "str",
        "HOW",
        "if Helm would adopt an object without applying the chart: store the live spec in the release (the default), "
        "fail (the default without a helm command: Terraform, Pulumi), or apply the chart to the live object first",
        choices=("store", "fail", "apply"),
    ),
    Setting(
        "keep_live",
        "list",
        "KIND/NAME[:FIELD]",
        "keep live values that the chart would change, such as secrets/login:data.password",
    ),
    Setting("label_key", "str", "KEY", "key of the label that distinguishes kinds with the same name"),
    Setting("no_label", "bool", "", "do not add that label"),
    Setting("allow", "list", "CODE", "downgrade this code to a warning, such as PR106"),
    Setting("quiet", "bool", "", "print nothing on success", aliases=("-q",)),
    Setting("verbose", "bool", "", "print details of every object", aliases=("-v",)),
)
"""The filter's own settings; who called is told by ``postrender.settings.table.SETTINGS``."""


HOLD_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "plan", "str", "FILE", "fail if the result differs from this saved plan (postrender plan --save)", path=True
    ),
)
"""What the filter alone is held to."""

CHAIN_SETTINGS: tuple[Setting, ...] = (
    Setting("first", "str", "'PROGRAM ARG'", "run this post-renderer first"),
    Setting("then", "str", "'PROGRAM ARG'", "run this post-renderer last; it must not revert the edits"),
)
"""Helm takes one post-renderer only."""

HELM_SETTINGS: tuple[Setting, ...] = tuple(
    setting
    for setting in SETTINGS
    if setting.name not in ("driver", "kubeconfig", "request_timeout") and not setting.name.startswith("kube_")
)
"""What the calling Helm does, for which release."""

CONNECTION_SETTINGS: tuple[Setting, ...] = tuple(
    setting
    for setting in SETTINGS
    if setting.name in ("namespace", "driver", "kubeconfig", "request_timeout") or setting.name.startswith("kube_")
)
"""Which cluster, as whom, and where in it a release is stored."""

FIELD_SETTINGS = (*CONNECTION_SETTINGS, *(setting for setting in SETTINGS if setting.name == "field_manager"))
"""The same, and whose the fields are that Helm set."""


def add_arguments(
    parser: argparse.ArgumentParser, title: str, settings: Iterable[Setting], *, positional: bool = False
) -> None:
    """One argument a setting, under a heading; nothing given is ``None``.

    Beside ``positional`` arguments a switch takes no value, which would swallow one.
    """
    group = parser.add_argument_group(title)
    for setting in settings:
        names = setting.flags
        if setting.kind == "bool" and positional:
            group.add_argument(*names, dest=setting.name, action="store_const", const="true", help=setting.help)
        elif setting.kind == "bool":
            group.add_argument(
                *names, dest=setting.name, nargs="?", const="true", metavar="true|false", help=setting.help
            )
        elif setting.kind == "list":
            group.add_argument(*names, dest=setting.name, action="append", metavar=_metavar(setting), help=setting.help)
        else:
            group.add_argument(*names, dest=setting.name, metavar=_metavar(setting), help=setting.help)


_LONGEST = 42
"""Columns of choices in the place of a value; longer ones stand in the text of the help."""


def _metavar(setting: Setting) -> str:
    """``{orphans,unmanaged}``, or what a value stands for."""
    choices = f"{{{','.join(setting.choices)}}}"
    return choices if setting.choices and len(choices) <= _LONGEST else setting.metavar


CONNECTION = "connection"
"""The heading of the flags that say which cluster, as whom."""


def add_caller(parser: argparse.ArgumentParser, *, positional: bool = True) -> None:
    """All of ``SETTINGS``: what Helm does, and below it the flags of the connection; see ``add_arguments``."""
    add_arguments(parser, "Helm settings (detected from the calling Helm)", HELM_SETTINGS, positional=positional)
    connection = [setting for setting in SETTINGS if setting not in HELM_SETTINGS]
    add_arguments(parser, CONNECTION, connection, positional=positional)


def chosen(
    arguments: argparse.Namespace | SimpleNamespace, settings: Iterable[Setting], environ: Mapping[str, str]
) -> dict[str, Value | None]:
    """The value of every setting, flag before variable; ``None`` where neither was given.

    Raises UsageError for a value that is none of the accepted ones, naming the flag or variable it came from.
    """
    return {setting.name: _chosen(setting, getattr(arguments, setting.name), environ) for setting in settings}


def flags(arguments: argparse.Namespace | SimpleNamespace, settings: Iterable[Setting]) -> Flags:
    """What was given of these settings on the command line, for ``postrender.settings.find``; raises UsageError."""
    given: dict[str, object] = {}
    for setting in settings:
        value = getattr(arguments, setting.name)
        if value is None:
            continue
        if setting.kind == "list":
            given[setting.name] = tuple(value)
        elif setting.kind == "bool":
            given[setting.name] = chosen(arguments, [setting], {})[setting.name]
        else:
            given[setting.name] = value
    return Flags(**given)  # type: ignore[arg-type]


def release_name(text: str) -> str:
    """A release's name that was given as an argument of its own; raises UsageError where it is none."""
    (setting,) = (each for each in SETTINGS if each.name == "release")
    return str(from_text(setting, text, "RELEASE"))


def _chosen(setting: Setting, given: str | list[str] | None, environ: Mapping[str, str]) -> Value | None:
    origin = setting.flags[0]
    if given is None and environ.get(setting.variable):
        given, origin = environ[setting.variable], setting.variable
    if given is None:
        return None
    if setting.kind != "list":
        assert isinstance(given, str)
        return from_text(setting, given, origin)
    texts = [given] if isinstance(given, str) else given
    parts = tuple(part for text in texts for part in _listed(setting, text, origin))
    for part in parts:
        if setting.choices and part not in setting.choices:
            raise UsageError(f"invalid value {part!r}; choose {', '.join(setting.choices)}", where=origin)
    return parts


def _listed(setting: Setting, text: str, origin: str) -> tuple[str, ...]:
    value = from_text(setting, text, origin)
    assert isinstance(value, tuple)
    return value
