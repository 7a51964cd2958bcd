"""What one ``Update`` of Helm's client sends, object by object, and what is live after it.

Follows ``update`` and ``updateResource``/``createPatch`` (pkg/kube/client.go, 3.2 to 4.3) for the client-side path:
every target in stream order is looked up among the originals (``ResourceList.Get``), and patched with the difference
between that original and the target. Where an object is adopted, Helm puts the very same entry on both lists, so an
entry that was already visited holds the live object, ``resourceVersion`` and all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from postrender._record import Record
from postrender.helm import api_server, patch
from postrender.helm.objects import ManifestObject, first_matches, identity, no_original
from postrender.helm.versions import HelmVersion, Matching, behaviour_of
from postrender.models import SECRET, GroupVersionKind, Json, ObjectKey


class Request(Enum):
    """What Helm sends for one object."""

    NOTHING = "nothing"
    CREATE = "create"
    PATCH = "patch"
    REPLACE = "replace"
    APPLY = "apply"
    DELETE = "delete"


class Prediction(Record):
    """Helm's effect on one object.

    ``patch`` is the body Helm sends with a patch, ``live`` what is there afterwards (as far as Helm decides it: no
    defaulting, no admission), ``error`` the API server's or Helm's objection, ``""`` for none.
    ``resource_version_error`` says that the objection is one about ``metadata.resourceVersion``, which a pin can
    answer. Errors of updates are collected; ``aborts_run`` says that Helm goes no further at this one.
    """

    request: Request
    live: Json
    patch: Json = None
    error: str = ""
    resource_version_error: bool = False
    aborts_run: bool = False


class Update(Record):
    """The input of one call of Helm's ``Update``.

    ``stored`` are the objects of the release that is upgraded from (none for an install), in their order; ``adopted``
    the indices of the targets that are put behind them because they are live already; ``live`` the bodies of what is
    live before the run. ``shared`` as ``not Behaviour.adopts_copies``.
    """

    targets: Sequence[ManifestObject]
    stored: Sequence[ManifestObject]
    adopted: Sequence[int]
    live: Mapping[ObjectKey, Json]
    helm: HelmVersion
    matching: Matching
    shared: bool = True
    force: bool = False
    three_way: bool = False
    status_apart: frozenset[GroupVersionKind] = frozenset()


def simulate(update: Update) -> tuple[Prediction, ...]:
    """Helm's effect on each target, in order.

    Helm collects the errors of patches and goes on, so an error of one object does not end the others here either.
    In an install or upgrade whatever is live is stored or adopted, so that every live target has an original; a
    rollback may find one that has none, and so does a stream that has one object twice.
    """
    order = [*update.stored, *(update.targets[index] for index in update.adopted)]
    found = first_matches(identity(update.matching, entry.gvk, entry.key) for entry in order)
    now = [entry.removable for entry in update.targets]
    live_objects = dict(update.live)
    answers: list[Prediction] = []
    for index, target in enumerate(update.targets):
        live = live_objects.get(target.key)
        if live is None:
            made = api_server.drop_empty_data(target.gvk, target.body)
            live_objects[target.key] = _written(made)
            answers.append(Prediction(Request.CREATE, made))
            continue
        match = found.get(identity(update.matching, target.gvk, target.key))
        if match is None and not behaviour_of(update.helm).updates_from_live:
            answers.append(
                Prediction(Request.NOTHING, live, error=no_original(update.helm, target.key), aborts_run=True)
            )
            continue
        original = live if match is None else _original(update, match, now)
        answer = _one(update, target, original, live)
        if not answer.error:
            now[index] = answer.live
            live_objects[target.key] = answer.live if answer.request is Request.NOTHING else _written(answer.live)
        answers.append(answer)
    return tuple(answers)


def _written(live: Json) -> Json:
    """The object once it was written: it has a version, and none that was known before."""
    return {**live, "metadata": {**(live.get("metadata") or {}), "resourceVersion": "written"}}


def _original(update: Update, match: int, now: list[Json]) -> Json:
    if match < len(update.stored):
        return update.stored[match].removable
    target = update.adopted[match - len(update.stored)]
    return now[target] if update.shared else update.targets[target].removable


def _one(update: Update, target: ManifestObject, original: Json, live: Json) -> Prediction:
    status_apart = target.gvk in update.status_apart
    if update.force:
        return Prediction(
            Request.REPLACE, api_server.preserve_server_fields(target.gvk, live, target.body, status_apart=status_apart)
        )
    try:
        difference = _difference(update, target, original, live)
    except patch.PatchError as error:
        return Prediction(Request.NOTHING, live, error=f"failed to create patch: {_reason(error, target, live)}")
    if not difference:
        return Prediction(Request.NOTHING, live)
    refused = f'cannot patch "{target.key.name}" with kind {target.gvk.kind}: '
    try:
        after = _applied(update, target, difference, live)
    except patch.PatchError as error:
        return Prediction(Request.PATCH, live, difference, refused + _reason(error, target, live))
    stale = api_server.resource_version_error(target.gvk, live, after)
    if stale:
        return Prediction(Request.PATCH, live, difference, refused + stale, resource_version_error=True)
    return Prediction(
        Request.PATCH, api_server.preserve_server_fields(target.gvk, live, after, status_apart=status_apart), difference
    )


def _reason(error: patch.PatchError, target: ManifestObject, live: Json) -> str:
    """The objection; where it quotes what a Secret holds, as Go's do, without that."""
    if target.key.group_kind != SECRET:
        return str(error)
    from postrender.redact import scrubbed, values

    return scrubbed(str(error), values(target.body, SECRET) | values(live, SECRET))


def _strategic(update: Update, target: ManifestObject) -> bool:
    return patch.patch_type(target.gvk, update.helm) is patch.PatchType.STRATEGIC


def _difference(update: Update, target: ManifestObject, original: Json, live: Json) -> Json:
    """The patch Helm makes; raises PatchError."""
    if _strategic(update, target):
        return patch.strategic_three_way(original, target.body, live, target.gvk)
    if update.three_way:
        return patch.three_way_merge_patch(original, target.body, live)
    return patch.merge_patch(original, target.body, exact_numbers=update.helm.major >= 4)


def _applied(update: Update, target: ManifestObject, difference: Json, live: Json) -> Json:
    """The object the API server makes with the patch; raises PatchError."""
    if _strategic(update, target):
        return patch.apply_strategic(live, difference, target.gvk)
    return patch.apply_merge_patch(live, difference)
