"""Whether the filter could work here: what this machine and this caller have, check by check. Nothing is written."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum

from postrender import manifest
from postrender._record import Record
from postrender.cluster.client import Cluster
from postrender.cluster.discovery import AccessRule
from postrender.errors import ClusterError, PostrenderError, Refused, UsageError
from postrender.helm import binary, plugin
from postrender.helm.binary import HelmBinary
from postrender.helm.plugin import claims
from postrender.helm.storage import CONFIGMAPS, SECRETS, storage
from postrender.helm.versions import NEWEST_TESTED, HelmVersion, Matching, behaviour_of
from postrender.models import GroupVersionKind, Resource, Unknown
from postrender.operations import state_files
from postrender.settings import Caller
from postrender.settings.connection import reached
from postrender.text import Advice


class State(Enum):
    """How a check came out; ``FAILED`` means that the filter could not work."""

    OK = "good"
    WARNING = "warning"
    FAILED = "bad"


class Check(Record):
    """One thing that was looked at.

    ``found`` are sentences without a full stop, ``next`` what to type where something is amiss, ``code`` the exit code
    that the filter would end with.
    """

    name: str
    state: State
    found: tuple[str, ...]
    next: tuple[str, ...] = ()
    code: int = 0


class DoctorOptions(Record):
    """What is checked.

    ``version`` is ours, ``helm`` a name or a path (``None``: the Helm that called, else the one on PATH), ``kinds``
    those of a stream (none: any). ``writes`` is set if live objects may be written (``--adopt``, ``--on-drift
    apply``), ``offline`` if no cluster is contacted.
    """

    version: str
    helm: str | None
    kinds: tuple[GroupVersionKind, ...] = ()
    writes: bool = False
    offline: bool = False


def checks(options: DoctorOptions, caller: Caller, environ: Mapping[str, str]) -> Iterator[Check]:
    """Every check, in the order in which they are shown."""
    yield _python(options.version, environ)
    named = options.helm or (caller.parent.exe if caller.parent else None)
    try:
        helm = binary.locate(named, environ)
    except UsageError as error:
        yield Check("Helm", State.FAILED, (f"{error.where}: {error.cause}",), error.next, error.exit_code)
    else:
        yield _helm(helm)
        yield _plugin(helm, environ)
    if options.offline:
        yield Check("cluster", State.OK, ("none is asked (--offline)",))
        return
    yield from _cluster(options, caller)


def _python(version: str, environ: Mapping[str, str]) -> Check:
    found = (
        f"postrender {version}, Python {platform.python_version()}, reports in {state_files.folder(environ)}/reports"
    )
    if manifest.LIBYAML:
        return Check("program", State.OK, (found, "PyYAML has libyaml"))
    slow = "PyYAML was built without libyaml, so reading is slow"
    return Check("program", State.WARNING, (found, slow), ("pip install --force-reinstall pyyaml",))


def _helm(helm: HelmBinary) -> Check:
    version = helm.version
    head = f"{version} ({helm.path})"
    newest = NEWEST_TESTED.get(version.major)
    if newest is None:
        known = " and ".join(str(each) for each in NEWEST_TESTED.values())
        return Check("Helm", State.FAILED, (f"{head} is not supported (tested up to {known})",), (), Refused.exit_code)
    wrong = tuple(f"{flaw.text} ({', '.join(flaw.codes)})" for flaw in known_issues(version))
    if version > newest:
        return Check("Helm", State.WARNING, (f"{head}, newer than {newest}, which it is taken to behave like", *wrong))
    return Check("Helm", State.OK, (head, *wrong))


def _plugin(helm: HelmBinary, environ: Mapping[str, str]) -> Check:
    if helm.version.major < 4:
        place = shutil.which(plugin.NAME, path=environ.get("PATH"))
        if place:
            return Check("plugin", State.OK, (f"none is needed; --post-renderer {plugin.NAME} is {place}",))
        return Check(
            "plugin",
            State.WARNING,
            (f"none is needed, but {plugin.NAME} is not on PATH: give --post-renderer its path",),
        )
    again = "postrender helm-plugin install"
    try:
        folders = binary.plugin_folders(helm, environ)
    except UsageError as error:
        return Check("plugin", State.FAILED, (f"{error.where}: {error.cause}",), error.next, error.exit_code)
    place = os.path.join(folders[0], plugin.NAME)
    found, others = plugin.read(place), claims(folders, place)
    if others:
        details = f"{others[0]} claims the name {plugin.NAME}, and was not written by postrender helm-plugin"
        return Check("plugin", State.FAILED, (details,), ("postrender helm-plugin status",), Refused.exit_code)
    answer = binary.run(helm, ["plugin", "list"], environ)
    if answer.code:
        details = f"Helm cannot load its plugins: {' '.join(answer.stderr.split())}"
        return Check("plugin", State.FAILED, (details,), (f"{helm.path} plugin list",), Refused.exit_code)
    if found is None:
        return Check("plugin", State.FAILED, (f"none in {folders[0]}",), (again,), Refused.exit_code)
    if not found.works:
        details = f"{place} runs {found.program or 'nothing'}, which is gone"
        return Check("plugin", State.FAILED, (details,), (again,), Refused.exit_code)
    return Check("plugin", State.OK, (f"{place}, running {found.program}",))


def _cluster(options: DoctorOptions, caller: Caller) -> Iterator[Check]:
    try:
        cluster = reached(caller)
    except PostrenderError as error:
        where = f"{error.where}: " if error.where else ""
        yield Check("cluster", State.FAILED, (f"{where}{error.cause}",), error.next, error.exit_code)
        return
    kept = storage(caller.invocation.driver)
    kinds = {*options.kinds, *(() if isinstance(kept, Unknown) else (kept.resource.gvk,))}
    served = cluster.resolve_kinds(kinds)
    unknown = next((answer for answer in served.values() if isinstance(answer, Unknown)), None)
    if unknown is not None:
        details = (cluster.description, unknown.reason)
        yield Check("cluster", State.FAILED, details, unknown.next, ClusterError.exit_code)
        return
    version = cluster.capabilities().version
    yield Check("cluster", State.OK, (f"{cluster.description}, Kubernetes {version or 'of unknown version'}",))
    if isinstance(kept, Unknown):
        yield Check("rights", State.FAILED, (kept.reason,), kept.next, ClusterError.exit_code)
        return
    namespace = caller.namespace or ""
    resources = [answer for gvk, answer in served.items() if gvk in options.kinds and isinstance(answer, Resource)]
    needed = list(dict.fromkeys(_needed(kept.resource, resources, namespace, options)))
    useful = [right for right in dict.fromkeys(_useful(resources, namespace, options)) if right not in needed]
    yield _rights(cluster, namespace, needed, useful)


def _needed(
    kept: Resource, resources: Iterable[Resource], namespace: str, options: DoctorOptions
) -> Iterator[AccessRule]:
    """Those to read what releases stored, to read every object of the stream, and to write it where that is allowed."""
    for verb in ("list", "get"):
        yield AccessRule(verb, kept.gvk.group, kept.plural, namespace)
    verbs = ("get", "patch") if options.writes else ("get",)
    for resource in sorted(resources, key=lambda each: each.qualified):
        for verb in verbs:
            yield AccessRule(verb, resource.gvk.group, resource.plural, namespace if resource.namespaced else "")
    if not options.kinds:
        yield from (AccessRule(verb, "*", "*", namespace) for verb in verbs)
    if options.writes:
        # An owner may be stored through either driver.
        yield from (AccessRule("list", "", each.resource.plural, namespace) for each in (SECRETS, CONFIGMAPS))


def _useful(resources: Iterable[Resource], namespace: str, options: DoctorOptions) -> Iterator[AccessRule]:
    """Those that only some runs need: to read other releases' manifests, and to try what a fresh object would be."""
    if options.writes:
        yield from (AccessRule("get", "", each.resource.plural, namespace) for each in (SECRETS, CONFIGMAPS))
    for resource in sorted(resources, key=lambda each: each.qualified):
        yield AccessRule("create", resource.gvk.group, resource.plural, namespace if resource.namespaced else "")


