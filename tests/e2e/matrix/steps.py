"""What a scenario is made of: objects, steps, and the one run of Helm that is looked at. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import NEWEST_TESTED, HelmVersion, behaviour_of
from postrender.models import ReleaseName
from postrender.planner.policy import Adopt, OnDrift, Policy
from tests.e2e.api import Object
from tests.e2e.charts import manifest
from tests.e2e.kinds import Kind

OTHER = "other"
"""As ``Thing.namespace``: a second namespace beside the release's."""


@dataclass(frozen=True, slots=True)
class Column:
    """One Helm, in one way to apply: ``3.12.3``, ``4.3.1`` (server-side, its default) or ``4.3.1 client-side``."""

    version: str
    client_side: bool = False

    @property
    def helm(self) -> HelmVersion:
        found = HelmVersion.parse(self.version)
        assert found is not None
        return found

    @property
    def server_side(self) -> bool:
        """Whether a new release is applied server-side."""
        return behaviour_of(self.helm).server_side and not self.client_side

    def __str__(self) -> str:
        return f"{self.version} client-side" if self.client_side else self.version

    @classmethod
    def parse(cls, text: str) -> Column:
        """The reverse of ``str``."""
        version, _, way = text.partition(" ")
        return cls(version, way == "client-side")


_HELM_3 = ("3.9.4", "3.12.3", "3.16.4", "3.17.0", "3.17.1", "3.18.6", "3.21.4", str(NEWEST_TESTED[3]))
_HELM_4 = ("4.0.0", "4.1.0", str(NEWEST_TESTED[4]))
COLUMNS = tuple(map(Column.parse, (*_HELM_3, *_HELM_4, *(f"{version} client-side" for version in _HELM_4))))


class Flag(Enum):
    """A flag by what it means; how it is spelled depends on the Helm."""

    FORCE = "--force"
    TAKE_OWNERSHIP = "--take-ownership"
    FORCE_CONFLICTS = "--force-conflicts"
    ATOMIC = "--atomic"
    REPLACE = "--replace"

    def exists(self, column: Column, action: Action) -> bool:
        """Whether that Helm has it and heeds it; Helm 4 replaces only client-side."""
        if self is Flag.FORCE:
            heeded = action is Action.UPGRADE or behaviour_of(column.helm).force_on_adoption
            return heeded and not column.server_side
        if self is Flag.TAKE_OWNERSHIP:
            return behaviour_of(column.helm).take_ownership
        if self in (Flag.ATOMIC, Flag.REPLACE):
            return True
        return column.server_side

    def spelled(self, column: Column) -> str:
        """What is typed."""
        newer = {Flag.FORCE: "--force-replace", Flag.ATOMIC: "--rollback-on-failure"}
        return newer.get(self, self.value) if column.helm.major >= 4 else self.value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scenario is played: the release's namespace and the one beside it."""

    namespace: str

    def of(self, kind: Kind, namespace: str) -> str:
        """The real namespace of an object, ``""`` for a cluster-scoped one."""
        if not kind.namespaced:
            return ""
        return f"{self.namespace}-{namespace}" if namespace else self.namespace


@dataclass(frozen=True, slots=True)
class Ref:
    """One object, wherever it is played; cluster-scoped ones get a name of their own in each place."""

    kind: Kind
    name: str
    namespace: str = ""

    def path(self, place: Place) -> str:
        """The exact path on the server."""
        return self.kind.path(place.of(self.kind, self.namespace), self.real_name(place))

    def real_name(self, place: Place) -> str:
        """The name there."""
        return self.name if self.kind.namespaced else f"{place.namespace}-{self.name}"

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind.kind}.{self.kind.version}.{self.kind.group} {where}{self.name}"


@dataclass(frozen=True)
class Thing:
    """One object of a chart. ``more`` are further fields of its metadata, such as an exported object's."""

    kind: Kind
    content: Any = None
    name: str = "shirt"
    keep: bool | str = False
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.name, self.namespace)

    @property
    def hook(self) -> bool:
        """Whether Helm runs it apart."""
        return "helm.sh/hook" in self.annotations

    def manifest(self, place: Place) -> Object:
        """The manifest as the chart has it."""
        made = manifest(
            self.kind,
            self.ref.real_name(place),
            self.content,
            keep=self.keep,
            labels=self.labels,
            annotations=self.annotations,
            namespace=place.of(self.kind, self.namespace) if self.namespace else "",
        )
        made["metadata"].update(self.more)
        return made


