"""Who called: what the rest of the program is told about it."""

from __future__ import annotations

from collections.abc import Mapping

from postrender._record import Record
from postrender.helm.invocation import Invocation
from postrender.models import Connection


class Parent(Record):
    """The Helm that called.

    ``up`` counts processes from ours: 1 is the direct parent. ``flags`` are those of its flags that matter here, as
    written in full (``--namespace=shop``), in its order, with the values of secret ones replaced by ``***``; of all
    others not even the name is kept.
    """

    pid: int
    exe: str
    up: int
    flags: tuple[str, ...]


class Caller(Record):
    """One run of ours, as its caller wants it.

    ``namespace`` is the release's, told even where the release's name is not; ``None`` where it cannot be told.
    ``cluster_named`` says whether somebody told us a cluster: a Helm that talks to one called us, or a kubeconfig,
    context or API server was given to us by flag or variable. ``origins`` maps each setting's name to where its value
    came from, ``notes`` are sentences about what could not be told, with the flag that would tell it.
    """

    invocation: Invocation
    connection: Connection
    namespace: str | None
    cluster_named: bool
    parent: Parent | None
    origins: Mapping[str, str]
    notes: tuple[str, ...]
