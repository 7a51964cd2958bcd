"""What Helm makes of a stream, asked of the Go program beside this file: the second opinion on YAML."""

from __future__ import annotations

import json
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.tools import assets


@dataclass(frozen=True)
class GoDocument:
    """One document: its value; the objects in it as (apiVersion, kind, namespace, name); or why Helm refuses it."""

    value: Any
    objects: tuple[tuple[str, str, str, str], ...]
    refused: str


@dataclass(frozen=True)
class GoStream:
    """The documents up to the first that cannot be read, and the error that says so ("" for none)."""

    documents: tuple[GoDocument, ...]
    error: str

    @property
    def values(self) -> list[Any]:
        """The values of all documents that are not empty."""
        return [document.value for document in self.documents if document.value is not None]

    @property
    def installable(self) -> bool:
        """Whether Helm would take all of it."""
        return not self.error and not any(document.refused for document in self.documents)


class GoReader:
    """The running program; a context manager."""

    def __init__(self, program: Path | None = None) -> None:
        self._process = subprocess.Popen(
            [program or assets.goyaml(), "-serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> GoReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def read(self, data: bytes) -> GoStream:
        """What Helm reads in a stream."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(struct.pack(">I", len(data)) + data)
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline().decode(errors="replace"))
        return GoStream(tuple(map(_document, answer["documents"])), answer.get("error", ""))


def through_kyaml(data: bytes) -> GoStream:
    """What Helm 4 reads in a stream: it parses and prints it with kyaml before anything else."""
    result = subprocess.run([assets.goyaml(), "-kyaml"], input=data, capture_output=True)
    if result.returncode:
        return GoStream((), result.stderr.decode())
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    error = lines.pop()["error"] if lines and "error" in lines[-1] else ""
    return GoStream(tuple(map(_document, lines)), error)


def _document(found: dict[str, Any]) -> GoDocument:
    return GoDocument(
        found["json"],
        tuple(
            (item["apiVersion"], item["kind"], item["namespace"], item["name"]) for item in found.get("objects") or ()
        ),
        found.get("refused", ""),
    )
