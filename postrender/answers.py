"""What only a snapshot holds: how it writes the values of Secrets, and what the server said to dry runs.

A plan that is made from the snapshot has those answers without the server, each found by a fingerprint of its request.
A Secret's values are in that, and in the answer, as in the rest of the file: as digests, or as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from postrender.live import Json
from postrender.record import Record, asdict
from postrender.redact import Digests, redacted, values
from postrender.trial import Accepted, Conflict, Conflicting, NotAsked, Rejected, Trial, TrialAnswer

GROUP = "snapshot.postrender"
"""The API group of what only a snapshot holds; no server serves it."""

API_VERSION = f"{GROUP}/v1"

HEADER = "Snapshot"
"""The kind of the first document."""

ANSWER = "Answer"
"""The kind of the others, one for each dry run."""


class Header(Record):
    """What the first document says; ``digest_key`` names the key of the digests that stand for Secret values."""

    hidden: bool
    digest_key: str = ""


def header_document(hide: Digests | None) -> Json:
    """The first document; ``hide`` as for ``document``."""
    return {
        "apiVersion": API_VERSION,
        "kind": HEADER,
        "metadata": {"name": "snapshot"},
        "secrets": "values" if hide is None else "digests",
        "digestKey": hide.name if hide else "",
    }


def header(body: Mapping[str, Json]) -> Header:
    """What a first document says."""
    return Header(body.get("secrets") == "digests", str(body.get("digestKey", "")))


def fingerprint(trial: Trial, hide: Digests | None) -> str:
    """What tells one request from all others; ``hide`` as for ``document``."""
    told = [
        trial.verb.value,
        [trial.resource.gvk.api_version, trial.resource.plural],
        asdict(trial.key),
        _safe(trial.body, trial, hide),
        [trial.force, trial.first_own, trial.first_stamped, trial.new, trial.strict, trial.client_side_past],
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def document(trial: Trial, answer: TrialAnswer, hide: Digests | None, live: Json = None) -> Json:
    """The answer as a document; ``hide`` makes digests of a Secret's values, ``None`` leaves them.

    ``live`` is the object that the request is about: the answer may repeat what its values are.
    """
    body: dict[str, Json]
    kind = trial.key.group_kind
    match answer:
        case Accepted(after, removed, left):
            known = values(live, kind) | values(trial.body, kind)
            body = {"accepted": _safe(after, trial, hide, known)}
            body |= {
                name: [list(path) for path in paths] for name, paths in (("removed", removed), ("left", left)) if paths
            }
        case Conflicting(conflicts, message):
            body = {"conflicting": asdict(conflicts), "message": message}
        case Rejected(message):
            body = {"rejected": message}
        case NotAsked(reason, following):
            body = {"notAsked": reason, "next": list(following)}
    name = fingerprint(trial, hide)
    return {"apiVersion": API_VERSION, "kind": ANSWER, "metadata": {"name": name}, "about": trial.name, **body}


def read(body: Mapping[str, Json]) -> TrialAnswer:
    """The answer of a document that ``document`` made; raises KeyError or TypeError for another."""
    if "accepted" in body:
        removed, left = (tuple(tuple(path) for path in body.get(name, ())) for name in ("removed", "left"))
        return Accepted(body["accepted"], removed, left)
    if "conflicting" in body:
        return Conflicting(tuple(Conflict(**each) for each in body["conflicting"]), body["message"])
    if "rejected" in body:
        return Rejected(body["rejected"])
    return NotAsked(body["notAsked"], tuple(body["next"]))


def _safe(body: Json, trial: Trial, hide: Digests | None, known: frozenset[str] = frozenset()) -> Json:
    if hide is None:
        return body
    return redacted(body, trial.key.group_kind, f"{trial.about.namespace}/{trial.about.name}", hide, known)
