"""A kept object contains generated data.

An uninstall keeps the object. The next installation renders a new password, key or certificate (`randAlphaNum`,
`genSelfSignedCert`, `htpasswd`, `uuidv4`) and overwrites the old one, which existing data may depend on. The rule
renders the chart twice and compares. A template that calls `lookup` may reuse the live value; without a cluster
`lookup` finds nothing, so this is only a note. Values are never shown.

Fix: Annotate the object with `postrender/keep-live: data.password`, which names the generated fields: with postrender
as its post-renderer, Helm then gets the live values. Without postrender, reuse the live value with `lookup`, or set it
in the chart's values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from postrender.helm.storage.generated import with_included
from postrender.lint.model import Facts, Severity, Subject, Trouble
from postrender.lint.upgrade import differing
from postrender.manifest.field_paths import InvalidPath, parse_path, path_text, split_paths
from postrender.models import KEEP_LIVE

CODE = "PL112"
_SHOWN = 3


def check(facts: Facts) -> Iterator[Trouble]:
    """Every kept object that differs in the second rendering."""
    if facts.again is None:
        return
    again = {subject.key: subject for subject in facts.again.subjects}
    for subject in facts.kept:
        twin = again.get(subject.key)
        changed = differing(facts.stream.value(subject), facts.again.value(twin)) if twin else ()
        kept = _kept_live(subject)
        paths = [path for path in changed if not any(_data(path)[: len(each)] == each for each in kept)]
        if not paths:
            continue
        looked_up = looks_up(facts, subject)
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        fields = ", ".join(".".join(path) for path in paths[:_SHOWN]) + more
        unless = "; where lookup finds nothing, as here" if looked_up else ""
        yield Trouble(
            subject,
            Severity.INFO if looked_up else Severity.ERROR,
            f"is kept, and each rendering generates new {fields}: "
            f"the next installation locks out what the old value opens{unless}",
            (
                f"in the chart, annotate {subject.name} with {KEEP_LIVE}: {_annotation(paths)}",
                "or use the live value if there is one ({{ lookup ... }}), or let the user name an existing Secret",
            ),
            paths[0],
            hide=True,
        )


def _kept_live(subject: Subject) -> list[tuple[str, ...]]:
    """The fields that the object's annotation names; none if it is not valid."""
    try:
        return [_data(parse_path(text)) for text in split_paths(subject.ref.annotations.get(KEEP_LIVE, ""))]
    except InvalidPath:
        return []


def _data(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path with ``data`` for ``stringData``, which the API server stores there."""
    return ("data", *path[1:]) if path[0] == "stringData" else path


def _annotation(paths: list[tuple[str, ...]]) -> str:
    """The value of the annotation that keeps these fields, in YAML."""
    text = ",".join(map(path_text, paths))
    return text if re.fullmatch(r"[\w.,/-]+", text) else f"'{text}'"


def looks_up(facts: Facts, subject: Subject) -> bool:
    """True if the object's template looks live objects up; if that is not known, any template of the chart."""
    texts = {name: template.text for name, template in facts.templates.items()}
    found = with_included(subject.source, texts) if subject.source in texts else "\n".join(texts.values())
    return re.search(r"\blookup\s", found) is not None
