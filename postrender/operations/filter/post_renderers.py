"""Another program before or after ours: Helm takes one post-renderer only. No shell stands between."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterator

from postrender import manifest as manifests
from postrender._record import Record
from postrender.errors import ManifestError, PostrenderError, Refused, UsageError
from postrender.manifest import Manifest, ObjectRef
from postrender.text import Advice

MAX_LISTED = 20
"""How many lost documents a message names before it only counts them."""


class Failed(PostrenderError):
    """The other program failed; its exit code is ours."""

    def __init__(self, cause: str, exit_code: int, *, where: str, next: str) -> None:
        self.exit_code = exit_code
        super().__init__(cause, where=where, next=next)


class PostRenderer(Record, hidden=("command",)):
    """One program of the chain; ``flag`` is the flag that named it. Its arguments may be secret, and are not shown."""

    flag: str
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """``--then kustomize``."""
        return f"{self.flag} {os.path.basename(self.command[0])}"


class Passed(Record):
    """What a program made of a stream, and what it said on stderr."""

    data: bytes
    stderr: str


_VALUE = Advice("give a program on PATH, or its path, and its arguments: 'kustomize build'")


def link(flag: str, text: str) -> PostRenderer:
    """The program and the arguments that a flag's value names, as a shell parts them; raises UsageError."""
    try:
        command = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"cannot be split into a program and its arguments: {error}", where=flag) from None
    if not command:
        raise UsageError("names no program", where=flag, next=_VALUE)
    return PostRenderer(flag, command)


def passed(link: PostRenderer, data: bytes) -> Passed:
    """The stream after that program, which inherits our folder and environment, and has lost none of its objects.

    Raises Failed with the program's own exit code and words, UsageError where it cannot be run, ManifestError where its
    output cannot be read, and Refused, which names what it lost.
    """
    import subprocess

    try:
        done = subprocess.run(link.command, input=data, capture_output=True, check=False)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot be run: {reason}", where=link.name, next=_VALUE) from error
    stderr = done.stderr.decode(errors="replace")
    if done.returncode:
        code = done.returncode if done.returncode > 0 else 128 - done.returncode
        words = stderr.strip()
        raise Failed(
            f"ended with exit code {code}" + (f": {words}" if words else " without a message"),
            code,
            where=link.name,
            next=Advice("run it alone, with what helm template prints on its stdin"),
        )
    try:
        after = manifests.read(done.stdout)
    except ManifestError as error:
        raise ManifestError(f"what it wrote cannot be read: {error.cause}", line=error.line, where=link.name) from error
    gone = list(lost(manifests.read(data), after))
    if gone:
        more = [f"and {len(gone) - MAX_LISTED} more"] if len(gone) > MAX_LISTED else []
        count = f"{len(gone)} object{'s' * (len(gone) != 1)}"
        raise Refused(
            "\n  ".join([f"lost {count}, which Helm would delete or not create", *gone[:MAX_LISTED], *more]),
            where=link.name,
            next=Advice("the program must write every object that it reads, with its name unchanged"),
        )
    return Passed(done.stdout, stderr)


def lost(before: Manifest, after: Manifest) -> Iterator[str]:
    """The objects of one stream that another has not: by group, Kind, name and, where it was written, namespace.

    A version may change, and a namespace may be filled in. ``ConfigMap shop/config (line 12)``.
    """
    exact = Counter(map(_key, after.objects))
    anywhere = Counter(_key(ref)[:3] for ref in after.objects)
    missing: list[ObjectRef] = []
    for ref in before.objects:
        if exact[_key(ref)]:
            exact[_key(ref)] -= 1
            anywhere[_key(ref)[:3]] -= 1
        else:
            missing.append(ref)
    for ref in missing:
        if not ref.namespace and anywhere[_key(ref)[:3]] > 0:
            anywhere[_key(ref)[:3]] -= 1
        else:
            yield _named(ref)


def _key(ref: ObjectRef) -> tuple[str, str, str, str]:
    return ref.gvk.group, ref.gvk.kind, ref.name, ref.namespace


def _named(ref: ObjectRef) -> str:
    kind = f"{ref.gvk.kind}.{ref.gvk.group}" if ref.gvk.group else ref.gvk.kind
    place = f"{ref.namespace}/" if ref.namespace else ""
    return f"{kind} {place}{ref.name or '(a name that the server makes)'} (line {ref.line})"