def _rights(cluster: Cluster, namespace: str, needed: Sequence[AccessRule], useful: Sequence[AccessRule]) -> Check:
    rights = [*needed, *useful]
    answers = dict(zip(rights, cluster.can_i(rights), strict=True))
    where = f"in namespace {namespace}" if namespace else "everywhere"
    unknown = next((answer for answer in answers.values() if isinstance(answer, Unknown)), None)
    if unknown is not None:
        return Check("rights", State.FAILED, (unknown.reason,), unknown.next, ClusterError.exit_code)
    have = ", ".join(str(right) for right, answer in answers.items() if answer)
    lack = [right for right in needed if not answers[right]]
    missed = [right for right in useful if not answers[right]]
    found: tuple[str, ...] = (f"{where}: {have or 'none of those that are needed'}",)
    if missed:
        found = (*found, *_missed(missed))
    if not lack:
        return Check("rights", State.WARNING if missed else State.OK, found, _asked(cluster, missed))
    details = (*found, f"lacking: {', '.join(map(str, lack))}")
    if all(right.plural == "*" for right in lack):
        return Check(
            "rights",
            State.WARNING,
            details,
            (Advice("to check only the kinds of your manifests, add -f with a file that helm template wrote"),),
        )
    return Check("rights", State.FAILED, details, _asked(cluster, lack), ClusterError.exit_code)


