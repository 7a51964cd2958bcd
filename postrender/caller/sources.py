"""Which of several sources a setting is taken from.

A flag of ours wins over a ``POSTRENDER_`` variable, that over the calling Helm's command line, and that over the
variables which Helm itself reads (where Helm's own flag wins too: ``AddFlags``, pkg/cli/environment.go).
"""

from __future__ import annotations

from collections.abc import Mapping

from postrender.caller.commandline import parse_bool
from postrender.caller.helm import Helm
from postrender.caller.options import Flags, Setting
from postrender.caller.said import located, said
from postrender.caller.values import Value, from_text, split
from postrender.record import Record

DEFAULT = "default"


class Told(Record, hidden=("value",)):
    """A setting's value and where it came from; no value where nobody told one.

    ``by_user`` says that we were told, by flag or variable. The value is left out of ``repr``: one is a token.
    """

    value: Value | None = None
    origin: str = DEFAULT
    by_user: bool = False

    @property
    def text(self) -> str | None:
        """The value of a text; ``None`` for an empty one too: Helm takes that for not given."""
        return self.value if isinstance(self.value, str) and self.value else None

    @property
    def on(self) -> bool:
        """The value of a switch; off where nobody told."""
        return self.value is True

    @property
    def many(self) -> tuple[str, ...]:
        """The values of a list."""
        return self.value if isinstance(self.value, tuple) else ()


class Sources(Record, hidden=("environ", "helm_environ")):
    """Everything that may tell a setting.

    ``folder`` and ``helm_environ`` are those that the calling Helm runs in; where no Helm called, the environment is
    ours, since a Helm in the same shell would read it.
    """

    flags: Flags
    environ: Mapping[str, str]
    helm: Helm | None
    folder: str
    helm_environ: Mapping[str, str]

    def tell(self, setting: Setting) -> Told:
        """Ask every source in turn; raises UsageError for a value that makes no sense."""
        given = getattr(self.flags, setting.name)
        if given not in (None, ()):
            value = from_text(setting, given, setting.flags[0]) if isinstance(given, str) else given
            return Told(value, setting.flags[0], by_user=True)
        text = self.environ.get(setting.variable, "")
        if text:
            return Told(from_text(setting, text, setting.variable), setting.variable, by_user=True)
        return self.as_helm(setting)

    def as_helm(self, setting: Setting) -> Told:
        """Ask only what Helm itself goes by: its command line, then its variables; raises UsageError."""
        if self.helm:
            value = said(setting, self.helm.line, self.folder)
            if value is not None:
                checked = from_text(setting, value, self.helm.origin) if value and isinstance(value, str) else value
                return Told(checked, self.helm.origin)
        name = setting.helm_variable
        text = self.helm_environ.get(name, "") if name else ""
        if not text:
            return Told()
        if setting.kind == "bool":
            # What is no boolean counts as not given: envBoolOr, pkg/cli/environment.go.
            on = parse_bool(text)
            return Told() if on is None else Told(on, name)
        if setting.kind == "list":
            return Told(split(text), name)
        return Told(located(text, self.folder) if setting.path else from_text(setting, text, name), name)
