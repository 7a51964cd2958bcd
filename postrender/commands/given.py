"""The usual flags read off the settings' table: importing argparse and telling it of all of them takes 4 ms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace

from postrender.caller.options import Setting


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
