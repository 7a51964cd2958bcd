"""``postrender run`` killed at one of the requests of itself or of its Helm, and called again.

The Helm that is run is led elsewhere than the run itself: what the one asks and what the other asks are two proxies'.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Helm, executable
from tests.e2e.kinds import STABLE_SHIRT
from tests.e2e.proxy import Point, Proxy, told
from tests.e2e.removed_apis import copies, store
from tests.e2e.test_run import finished, kept_pair, ok, run, start, words

Who = Literal["run", "helm"]

REVISIONS = "GET /api/v1/namespaces/NS/secrets"
BETA, STABLE = (f"/apis/{group}.example.com/v1/namespaces/NS/shirts/shirt" for group in ("beta", "stable"))


def revision(number: int) -> str:
    return f"/api/v1/namespaces/NS/secrets/sh.helm.release.v1.r.v{number}"


class Stage:
    """A Helm in a namespace, the run that calls it, and a proxy for each of them."""

    def __init__(self, it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path) -> None:
        self.it = it
        self.namespace = namespace
        self.folder = folder
        self.run = Proxy(plane, folder / "run.kubeconfig")
        self.helm = Proxy(plane, folder / "helm.kubeconfig")
        self.program = folder / "elsewhere" / "helm"
        self.program.parent.mkdir()
        self.program.write_text(f"#!/bin/sh\nKUBECONFIG='{self.helm.kubeconfig}' exec '{it.binary}' \"$@\"\n")
        self.program.chmod(0o755)

    def __enter__(self) -> Stage:
        self.run.__enter__()
        self.helm.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.run.__exit__()
        self.helm.__exit__()

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """The run, in a session of its own."""
        command = words(self.it, *arguments, program=self.program)
        return start(command, self.it, {"KUBECONFIG": str(self.run.kubeconfig)})

    def call(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """The run, to its end; the proxies know afterwards what was asked in it."""
        for proxy in (self.run, self.helm):
            proxy.requests.clear()
        return run(self.it, *arguments, program=self.program, environ={"KUBECONFIG": str(self.run.kubeconfig)})

    def asked(self, who: Who) -> list[str]:
        """What was asked, with ``NS`` for the namespace."""
        here = f"/namespaces/{self.namespace.name}/"
        return [told(request).replace(here, "/namespaces/NS/") for request in self._proxy(who).requests]

    def kill(self, arguments: Sequence[str], who: Who, point: Point) -> None:
        """Kill the run and what it started at a point whose namespace is ``NS``; fails where that is not reached."""
        here = point.request.replace("/namespaces/NS/", f"/namespaces/{self.namespace.name}/")
        self._proxy(who).kill(lambda: self.start(arguments), Point(here, point.nth, point.when))

    def _proxy(self, who: Who) -> Proxy:
        return self.run if who == "run" else self.helm


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run is to do, and at what it can be killed.

    ``prepare`` answers the arguments of Helm. ``own`` is what the run itself asks the API server, ``writes`` what its
    Helm writes, both with ``NS`` for the namespace; ``looked`` are the first requests of the run, before it notes that
    it begins. ``begun`` tells that one was interrupted already.
    """

    name: str
    version: str
    prepare: Callable[[Stage], Sequence[str]]
    finished: Callable[[Namespace], None]
    own: tuple[str, ...]
    writes: tuple[str, ...]
    begun: bool = False
    looked: tuple[str, ...] = (REVISIONS,)


def _pair(stage: Stage) -> list[str]:
    return ["install", "r", str(kept_pair(stage.it, stage.folder))]


def _pinned_before(stage: Stage) -> list[str]:
    """The history that was kept has a pin too: so there are two revisions to write."""
    now = kept_pair(stage.it, stage.folder)
    stage.it.install("r", now, filter=True).expect_ok()
    stage.it.uninstall("r", "--keep-history").expect_ok()
    return ["install", "--replace", "r", str(now)]


def _pending(stage: Stage) -> list[str]:
    """A run died together with its Helm."""
    arguments = _pair(stage)
    stage.kill(arguments, "helm", Point(f"PATCH {STABLE}", 1, "after"))
    assert [each.status for each in stage.namespace.releases("r")] == ["pending-install"]
    return arguments


def _shirt(stage: Stage) -> list[str]:
    before, after = (
        chart(stage.folder, {"shirt": manifest(STABLE_SHIRT, "shirt", spec, keep=True)})
        for spec in ({"color": "blue", "size": "M"}, {"color": "red"})
    )
    stage.it.install("r", before).expect_ok()
    stage.it.uninstall("r").expect_ok()
    return ["install", "r", str(after)]


