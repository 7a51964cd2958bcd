"""Kept object has a different name each time.

An installation can adopt a kept object only under the same name. With `generateName`, or a random part or the
release's revision in the name, every run creates another object and leaves the old one behind. The rule renders the
chart twice and reads the template.

Fix: Give the object a name that depends only on the release name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from postrender.lint.model import Facts, Severity, Subject, Template, Trouble

CODE = "PL105"
_CHANGING = re.compile(r"\.Release\.Revision|\b(?:rand\w+|uuidv4|now|gen\w+|shuffle|htpasswd|bcrypt)\b")
_NAME = re.compile(r"\s*(?:- )?[\"']?name[\"']?:\s*(.*)")
_ACTION = re.compile(r"\{\{.*?\}\}")


def check(facts: Facts) -> Iterator[Trouble]:
    """Every kept object whose name is made by the server, by chance or by the revision."""
    again = {subject.key for subject in facts.again.subjects} if facts.again else None
    for subject in facts.kept:
        if subject.ref.generate_name and not subject.ref.name:
            yield _trouble(subject, "its name is made by the server at each installation", "generateName")
        elif again is not None and subject.key not in again:
            yield _trouble(subject, "its name is another one at each rendering", "name")
        elif _by_template(subject, facts.templates.get(subject.source)):
            yield _trouble(subject, "its name changes with the release's revision or by chance", "name")


def _trouble(subject: Subject, why: str, field: str) -> Trouble:
    return Trouble(
        subject,
        Severity.ERROR,
        f"is kept, and {why}: no installation takes it back",
        ('set metadata.name: "{{ .Release.Name }}-..."',),
        ("metadata", field),
    )


def _by_template(subject: Subject, template: Template | None) -> bool:
    """Whether a line of the template that gives this name calls what changes."""
    for line in template.text.split("\n") if template else ():
        found = _NAME.fullmatch(line.rstrip())
        if found and _CHANGING.search(found[1]):
            fixed = [re.escape(part) for part in _ACTION.split(found[1].strip("\"' "))]
            if re.fullmatch(".*".join(fixed), subject.key.name):
                return True
    return False
