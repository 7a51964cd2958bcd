"""Hints as whole commands, made from the command line that ran."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence

from postrender._record import replace
from postrender.helm.command_line import pasteable, pasteable_in_run, without_secrets
from postrender.helm.invocation import Action
from postrender.settings import Caller
from postrender.settings.parse import shown
from postrender.settings.table import RUN_COMMAND, SETTINGS
from postrender.text import AGAIN, Advice, finished, with_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from postrender.planner.verdict import Verdict
    from postrender.planner.view import ObjectView

    Item = TypeVar("Item", Verdict, ObjectView)

_WITHOUT = re.compile(r"\.\.\. without (--\S+)")
_EXCLUSIVE = ({"--offline", "--live", "--kube-context"},)
"""Flags of which one stands for the others: where live objects are looked up."""
_HIDDEN = ("--kube-token", "--password")


def of_filter(steps: Sequence[str], caller: Caller | None, arguments: Sequence[str]) -> tuple[str, ...]:
    """Hints of the filter: with the command line of the Helm that called it, else with what is known of one.

    ``arguments`` are the filter's own.
    """
    from postrender.helm import process

    found = process.find(os.getpid(), process.here())
    if found and found.process.whole:
        argv = found.process.argv
        if RUN_COMMAND in os.environ:
            import shlex

            *flags, _, helm = shlex.split(os.environ[RUN_COMMAND])
            return tuple(finished(pasteable_in_run(step, (helm, *argv[1:]), flags)) for step in steps)
        return tuple(finished(pasteable(step, argv)) for step in steps)
    return of_command(of_call(steps, _named(caller)), "", arguments)


def of_call(steps: Sequence[str], called: Sequence[str]) -> tuple[str, ...]:
    """Hints with the ``helm`` command that is planned; hints of only flags are about our own command and stay."""
    return tuple(step if step.startswith(("--", AGAIN)) else pasteable(step, called) for step in steps)


def in_findings(items: Iterable[Item], whole: Callable[[Sequence[str]], tuple[str, ...]]) -> tuple[Item, ...]:
    """Verdicts or objects of a plan, with the hints of their findings as ``whole`` makes them."""
    return tuple(
        replace(each, findings=tuple(replace(finding, next=whole(finding.next)) for finding in each.findings))
        for each in items
    )


def _named(caller: Caller | None) -> tuple[str, ...]:
    """``helm upgrade shop CHART -n shop``: what is known of a Helm that did not call us."""
    if caller is None or caller.invocation.release is None:
        return ()
    import shlex

    from postrender.settings.connection import connection_flags

    release, action = caller.invocation.release, caller.invocation.action
    reaching = shlex.split(connection_flags(caller))
    verb = {Action.TEMPLATE: ["template"], Action.INSTALL: ["install"]}.get(action, ["upgrade", "--install"])
    return ("helm", *verb, release.name, "CHART", "-n", release.namespace, *reaching, "--post-renderer", "postrender")


def of_command(steps: Sequence[str], name: str, arguments: Sequence[str]) -> tuple[str, ...]:
    """Hints that are only flags, or ``AGAIN``, with the command of ours that ran; ``name`` is ``""`` for the filter.

    Of ``postrender run`` also those with ``helm ...``.
    """
    if name == "run" and "--" in arguments[:-1]:
        place = arguments.index("--")
        flags = own_flags(arguments[:place])
        return tuple(finished(pasteable_in_run(step, arguments[place + 1 :], flags)) for step in steps)
    return tuple(finished(_of_command(step, name, arguments)) for step in steps)


def own_flags(arguments: Sequence[str]) -> tuple[str, ...]:
    """The flags of a command of ours as hints repeat them, without what is secret."""
    return tuple(_kept(arguments, set()))


def _of_command(step: str, name: str, arguments: Sequence[str]) -> str:
    import shlex

    without = _WITHOUT.fullmatch(step)
    if isinstance(step, Advice) or not (without or step == AGAIN or step.startswith("--")):
        return step
    added = [] if without or step == AGAIN else shlex.split(step)
    dropped = {without[1]} if without else {word for word in added if word.startswith("--")}
    dropped |= {other for pair in _EXCLUSIVE for other in pair if dropped & pair}
    place = arguments.index("--") if "--" in arguments else len(arguments)
    ours = _kept(arguments[:place], dropped)
    words = ["postrender", *([name] if name else []), *ours, *added, *without_secrets(arguments[place:])]
    return with_command(step, shlex.join(words))


def _kept(arguments: Sequence[str], dropped: set[str]) -> list[str]:
    """The arguments without some flags and their values, and without what is secret."""
    texts = {flag: setting.name for setting in SETTINGS for flag in setting.flags if setting.kind != "bool"}
    texts |= {"--first": "first", "--then": "then"}
    kept: list[str] = []
    left = list(reversed(arguments))
    while left:
        word = left.pop()
        flag, assigned, value = word.partition("=")
        if flag not in dropped and flag not in _HIDDEN:
            name = texts.get(flag)
            kept.append(f"{flag}={_value(name, value)}" if name and assigned else word)
            if name and not assigned and left:
                kept.append(_value(name, left.pop()))
        elif not assigned and left and (left[-1] == "-" or not left[-1].startswith("-")):
            left.pop()
    return kept


def _value(name: str, text: str) -> str:
    """A flag's value as a reader may see it: of a post-renderer only the program, since its arguments may be secret."""
    return f"{text.split()[0]} ..." if name in ("first", "then") and text.split() else shown(name, text)