def _shirt_finished(namespace: Namespace) -> None:
    assert namespace.content(STABLE_SHIRT, "shirt") == {"color": "red"}
    releases = namespace.releases("r")
    assert [each.status for each in releases][-1:] == ["deployed"]
    assert [each.status for each in releases].count("deployed") == 1
    assert "color: red" in releases[-1].manifest
    assert all("resourceVersion" not in each.manifest for each in releases)


_SECRETS = REVISIONS.replace("GET", "POST")
_LIVE = ("GET /apis", f"GET {BETA}", f"GET {STABLE}")

PAIR = Scene(
    name="pair",
    version="3.12.3",
    prepare=_pair,
    finished=finished,
    own=(
        REVISIONS,
        *(REVISIONS, f"GET {revision(1)}", f"PUT {revision(1)}"),
        *(REVISIONS, f"GET {revision(1)}", f"GET {revision(2)}", f"GET {revision(2)}"),
        *(REVISIONS, REVISIONS, f"GET {revision(2)}", *_LIVE),
    ),
    writes=(
        *(_SECRETS, f"PATCH {STABLE}", f"PUT {revision(1)}"),
        *(_SECRETS, f"PATCH {BETA}", f"PATCH {STABLE}", f"PUT {revision(1)}", f"PUT {revision(2)}"),
    ),
)

PINNED = Scene(
    name="pinned",
    version="3.12.3",
    prepare=_pinned_before,
    finished=finished,
    own=(
        REVISIONS,
        *(REVISIONS, *(f"{method} {revision(number)}" for method in ("GET", "PUT") for number in (1, 2))),
        *(REVISIONS, *(f"GET {revision(number)}" for number in (1, 1, 2, 3, 3))),
        *(REVISIONS, REVISIONS, f"GET {revision(3)}", *_LIVE),
    ),
    writes=(
        *(f"PUT {revision(1)}", _SECRETS, f"PATCH {STABLE}", f"PUT {revision(2)}"),
        *(_SECRETS, f"PATCH {BETA}", f"PATCH {STABLE}", f"PUT {revision(2)}", f"PUT {revision(3)}"),
    ),
    # A label alone does not say that the newest revision is uninstalled: its payload is read.
    looked=(REVISIONS, f"GET {revision(1)}"),
)

PENDING = Scene(
    name="pending",
    version="3.12.3",
    prepare=_pending,
    finished=finished,
    own=(REVISIONS, REVISIONS, *[f"GET {revision(1)}"] * 2, f"DELETE {revision(1)}", *PAIR.own[1:]),
    writes=PAIR.writes,
    begun=True,
)

SHIRT = Scene(
    name="shirt",
    version="4.3.1",
    prepare=_shirt,
    finished=_shirt_finished,
    own=(
        *(REVISIONS, REVISIONS, *[f"GET {revision(1)}"] * 2),
        *(REVISIONS, REVISIONS, f"GET {revision(1)}", "GET /apis", f"GET {STABLE}"),
    ),
    writes=(_SECRETS, f"PATCH {STABLE}", f"PUT {revision(1)}"),
)

SCENES = (PAIR, PINNED, PENDING, SHIRT)


@dataclass(frozen=True, slots=True)
class Kill:
    """One play: a scene, and where it is interrupted."""

    scene: Scene
    who: Who
    point: Point

    def __str__(self) -> str:
        """``pair-run-PUT-v1-before``: also a test's name."""
        method, path = self.point.request.split()
        last = path.rpartition("/")[2].rpartition(".")[2]
        group = path.split("/")[2].partition(".")[0] if last == "shirt" else ""
        words = (self.scene.name, self.who, method, group, last, str(self.point.nth), self.point.when)
        return "-".join(word for word in words if word)


def kills(scene: Scene) -> Iterator[Kill]:
    """One before and one after each request of the run itself, and each write of its Helm."""
    setting_origins: tuple[tuple[Who, tuple[str, ...]], ...] = (("run", scene.own), ("helm", scene.writes))
    for who, requests in setting_origins:
        for place, request in enumerate(requests):
            nth = requests[: place + 1].count(request)
            yield Kill(scene, who, Point(request, nth, "before"))
            yield Kill(scene, who, Point(request, nth, "after"))


def whole(stage: Stage, scene: Scene) -> None:
    """Play it undisturbed: what is asked and written is what the scene says, some of the reads in any order."""
    arguments = scene.prepare(stage)
    ok(stage.call(arguments))
    scene.finished(stage.namespace)
    assert sorted(stage.asked("run")) == sorted(scene.own)
    assert [each for each in stage.asked("helm") if not each.startswith("GET ") and "?" not in each] == [*scene.writes]


