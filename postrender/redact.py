"""Secret values, taken out of everything that is shown: reports in every format, errors, files of live objects.

A value is replaced by a digest (HMAC-SHA-256, 64 bits of it) under a key that stands in no output. A plain hash of a
password or a PIN is found by trying them all, salted or not; without the key there is nothing to try against. The key
is new for every run, so that digests tell equal from different within one output only. Whoever needs to compare two
outputs gives one key to both runs, ``$POSTRENDER_DIGEST_KEY``. The object and the field go into the digest as well:
one password in two Secrets does not show.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence

from postrender._record import Record
from postrender.errors import UsageError
from postrender.models import SECRET, GroupKind, GroupVersionKind, Json

VARIABLE = "POSTRENDER_DIGEST_KEY"

SHORTEST_KEY = 16
"""Characters that a key has at least: a shorter one could be found by trying, and the values with it."""

_DIGEST = re.compile(r"digest:[0-9a-f]{8}:[0-9a-f]{16}")
_DIGEST_BYTES = re.compile(_DIGEST.pattern.encode())
_OPEN = frozenset({"apiVersion", "kind", "metadata", "type", "immutable"})
"""Fields of a Secret that hold no secret; whatever else stands beside them, misspelled perhaps, is taken for one."""

_KIND = re.compile(r"""["']?\bkind["']?\s*:\s*["']?Secret(?:List)?\b""")
"""How a Secret begins in YAML or JSON, whole or not."""

_SHORT = 4
"""Characters below which a value is only looked for as a word of its own in a text."""


class Digests(Record, hidden=("key",)):
    """Makes the digests of one run; digests under different keys cannot be compared, and their first part differs.

    ``keyed`` is set if the user gave the key: another run may have the same one.
    """

    key: bytes
    keyed: bool = False

    def of(self, place: str, value: bytes) -> str:
        """``digest:5f1c9a04:9b1f0c62d1a4e07b``: of the key, and of the value at its place."""
        digest = hmac.new(self.key, place.encode("utf-8", "surrogatepass") + b"\0" + value, hashlib.sha256)
        return f"digest:{self.name}:{digest.hexdigest()[:16]}"

    @property
    def name(self) -> str:
        """Which key it is, for comparison with the first part of a digest."""
        return hmac.new(self.key, b"", hashlib.sha256).hexdigest()[:8]


def digests(environ: Mapping[str, str]) -> Digests:
    """With the user's key where there is one; raises UsageError for one that is too short."""
    given = environ.get(VARIABLE, "")
    if not given:
        return Digests(secrets.token_bytes(32))
    if len(given) < SHORTEST_KEY:
        raise UsageError(
            f"is shorter than {SHORTEST_KEY} characters, and could be guessed",
            where=VARIABLE,
            next=f"export {VARIABLE}=$(openssl rand -hex 32)",
        )
    return Digests(given.encode("utf-8", "surrogatepass"), keyed=True)


def is_digest(value: Json) -> bool:
    """Whether a value is one of our digests, of whatever key."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def digests_in(value: Json) -> bool:
    """Whether there is a digest anywhere in a value."""
    if isinstance(value, dict):
        return any(map(digests_in, value.values()))
    if isinstance(value, list):
        return any(map(digests_in, value))
    return isinstance(value, str) and _DIGEST.search(value) is not None


def masked(text: str) -> str:
    """A text with every digest in it made the same, so that two runs with keys of their own can be compared."""
    return _DIGEST.sub("(secret)", text)


def redacted(body: Json, kind: GroupKind, place: str, made: Digests, known: frozenset[str] = frozenset()) -> Json:
    """An object, or a patch of one, without secret values; ``place`` is ``namespace/name``.

    ``known`` are further values of the same Secret, an older one's perhaps, that its metadata may repeat.

    Secrets inside of others (a template's, an item's, one in an annotation's JSON) are found too. What is a digest
    already stays as it is.
    """
    if isinstance(body, dict) and kind == SECRET:
        return _secret(body, place, made, known)
    return _searched(body, made)


def values(body: Json, kind: GroupKind) -> frozenset[str]:
    """Every text that a Secret's values can be recognised by: as written, and decoded. Nothing for another kind."""
    if kind != SECRET or not isinstance(body, dict):
        return frozenset()
    found: set[str] = set()
    for name, field in body.items():
        if name not in _OPEN:
            for text in _leaves(field):
                found.add(text)
                if name == "data":
                    found.add(_decoded(text).decode(errors="replace"))
    return frozenset(text for text in found if text and not is_digest(text))


def scrubbed(text: str, secret: Sequence[str] | frozenset[str]) -> str:
    """A text without the values, for what somebody else wrote: a server's objection, a program's error."""
    for value in sorted(secret, key=len, reverse=True):
        if len(value) >= _SHORT:
            text = text.replace(value, "(secret)")
        else:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "(secret)", text)
    return text


