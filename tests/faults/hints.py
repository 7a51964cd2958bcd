"""The hints of the table's rows, typed as they are printed.

A command that only looks runs twice: with the fault, where it must end and show something else than without it, and
without the fault, where it must succeed. A command that does the work again runs without the fault, from the start, and
must succeed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from postrender.models import GroupVersionKind, Resource
from tests.tools import assets
from tests.wire.kinds import NAMESPACE, an_object
from tests.wire.server import Reply, Server, ok

ROOT = Path(__file__).parents[2]
TABLE: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "table.yaml").read_text())
HELM = "helm@3.16.4"
"""It sends JSON, which the server of the table understands; newer ones store releases in protocol buffers."""
SERVICE = Resource(GroupVersionKind("", "v1", "Service"), "services", True)
PROGRAMS = ("kubectl", HELM)
WITHIN = 90
"""Seconds that a hint may take."""
PLACEHOLDER = re.compile(r"(?:^|[ =/])(?!CHART )(?:[A-Z]{2,}(?:[ ,/]|$)|<[^>]*>|\.\.\.)|   \(|  # ")
"""What no shell takes as it stands: a name for something else in capitals, an ellipsis, a remark."""
LOOKS = re.compile(
    r"kubectl (?:get|auth|config (?:view|get-contexts))\b|helm (?:list|history|version)|"
    r"postrender (?:doctor|orphans|--help|\w+ --help)|env\b|df\b|command -v"
)
"""Commands that only show something."""


Came = tuple[int | None, str]
"""How a command ended, ``None`` if it did not, and what it printed."""


@dataclass(frozen=True)
class Typed:
    """A hint and what was wrong with it; nothing if it worked."""

    hint: str
    wrong: tuple[str, ...] = ()


class Chosen:
    """Chooses the first hint of each row, and of the others each once by its template."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._turn = threading.Lock()

    def __call__(self, place: int, template: str) -> bool:
        """Whether the hint at that place of a row is to be typed."""
        with self._turn:
            new = template not in self._seen
            self._seen.add(template)
        return new or place == 0


@dataclass(frozen=True)
class Desk:
    """Where a reader types: a folder and an environment."""

    folder: Path
    environ: Mapping[str, str]

    @classmethod
    def at(cls, folder: Path, environ: Mapping[str, str]) -> Desk:
        """With ``kubectl``, ``helm`` and ``postrender`` on PATH, if the environment has one that works."""
        tools = folder / "tools"
        if not tools.exists():
            tools.mkdir()
            (tools / "kubectl").symlink_to(assets.find("kubectl"))
            (tools / "helm").symlink_to(assets.find(HELM))
            program = tools / "postrender"
            program.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m postrender \"$@\"\n")
            program.chmod(0o755)
            _write_chart(folder / "chart")
        return cls(folder, {**environ, "PATH": f"{tools}:{environ['PATH']}"})

    def type(self, line: str, stdin: bytes) -> Came:
        """Type a command, and yes if it asks; CHART is a chart of the reader's, which no Helm named."""
        line = line.replace(" CHART ", " ./chart ")
        line = f"{line} --yes" if re.match(r"postrender (?:adopt|verify .*--fix)(?!.*--yes)", line) else line
        running = subprocess.Popen(
            ["/bin/sh", "-c", line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.folder,
            env=dict(self.environ),
            start_new_session=True,
        )
        try:
            said, _ = running.communicate(stdin, timeout=WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            said, _ = running.communicate()
            return None, said.decode(errors="replace")
        return running.returncode, said.decode(errors="replace")


def _write_chart(place: Path) -> None:
    """A chart with the object that was kept."""
    (place / "templates").mkdir(parents=True)
    (place / "Chart.yaml").write_text("apiVersion: v2\nname: gone\nversion: 0.1.0\n")
    (place / "templates" / "shirt.yaml").write_text(TABLE["streams"]["new"])


def judged(step: str, faulty: Came | None, healthy: Came, *, differs: bool) -> list[str]:
    """What is wrong with a hint by what came of it with the fault (``None``: not typed then) and without it.

    With ``differs`` a command that looks has to show something else with the fault than without it.
    """
    wrong = []
    if healthy[0] not in answers(step):
        wrong.append(f"without the fault it ends with {healthy[0]}: {healthy[1][-300:]!r}")
    if faulty is not None and faulty[0] is None:
        wrong.append(f"with the fault it does not end: {faulty[1][-300:]!r}")
    elif faulty is not None and not faulty[1].strip():
        wrong.append("with the fault it shows nothing")
    elif faulty == healthy and differs:
        wrong.append(f"with the fault it shows the same as without it: {healthy[1][-300:]!r}")
    return wrong


def advised(said: str) -> list[str]:
    """The hints that were printed, in order, each once."""
    flat = re.sub(r" \\\n +", " ", said)
    return list(dict.fromkeys(re.findall(r"^ *(?:- )?hint: +(.+)$", flat, re.MULTILINE)))


def template(hint: str, folder: Path) -> str:
    """The hint without what differs from row to row."""
    return re.sub(r"127\.0\.0\.1:\d+", "HOST:PORT", hint.replace(str(folder), "FOLDER"))


def looks(hint: str) -> bool:
    """Whether a hint only shows something."""
    return LOOKS.match(re.sub(r"^(?:[A-Z_]+=\S* )+", "", hint)) is not None


def answers(hint: str) -> tuple[int, ...]:
    """The exit codes with which a hint did what it says."""
    return (0, 10) if "--detailed-exitcode" in hint else (0,)


def serve_questions(server: Server, *, allowed: bool = True) -> None:
    """The server answers what kubectl asks about rights, users, health and itself."""
    review = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"}
    user = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    server.on(
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        ok({**review, "spec": {}, "status": {"allowed": allowed}}),
    )
    server.on(
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
        ok({**user, "status": {"userInfo": {"username": "dev"}}}),
    )
    server.on("GET /readyz", Reply(200, b"readyz check passed\n", "text/plain"))
    server.on("GET /version", ok({"major": "1", "minor": "34", "gitVersion": "v1.34.3"}))
    # An empty document of protocol buffers describes no kind, so that Helm has nothing to check objects against.
    server.on("GET /openapi/v2", Reply(200, b"", "application/octet-stream"))
    if SERVICE not in server.served:
        server.served.insert(0, SERVICE)
    server.put(NAMESPACE, an_object(NAMESPACE, "kube-system"))
