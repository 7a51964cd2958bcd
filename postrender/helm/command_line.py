"""Helm's command line, read as cobra and pflag read it. Pure.

Helm starts a post-renderer after it has parsed its own command line, so a wrong one is never seen; what cannot be read
for certain is reported as doubtful instead of guessed. One table of flags holds for every Helm 3 and 4: no flag ever
changed whether it takes a value. Read from ``EnvSettings.AddFlags`` (pkg/cli/environment.go), ``addKlogFlags``
(cmd/helm/flags.go; klog.go of k8s.io/klog) and ``newInstallCmd``, ``newUpgradeCmd``, ``newTemplateCmd`` with the
functions they share (cmd/helm/{install,upgrade,template,flags}.go of 3.9.0 to 3.21.4, pkg/cmd of 4.0.0 to 4.3.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from postrender._record import Record
from postrender.text import AGAIN, Advice, with_command


class FlagSet(Record):
    """The flags of one command: long name to whether it takes the next argument, and letter to long name."""

    takes_next: Mapping[str, bool]
    letters: Mapping[str, str]


def _flags(takes_next: str, stands_alone: str, letters: str, base: FlagSet | None = None) -> FlagSet:
    known = dict.fromkeys(takes_next.split(), True) | dict.fromkeys(stands_alone.split(), False)
    short = {pair[0]: pair[2:] for pair in letters.split()}
    if base is None:
        return FlagSet(known, short)
    return FlagSet({**base.takes_next, **known}, {**base.letters, **short})


ROOT = _flags(
    "namespace kubeconfig kube-context kube-token kube-as-user kube-as-group kube-apiserver kube-ca-file "
    "kube-tls-server-name registry-config repository-config repository-cache content-cache burst-limit qps "
    "color colour "
    "alsologtostderrthreshold log-backtrace-at log-dir log-file log-file-max-size stderrthreshold v vmodule",
    "debug kube-insecure-skip-tls-verify "
    "add-dir-header alsologtostderr legacy-stderr-threshold-behavior logtostderr one-output skip-headers "
    "skip-log-headers",
    "n=namespace v=v",
)
"""What may stand in front of the command as well as behind it."""

_SHARED = _flags(
    "description keyring repo username password cert-file key-file ca-file version timeout labels "
    "values set set-string set-file set-json set-literal post-renderer post-renderer-args",
    "atomic create-namespace dependency-update devel disable-openapi-validation dry-run enable-dns force "
    "force-conflicts force-replace help hide-notes insecure-skip-tls-verify no-hooks pass-credentials plain-http "
    "render-subchart-notes rollback-on-failure skip-crds skip-schema-validation take-ownership verify wait "
    "wait-for-jobs",
    "f=values h=help l=labels",
    ROOT,
)

_INSTALL = _flags("name-template", "generate-name replace server-side", "g=generate-name", _SHARED)

COMMANDS: Mapping[str, FlagSet] = {
    "install": _flags("output", "hide-secret", "o=output", _INSTALL),
    "template": _flags(
        "api-versions kube-version output-dir show-only",
        "include-crds is-upgrade release-name skip-tests validate",
        "a=api-versions s=show-only",
        _INSTALL,
    ),
    "upgrade": _flags(
        "history-max output server-side",
        "cleanup-on-fail hide-secret install recreate-pods reset-then-reuse-values reset-values reuse-values",
        "i=install o=output",
        _SHARED,
    ),
}
"""The commands that run a post-renderer (none of them has an alias)."""

KEPT = frozenset(
    (
        *("namespace", "kubeconfig", "kube-context", "kube-token", "kube-as-user", "kube-as-group", "kube-apiserver"),
        *("kube-ca-file", "kube-tls-server-name", "kube-insecure-skip-tls-verify"),
        *("install", "generate-name", "name-template", "replace", "dry-run", "validate"),
        *("force", "force-replace", "force-conflicts", "take-ownership", "server-side"),
        *("atomic", "rollback-on-failure", "output"),
    )
)
"""The flags that matter to us. Of all others (``--set``, ``--password``) neither value nor name is kept."""


class CommandLine(Record, hidden=("arguments", "flags")):
    """The parsed arguments of a Helm command that renders a chart.

    ``command`` is install, upgrade or template, ``arguments`` what stands behind it beside flags. ``flags`` are the
    flags that matter, in order, by long name; the value is ``None`` where a flag stood alone. ``doubt`` says why
    ``arguments`` cannot be relied on, ``""`` where they can. Values are left out of ``repr``: they may be secret.
    """

    command: str
    arguments: tuple[str, ...]
    flags: tuple[tuple[str, str | None], ...]
    doubt: str = ""

    def values(self, *names: str) -> tuple[str | None, ...]:
        """The values of these flags in order; with pflag, the last one wins."""
        return tuple(value for name, value in self.flags if name in names)

    def switch(self, *names: str) -> bool:
        """True if a boolean flag is set."""
        values = self.values(*names)
        return bool(values) and parse_bool(values[-1]) is True


class Release(Record):
    """The release that a command line names, or why it names none.

    ``generated`` says that Helm makes up a new name, which nothing live can carry.
    """

    name: str | None
    generated: bool = False
    why_not: str = ""


def parse(arguments: Sequence[str], *, whole: bool = True) -> CommandLine | None:
    """Parse the arguments after Helm's own name; ``None`` if the command does not render a chart.

    Without ``whole`` the end of the command line is missing.
    """
    place = command_at(arguments)
    if place is None or arguments[place] not in COMMANDS:
        return None
    command = arguments[place]
    reader = _Reader(COMMANDS[command])
    reader.read([*arguments[:place], *arguments[place + 1 :]])
    doubt = "" if whole else "the end of Helm's command line cannot be read"
    if reader.doubtful:
        doubt = f"Helm's command line has flags that are not known here ({', '.join(reader.unknown)})"
    return CommandLine(command, tuple(reader.arguments), tuple(reader.flags), doubt)


def release(line: CommandLine) -> Release:
    """The release of a command line: ``NameAndChart`` (pkg/action/install.go), ``newUpgradeCmd`` (cmd/helm/upgrade.go).

    ``helm template`` starts with a name of its own (``newTemplateCmd``, cmd/helm/template.go), so that
    ``--generate-name`` changes nothing there.
    """
    template = (line.values("name-template") or (None,))[-1]
    if line.command == "install" and not template and line.switch("generate-name"):
        return Release(None, generated=True)
    if line.doubt:
        return Release(None, why_not=line.doubt)
    count = len(line.arguments)
    if count == 2:
        return Release(line.arguments[0])
    if count != 1 or line.command == "upgrade":
        return Release(None, why_not="Helm's command line does not have a release and a chart")
    if template:
        return Release(None, why_not="Helm's --name-template is computed") if "{{" in template else Release(template)
    if line.command == "template":
        return Release("release-name")
    return Release(None, why_not="Helm's command line names none")


def parse_bool(text: str | None) -> bool | None:
    """A flag's text as a boolean (``strconv.ParseBool``): ``None`` if it is not one; True for a flag without text."""
    if text in (None, "1", "t", "T", "true", "TRUE", "True"):
        return True
    return False if text in ("0", "f", "F", "false", "FALSE", "False") else None