def _secret(
    body: Mapping[str, Json], place: str, made: Digests, known: frozenset[str] = frozenset()
) -> dict[str, Json]:
    known |= values(dict(body), SECRET)
    result: dict[str, Json] = {}
    for name, field in body.items():
        if name == "metadata":
            result[name] = _metadata(field, place, known, made)
        elif name in _OPEN:
            result[name] = field
        elif isinstance(field, dict):
            result[name] = {
                key: _hidden(value, f"{place}/{key}", made, packed=name == "data") for key, value in field.items()
            }
        else:
            result[name] = _hidden(field, f"{place}/{name}", made, packed=False)
    return result


def _hidden(value: Json, place: str, made: Digests, *, packed: bool) -> Json:
    """The digest of one value: what ``stringData`` says and ``data`` says in base64 have the same."""
    if value is None or is_digest(value):
        return value
    if isinstance(value, str):
        plain = _decoded(value) if packed else value.encode("utf-8", "surrogatepass")
        # A digest in ``stringData`` stands in base64 where the API server stores it.
        return plain.decode() if packed and _DIGEST_BYTES.fullmatch(plain) else made.of(place, plain)
    return made.of(place, json.dumps(value, sort_keys=True).encode())


def _metadata(metadata: Json, place: str, known: frozenset[str], made: Digests) -> Json:
    """Metadata with every text replaced that holds one of the values; JSON in it is redacted as what it is."""
    if isinstance(metadata, dict):
        return {key: _metadata(value, f"{place}/metadata/{key}", known, made) for key, value in metadata.items()}
    if isinstance(metadata, list):
        return [_metadata(value, place, known, made) for value in metadata]
    if not isinstance(metadata, str):
        return metadata
    inner = _inner(metadata, made)
    if inner is not None:
        metadata = inner
    return made.of(place, metadata.encode()) if scrubbed(metadata, known) != metadata else metadata


def _searched(value: Json, made: Digests) -> Json:
    """The value with every Secret in it redacted; the very same where there is none."""
    if isinstance(value, list):
        return [_searched(each, made) for each in value]
    if isinstance(value, str):
        inner = _inner(value, made)
        return value if inner is None else inner
    if not isinstance(value, dict):
        return value
    if value.get("kind") == "SecretList" and isinstance(value.get("items"), list):
        items = [{"kind": "Secret", **each} if isinstance(each, dict) else each for each in value["items"]]
        shown = [_searched(each, made) for each in items]
        return {**{key: _searched(each, made) for key, each in value.items()}, "items": shown}
    if value.get("kind") == "Secret" and GroupVersionKind.parse(str(value.get("apiVersion")), "").group == "":
        metadata = value.get("metadata")
        named = metadata if isinstance(metadata, dict) else {}
        return _secret(value, f"{named.get('namespace', '')}/{named.get('name', '')}", made)
    return {key: _searched(each, made) for key, each in value.items()}


def _inner(text: str, made: Digests) -> str | None:
    """A text that is JSON or YAML with a Secret in it, redacted; else ``None``.

    JSON is what kubectl's last-applied-configuration holds, YAML what a ConfigMap of manifests holds.
    """
    if "Secret" not in text or "kind" not in text:
        return None
    try:
        if text.lstrip().startswith(("{", "[")) and (found := _json(text)) is not None:
            return json.dumps(_searched(found, made))
        return _yaml(text, made)
    except (ValueError, RecursionError):
        return made.of("", text.encode("utf-8", "surrogatepass")) if _KIND.search(text) else None


def _json(text: str) -> Json:
    """What JSON says; ``None`` for what may be YAML in flow style."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _yaml(text: str, made: Digests) -> str | None:
    """YAML documents with every Secret in them redacted; ``None`` where there is none. Raises ValueError."""
    if not _KIND.search(text):
        return None
    import yaml

    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        shown = [_searched(each, made) for each in documents]
        if shown == documents:
            return None
        text = yaml.safe_dump_all(shown, sort_keys=False, allow_unicode=True)
        return str(text)
    except (yaml.YAMLError, TypeError) as error:
        # Not YAML as it stands, a template perhaps.
        raise ValueError from error


def _leaves(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def _decoded(text: str) -> bytes:
    """What base64 stands for; the text itself where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "surrogatepass")