@dataclass(frozen=True)
class Run:
    """One install or upgrade of a release from a chart of these objects, which Helm applies in this order.

    ``helm`` is the version of a Helm before the column's that makes it, ``""`` for the column's own.
    """

    action: Action
    things: tuple[Thing, ...]
    release: str = "r"
    flags: tuple[Flag, ...] = ()
    may_fail: bool = False
    helm: str = ""

    def exists(self, column: Column) -> bool:
        """Whether that Helm has all the flags."""
        return all(flag.exists(column, self.action) for flag in self.flags)

    def typed(self, column: Column) -> list[str]:
        """The flags as they are typed."""
        way = ["--server-side=false"] if column.client_side else []
        if self.action is Action.UPGRADE_INSTALL:
            way.append("--install")
        return [*(flag.spelled(column) for flag in self.flags), *way]

    def invocation(self, column: Column, place: Place) -> Invocation:
        """The run as the model takes it."""
        return Invocation(
            helm=column.helm,
            action=self.action,
            release=ReleaseName(place.namespace, self.release),
            force=Flag.FORCE in self.flags,
            force_conflicts=Flag.FORCE_CONFLICTS in self.flags,
            take_ownership=Flag.TAKE_OWNERSHIP in self.flags,
            atomic=Flag.ATOMIC in self.flags,
            replace=Flag.REPLACE in self.flags,
            server_side="false" if column.client_side else "auto",
        )

    @property
    def later(self) -> Run:
        """The ``helm upgrade`` with the same chart that follows."""
        return replace(self, action=Action.UPGRADE, flags=())


@dataclass(frozen=True)
class Uninstall:
    """``helm uninstall``, with ``--keep-history`` where the release is to be remembered."""

    release: str = "r"
    keep_history: bool = False


@dataclass(frozen=True)
class Applied:
    """Somebody makes the object with ``kubectl apply``."""

    thing: Thing


@dataclass(frozen=True)
class Touched:
    """Somebody else, as a field manager of their own, sends a merge patch."""

    ref: Ref
    patch: Mapping[str, Any]


@dataclass(frozen=True)
class Deleted:
    """Somebody deletes the object; with ``finalizer`` it stays, being deleted."""

    ref: Ref
    finalizer: bool = False


Step: TypeAlias = Run | Uninstall | Applied | Touched | Deleted


@dataclass(frozen=True)
class Scenario:
    """A start, made by steps, and the run of Helm that is looked at.

    ``adopt`` is what the filter may stamp, ``on_drift`` what it does where Helm would not apply the chart.
    ``since`` is the first Helm it is for.
    """

    name: str
    about: str
    before: tuple[Step, ...]
    run: Run
    adopt: tuple[Adopt, ...] = ()
    on_drift: OnDrift = OnDrift.STORE
    since: HelmVersion | None = None

    def exists(self, column: Column) -> bool:
        """Whether that Helm has all the flags."""
        steps = [step for step in (*self.before, self.run) if isinstance(step, Run)]
        return (self.since is None or column.helm >= self.since) and all(step.exists(column) for step in steps)

    @property
    def policy(self) -> Policy:
        """What the filter is told."""
        return Policy(adopt=frozenset(self.adopt), on_drift=self.on_drift)

    @property
    def random(self) -> bool:
        """Whether it was drawn: its name is ``SEED:NUMBER``."""
        return ":" in self.name

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Every object that any step names, each once."""
        found: dict[Ref, None] = {}
        for step in (*self.before, self.run):
            if isinstance(step, Run):
                found.update(dict.fromkeys(thing.ref for thing in step.things))
            elif isinstance(step, Applied):
                found[step.thing.ref] = None
            elif isinstance(step, (Touched, Deleted)):
                found[step.ref] = None
        return tuple(found)


def install(*things: Thing, release: str = "r", flags: tuple[Flag, ...] = (), may_fail: bool = False) -> Run:
    """``helm install``."""
    return Run(Action.INSTALL, things, release, flags, may_fail)


def upgrade(*things: Thing, release: str = "r", flags: tuple[Flag, ...] = (), may_fail: bool = False) -> Run:
    """``helm upgrade``."""
    return Run(Action.UPGRADE, things, release, flags, may_fail)


def reinstall(*things: Thing, release: str = "r") -> tuple[Step, ...]:
    """Installed and uninstalled: what is kept stays."""
    return (install(*things, release=release), Uninstall(release))