def command_at(arguments: Sequence[str]) -> int | None:
    """The index of the first argument that is neither a flag nor a flag's value: ``Find`` and ``stripFlags`` of cobra.

    In front of the command a flag counts as taking the next argument unless it is one of the root command's that
    does not: the command's own flags are not known there.
    """
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument == "--":
            return None
        if not argument.startswith("-"):
            if argument:
                return index
        elif "=" not in argument and (argument.startswith("--") or len(argument) == 2):
            name = argument[2:] if argument.startswith("--") else ROOT.letters.get(argument[1:], "")
            index += ROOT.takes_next.get(name, True)
        index += 1
    return None


class _Reader:
    """One pass over the arguments: ``parseArgs``, ``parseLongArg`` and ``parseSingleShortArg`` of pflag."""

    def __init__(self, known: FlagSet) -> None:
        self.known = known
        self.rest: list[str] = []
        self.arguments: list[str] = []
        self.flags: list[tuple[str, str | None]] = []
        self.unknown: list[str] = []
        self.doubtful = False

    def read(self, arguments: Sequence[str]) -> None:
        self.rest = list(arguments)
        while self.rest:
            argument = self.rest.pop(0)
            if argument == "--":
                self.arguments += self.rest
                return
            if argument.startswith("--"):
                self._long(argument[2:])
            elif argument.startswith("-") and argument != "-":
                self._letters(argument[1:])
            else:
                self.arguments.append(argument)

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        takes_next = self.known.takes_next.get(name)
        if equals:
            self._keep(name, value)
        elif takes_next is None:
            self._unknown("--" + name)
        else:
            self._keep(name, self._next() if takes_next else None)

    def _letters(self, letters: str) -> None:
        while letters:
            letter, letters = letters[0], letters[1:]
            name = self.known.letters.get(letter)
            if name is None:
                self._unknown("-" + letter, joined=bool(letters))
                return
            if len(letters) > 1 and letters[0] == "=":
                self._keep(name, letters[1:])
                return
            if self.known.takes_next[name]:
                self._keep(name, letters or self._next())
                return
            self._keep(name, None)

    def _next(self) -> str | None:
        return self.rest.pop(0) if self.rest else None

    def _keep(self, name: str, value: str | None) -> None:
        if name in KEPT:
            self.flags.append((name, value))

    def _unknown(self, flag: str, *, joined: bool = False) -> None:
        """Note a flag that may have taken what comes next: letters joined to it, or an argument."""
        self.unknown.append(flag)
        if joined or (self.rest and not self.rest[0].startswith("-")):
            self.doubtful = True


