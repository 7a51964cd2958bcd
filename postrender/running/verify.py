"""What a release stored, held against what is live."""

from __future__ import annotations

from postrender import manifest as manifests
from postrender.cluster import Cluster
from postrender.errors import ClusterError
from postrender.helm import patch
from postrender.helm.objects import built
from postrender.identity import ObjectKey, Resource, object_name
from postrender.live import Found, Json, LiveObject, ReleaseName, Unknown
from postrender.manifest import Manifest, ObjectRef
from postrender.plan.judge import comparable
from postrender.record import Record
from postrender.source import Wanted
from postrender.trial import Accepted, Trial, Verb


class Difference(Record):
    """An object that is not live as it is stored: the paths, none where it is not live at all."""

    name: str
    paths: tuple[str, ...]


class Verified(Record):
    """How many objects are stored, and which of them are live in another way."""

    count: int
    differences: tuple[Difference, ...]


def verified(cluster: Cluster, release: ReleaseName, text: str) -> Verified:
    """The stored manifest against the cluster: is there a field that it names and that is not live so?

    What only looks different (a quantity or a default that the server writes in its own way) is told apart by asking
    the server, as a dry run, whether bringing it there would change anything. Raises ClusterError, ManifestError.
    """
    manifest = manifests.read(text.encode())
    stored = _Stored(cluster, release, manifest)
    answers = cluster.observe([wanted for _, wanted in stored.wanted])
    found: list[Difference] = []
    doubtful: list[tuple[Trial, LiveObject]] = []
    for (ref, wanted), answer in zip(stored.wanted, answers, strict=True):
        if isinstance(answer, Unknown):
            raise ClusterError(answer.reason, where=object_name(wanted.resource, wanted.key), next=answer.next)
        if not isinstance(answer, Found):
            found.append(Difference(object_name(wanted.resource, wanted.key), ()))
            continue
        trial = _trial(wanted, built(ref.gvk, wanted.key, manifest.value(ref)).body, answer.live)
        if trial is not None:
            doubtful.append((trial, answer.live))
    tried = cluster.attempt([trial for trial, _ in doubtful])
    for (trial, live), said in zip(doubtful, tried, strict=True):
        after = said.live if isinstance(said, Accepted) else patch.apply_merge_patch(live.body, trial.body)
        paths = patch.differs(comparable(live.body), comparable(after))
        if paths:
            found.append(Difference(trial.name, tuple(".".join(path) for path in paths)))
    return Verified(len(manifest.objects), tuple(found))


class _Stored:
    """The objects of a stored manifest that can be looked up, each with where it is."""

    def __init__(self, cluster: Cluster, release: ReleaseName, manifest: Manifest) -> None:
        served = cluster.resources({ref.gvk for ref in manifest.objects})
        self.wanted: list[tuple[ObjectRef, Wanted]] = []
        for ref in manifest.objects:
            resource = served[ref.gvk]
            if isinstance(resource, Resource) and ref.name:
                namespace = (ref.namespace or release.namespace) if resource.namespaced else ""
                self.wanted.append((ref, Wanted(resource, namespace, ref.name, body=True)))


def _trial(wanted: Wanted, stored: Json, live: LiveObject) -> Trial | None:
    """What would bring the live object to what is stored; ``None`` where nothing would have to be done."""
    gvk = wanted.resource.gvk
    key = ObjectKey(gvk.group_kind, wanted.namespace, wanted.name)
    strategic = patch.patch_type(gvk) is patch.PatchType.STRATEGIC
    try:
        if strategic:
            body = patch.strategic_three_way(stored, stored, live.body, gvk)
        else:
            body = patch.three_way_merge_patch(stored, stored, live.body)
    except patch.PatchError:
        return None
    return Trial(Verb.STRATEGIC if strategic else Verb.MERGE, wanted.resource, key, body) if body else None
