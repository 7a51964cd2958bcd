"""What a version of Helm does wrong to objects that are there already, told from its ways: ``postrender doctor``."""

from __future__ import annotations

from postrender._record import Record
from postrender.helm.versions import HelmVersion, Matching, behaviour_of


class Flaw(Record):
    """One sentence without a full stop, and the codes under which the filter cures, refuses or tells it."""

    text: str
    codes: tuple[str, ...]


def flaws(helm: HelmVersion) -> tuple[Flaw, ...]:
    """What that Helm does wrong as it is usually called; the worst first."""
    behaviour = behaviour_of(helm)
    found = []
    if behaviour.matching is Matching.KIND:
        found.append(
            Flaw(
                "takes objects of one Kind and name in two groups for one: kept ones cannot be reinstalled, upgrades "
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
    found.append(Flaw("imports nothing that another release left, and stops at the first", ("PR102", "PR103")))
    found.append(Flaw("takes a misspelled resource policy for keep in an uninstall only", ("PR403",)))
    return tuple(found)
