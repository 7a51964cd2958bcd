"""Which of several sources a setting is taken from.

A flag of ours wins over a ``POSTRENDER_`` variable, that over the calling Helm's command line, and that over the
variables which Helm itself reads (where Helm's own flag wins too: ``AddFlags``, pkg/cli/environment.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from postrender.caller.commandline import parse_bool
from postrender.caller.helm import Helm
from postrender.caller.options import Flags, Setting
from postrender.caller.said import said
from postrender.caller.values import Value, from_text, split

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Told:
    """A setting's value and where it came from; no value where nobody told one.

    ``by_user`` says that we were told, by flag or variable; ``helm_said`` is what the calling Helm's command line says
    about the same. Values are left out of ``repr``: one of them is a token.
    """

    value: Value | None = field(default=None, repr=False)
    origin: str = DEFAULT
    by_user: bool = False
    helm_said: Value | None = field(default=None, repr=False)

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


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that may tell a setting, the calling Helm with the folder and environment it runs in included."""

    flags: Flags
    environ: Mapping[str, str] = field(repr=False)
    helm: Helm | None = None
    folder: str = ""
    helm_environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def tell(self, setting: Setting) -> Told:
        """Ask every source in turn; raises UsageError for a value that makes no sense."""
        spoken = said(setting, self.helm.line, self.folder) if self.helm else None
        given = getattr(self.flags, setting.name)
        if given not in (None, ()):
            value = from_text(setting, given, setting.flags[0]) if isinstance(given, str) else given
            return Told(value, setting.flags[0], by_user=True, helm_said=spoken)
        text = self.environ.get(setting.variable, "")
        if text:
            value = from_text(setting, text, setting.variable)
            return Told(value, setting.variable, by_user=True, helm_said=spoken)
        if self.helm and spoken is not None:
            return Told(spoken, self.helm.origin, helm_said=spoken)
        return self._from_helms_variable(setting)

    def _from_helms_variable(self, setting: Setting) -> Told:
        name = setting.helm_variable
        text = self.helm_environ.get(name, "") if name else ""
        if not text:
            return Told()
        if setting.kind == "bool":
            # What is no boolean counts as not given: envBoolOr, pkg/cli/environment.go.
            value = parse_bool(text)
            return Told() if value is None else Told(value, name)
        return Told(split(text) if setting.kind == "list" else from_text(setting, text, name), name)