def _missed(rights: Sequence[AccessRule]) -> Iterator[str]:
    """What lacks without them."""
    reads = [str(right) for right in rights if right.verb == "get"]
    creates = [str(right) for right in rights if right.verb == "create"]
    if reads:
        yield f"lacking: {', '.join(reads)}; nothing is adopted if other releases are stored there"
    if creates:
        yield f"lacking: {', '.join(creates)} (dry runs only); fields of an older chart may stay live (PR314)"


def _asked(cluster: Cluster, rights: Sequence[AccessRule]) -> tuple[str, ...]:
    """How to ask for the first of them."""
    steps = [
        cluster.kubectl(
            f"auth can-i {right.verb} {right.plural}{'.' if right.group else ''}{right.group}", right.namespace
        )
        for right in rights
        if right.plural != "*"
    ]
    return tuple(steps[:3])


class Flaw(Record):
    """One sentence without a full stop, and the codes by which the filter fixes, refuses or reports it."""

    text: str
    codes: tuple[str, ...]


def known_issues(helm: HelmVersion) -> tuple[Flaw, ...]:
    """What that Helm does wrong as it is usually called; the worst first."""
    behaviour = behaviour_of(helm)
    found = []
    if behaviour.matching is Matching.KIND:
        found.append(
            Flaw(
                "confuses objects of one Kind and name in two API groups: reinstalling kept ones fails, and upgrades "
                "leave fields and objects behind",
                ("PR202", "PR205", "PR401"),
            )
        )
    else:
        moved = "group" if behaviour.matching is Matching.GROUP_KIND else "group or version"
        found.append(Flaw(f"deletes an object whose {moved} changes in the chart", ("PR402",)))
    if behaviour.server_side and not behaviour.adopts_copies:
        found.append(Flaw("cannot adopt anything server-side", ("PR304",)))
    if not behaviour.server_side:
        found.append(Flaw("adopts a kept custom resource without applying the chart to it", ("PR301",)))
    else:
        found.append(
            Flaw("with --server-side=false, adopts a custom resource without applying the chart to it", ("PR301",))
        )
    found.append(Flaw("does not adopt objects of other releases, and reports only the first", ("PR102", "PR103")))
    found.append(Flaw("accepts a misspelled `keep` in uninstall, not in upgrade", ("PR403",)))
    return tuple(found)