_SECRET = frozenset(("--kube-token", "--password"))
_INSTALL_ONLY = frozenset(("--replace", "--generate-name", "-g"))
"""Flags that stand alone and that only ``helm install`` has (``newInstallCmd``, cmd/helm/install.go)."""
_NOT_TEMPLATE = frozenset(
    (
        *("--install", "-i", "--reuse-values", "--reset-values", "--reset-then-reuse-values", "--cleanup-on-fail"),
        *("--history-max", "--post-renderer", "--post-renderer-args"),
    )
)
"""Flags that helm template has not, and those of the post-renderer, which it is to print the input of."""
_NOT_PLANNED = frozenset(("--plan", "--first", "--then", "--report", "--no-report", "--no-upgrade"))
"""Flags of the filter and of postrender run that postrender plan has not."""
_HANDED_ON = "--post-renderer-args="
_WITHOUT = r"\.\.\. without (--\S+)"
_ELLIPSIS = (
    r"((?:\w+=\S+ )*(?:postrender run (?:.* )?-- )?)helm (?:(install|upgrade(?: --install)?|template) )?\.\.\."
    r"(?: without (--\S+))?(?: (-.*))?"
)
_PLANNED = r"(postrender (?:plan|snapshot)) \.\.\.(?: (-.*))?"


def pasteable(step: str, called: Sequence[str]) -> str:
    """A hint with ``helm ...``, ``postrender plan ...``, only flags of the filter, or ``AGAIN``, as a whole command.

    ``called`` is Helm's program, as it was typed, and its arguments, ``()`` if they are not known; passwords and tokens
    are left out. Any other hint comes back as it is.
    """
    import shlex  # A run that succeeds need not import it.

    if isinstance(step, Advice) or not called or command_at(called[1:]) is None:
        return step
    words = without_secrets(called[1:])
    if found := re.fullmatch(_WITHOUT, step):
        ours = f"{_HANDED_ON}{found[1]}"
        left = [word for word in words if word != ours and not word.startswith(f"{ours}=")]
        return with_command(step, shlex.join([called[0], *left]))
    if step == AGAIN:
        return with_command(step, shlex.join([called[0], *words]))
    if found := re.fullmatch(_ELLIPSIS, step):
        before, verb, without, added = found.groups()
        words = _without(words, {without, f"{without}-args"} if without else set())
        return with_command(step, before + _with_verb(called[0], words, verb) + (f" {added}" if added else ""))
    if found := re.fullmatch(_PLANNED, step):
        return with_command(step, f"{found[1]} {shlex.join(_as_planned(words))}" + (f" {found[2]}" if found[2] else ""))
    if step.startswith("--"):
        return with_command(step, shlex.join([called[0], *words, *_for_post_renderer(shlex.split(step))]))
    return step