def interrupted(stage: Stage, kill: Kill) -> None:
    """Play it, interrupted, and call the same again: it ends as if nothing had been."""
    arguments = kill.scene.prepare(stage)
    stage.kill(arguments, kill.who, kill.point)
    again = ok(stage.call(arguments))
    said = " ".join(again.stderr.split())
    only_looked = kill.who == "run" and kill.point.nth == 1 and kill.point.request in kill.scene.looked
    begun = kill.scene.begun or not only_looked
    assert ("resuming the interrupted run" in said) == begun
    kill.scene.finished(stage.namespace)
    assert "live as stored; no resourceVersion is stored" in said


@dataclass(frozen=True, slots=True)
class Interruption:
    """A request of a command at which it is killed, with ``NS`` for the namespace."""

    point: Point

    def __str__(self) -> str:
        """``PUT-v1-before``: also a test's name."""
        method, path = self.point.request.split()
        return f"{method}-{path.rpartition('/')[2].rpartition('.')[2]}-{self.point.nth}-{self.point.when}"

    def at(self, namespace: Namespace) -> Point:
        """The point in a namespace."""
        request = self.point.request.replace("/namespaces/NS/", f"/namespaces/{namespace.name}/")
        return Point(request, self.point.nth, self.point.when)

    @property
    def writes(self) -> bool:
        """Whether it is a write; a question about rights is none."""
        return not self.point.request.startswith("GET ") and "/apis/authorization.k8s.io/" not in self.point.request


def asked_in(proxy: Proxy, namespace: Namespace) -> list[str]:
    """What was asked through a proxy, sorted, with ``NS`` for the namespace."""
    return sorted(told(each).replace(f"/namespaces/{namespace.name}/", "/namespaces/NS/") for each in proxy.requests)


def interruptions(asked: Sequence[str]) -> tuple[Interruption, ...]:
    """One before and one after each request of a command that asks these."""
    return tuple(
        Interruption(Point(request, asked[: place + 1].count(request), when))
        for place, request in enumerate(asked)
        for when in ("before", "after")
    )


OLD = "---\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
NOW = OLD.replace("policy/v1beta1", '"policy/v1"')

_ASKED = (
    REVISIONS,
    *(f"GET {revision(number)}" for number in (1, 2)),
    *("GET /apis", "GET /apis/policy/v1beta1", "GET /api", "GET /apis"),
    *["POST /apis/policy/v1/namespaces/NS/poddisruptionbudgets?dryRun"] * 2,
    *(f"PUT {revision(number)}" for number in (1, 2)),
)
"""All that is asked, in order but for the reads of revisions, which go out at once."""

EVERY_UNSERVED = interruptions(_ASKED)
UNSERVED = tuple(each for each in EVERY_UNSERVED if each.point.request.startswith("PUT"))


def repaired_after(
    it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path, interruption: Interruption
) -> None:
    """Kill ``unserved --fix`` and call it again: each revision is old or new, and no old one without a copy is gone.

    The second call goes through a proxy too, and fails the test if it asks what no interruption is for.
    """
    for number, color in enumerate(("blue", "green")):
        template = chart(folder, {"shirt": manifest(STABLE_SHIRT, "shirt", {"color": color})})
        (it.upgrade if number else it.install)("r", template).expect_ok()
    for number in (1, 2):
        store(namespace, "r", number, OLD)
    command = [str(executable(it.home)), "unserved", "r", "--fix", "-n", namespace.name]
    proxy = Proxy(plane, folder / "unserved.kubeconfig")
    environ = {"KUBECONFIG": str(proxy.kubeconfig)}
    with proxy:
        proxy.kill(lambda: start(command, it, environ), interruption.at(namespace))
        between = [each.manifest for each in namespace.releases("r")]
        assert all(each in (OLD, NOW) for each in between)
        saved = {item["metadata"]["name"] for item in copies(it)}
        assert {f"sh.helm.release.v1.r.v{at + 1}" for at, each in enumerate(between) if each == NOW} <= saved
        proxy.requests.clear()
        done = subprocess.run(command, env={**it.env, **environ}, cwd=it.home, capture_output=True, text=True)
        asked = asked_in(proxy, namespace)
    assert (done.returncode, done.stderr) == (0, "")
    assert [each.manifest for each in namespace.releases("r")] == [NOW, NOW]
    assert {f"sh.helm.release.v1.r.v{number}" for number in (1, 2)} <= {item["metadata"]["name"] for item in copies(it)}
    if between == [OLD, OLD]:
        assert asked == sorted(_ASKED)