def pasteable_in_run(step: str, called: Sequence[str], flags: Sequence[str]) -> str:
    """As ``pasteable``, for the Helm that ``postrender run`` runs: Helm's command behind the one of ours.

    ``flags`` are those of ``postrender run``. A run that is another one is not held to the plan of this one.
    """
    import shlex

    words = _without(called[1:], {"--post-renderer", "--post-renderer-args"})
    whole = pasteable(step, (*called[:1], *words, *_for_post_renderer(flags)))
    if isinstance(step, Advice) or whole == step:
        return step
    ours: list[str] = []
    helm: list[str] = []
    for word in shlex.split(whole):
        flag = word.removeprefix(_HANDED_ON)
        (helm if flag == word else ours).append(flag)
    place = command_at(helm[1:])
    if helm[0] != called[0] or place is None or helm[place + 1] == "template":
        return with_command(step, shlex.join(helm))
    if step.startswith("helm upgrade"):
        ours = [flag for flag in ours if not flag.startswith("--plan=")]
    return with_command(step, shlex.join(["postrender", "run", *ours, "--", *helm]))


def as_upgrade(arguments: Sequence[str]) -> list[str]:
    """The arguments of ``helm upgrade`` with the release, chart, values and flags of these of ``helm install``.

    Without the flags that only an installation has. Its ``--server-side`` is a switch, an upgrade's takes a word
    (``newInstallCmd`` and ``newUpgradeCmd``, pkg/cmd of Helm 4.3.1).
    """
    place = command_at(arguments)
    line = parse(arguments)
    assert place is not None
    assert line is not None
    name = release(line).name
    made = [*arguments[:place], "upgrade", *([name] if name and len(line.arguments) == 1 else [])]
    rest = list(arguments[place + 1 :])
    while rest:
        argument = rest.pop(0)
        if argument == "--name-template":
            rest[:1] = []
        elif argument == "--server-side":
            made.append("--server-side=true")
        elif argument.partition("=")[0] not in (*_INSTALL_ONLY, "--name-template"):
            made.append(argument)
    return made


def _with_verb(program: str, words: Sequence[str], verb: str | None) -> str:
    import shlex

    place = command_at(words)
    assert place is not None
    if verb == "template":
        words = _without([*words[:place], verb, *words[place + 1 :]], _NOT_TEMPLATE)
    elif verb and verb.split() != [words[place]]:
        flags = ["--install"] if verb.endswith(" --install") and not {"--install", "-i"} & {*words} else []
        words = [*(as_upgrade(words) if words[place] == "install" else words), *flags]
    return shlex.join([program, *words])


def _as_planned(words: Sequence[str]) -> list[str]:
    """The arguments of ``postrender plan`` for the same release: the filter's own flags are its flags."""
    place = command_at(words)
    assert place is not None
    ours = [
        value
        for word in words
        if (value := word.removeprefix(_HANDED_ON)) != word and value.partition("=")[0] not in _NOT_PLANNED
    ]
    rest = _without(
        [*words[:place], *words[place + 1 :]], {"--post-renderer", "--post-renderer-args", "--install", "-i"}
    )
    return [*rest, *ours]


def _for_post_renderer(flags: Sequence[str]) -> list[str]:
    """``--adopt orphans`` as Helm hands it on: ``--post-renderer-args=--adopt=orphans``."""
    passed: list[str] = []
    for word in flags:
        if word.startswith("-") or not passed:
            passed.append(f"{_HANDED_ON}{word}")
        else:
            passed[-1] += f"={word}"
    return passed


def without_secrets(words: Sequence[str]) -> list[str]:
    """Helm's arguments without passwords and tokens, and without the value of a flag that no Helm is known to have."""
    known = {f"--{name}" for command in COMMANDS.values() for name in command.takes_next}
    parts = [word.partition("=") for word in _without(words, _SECRET)]
    return [
        f"{name}=..." if equals and name.startswith("--") and name not in known else f"{name}{equals}{value}"
        for name, equals, value in parts
    ]


def _without(words: Sequence[str], flags: Set[str]) -> list[str]:
    """A command line without some flags, nor their values."""
    kept: list[str] = []
    left = list(reversed(words))
    while left:
        word = left.pop()
        name, assigned, _ = word.partition("=")
        if name not in flags:
            kept.append(word)
        elif not assigned and COMMANDS["install"].takes_next.get(name.removeprefix("--")) and left:
            left.pop()
    return kept
