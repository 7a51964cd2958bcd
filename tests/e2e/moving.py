"""Two releases and what moves between them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.e2e.api import Namespace
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import Env, Helm, executable
from tests.e2e.killing import interruptions
from tests.e2e.kinds import CONFIG_MAP
from tests.e2e.proxy import Point, Proxy
from tests.e2e.test_run import start

MOVED, STAYS = "moved", "stays"
NAME = "meta.helm.sh/release-name"


def config(name: str, value: str = "1", **more: Any) -> dict[str, Any]:
    return manifest(CONFIG_MAP, name, {"a": value}, **more)


def old_chart(folder: Path, value: str = "1", *, moved: bool = True) -> Path:
    """The chart of the release that loses an object, with it or without."""
    return chart(folder, {STAYS: config(STAYS, value), **({MOVED: config(MOVED, value)} if moved else {})})


def new_chart(folder: Path, value: str = "b") -> Path:
    """The chart of the release that gets it."""
    return chart(folder, {MOVED: config(MOVED, value), "new": config("new", value)})


def move(it: Helm, *arguments: str, env: Env | None = None) -> subprocess.CompletedProcess[str]:
    """``postrender move`` in Helm's own environment and namespace."""
    return subprocess.run(
        [
            str(executable(it.home)),
            "move",
            *arguments,
            "--yes",
            *(() if "--undo" in arguments else ("-n", it.namespace)),
        ],
        env={**it.env, **(env or {})},
        cwd=it.home,
        capture_output=True,
        text=True,
        check=False,
    )


def moved(it: Helm, *arguments: str, env: Env | None = None) -> str:
    """What ``move`` prints where it succeeds."""
    done = move(it, *arguments, env=env)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


def records(it: Helm) -> list[Path]:
    """The records of all moves, oldest first."""
    return sorted((Path(it.env["XDG_STATE_HOME"]) / "postrender" / "move").glob("*.json"))


def owner(namespace: Namespace, name: str = MOVED) -> str:
    return namespace.owner(CONFIG_MAP, name)


def unmarked(namespace: Namespace, name: str = MOVED) -> bool:
    """Whether nothing of a protection is left on an object."""
    return not {"helm.sh/resource-policy", "postrender/moving"} & set(namespace.annotations(CONFIG_MAP, name))


def stored_names(namespace: Namespace, release: str) -> list[list[str]]:
    """The objects in each stored manifest of a release, ascending."""
    return [
        [each["metadata"]["name"] for each in yaml.safe_load_all(revision.manifest) if each]
        for revision in namespace.releases(release)
    ]


def two_revisions(it: Helm, folder: Path) -> None:
    """Release a with the object in two revisions."""
    it.install("a", old_chart(folder)).expect_ok()
    it.upgrade("a", old_chart(folder, "2")).expect_ok()


Then = Callable[[Helm, Namespace, Path], object]


def repeated(it: Helm, namespace: Namespace, _: Path) -> None:
    """The same command again: the same end as without a kill, and it can be undone."""
    moved(it, *COMMAND)
    assert (owner(namespace), unmarked(namespace)) == ("b", True)
    assert stored_names(namespace, "a") == [[STAYS], [STAYS]]
    assert not unfinished(it)
    if records(it):
        undone(it, namespace, Path())


def repeated_elsewhere(it: Helm, namespace: Namespace, folder: Path) -> None:
    """The same command where nothing is known of the first one."""
    it.env["XDG_STATE_HOME"] = str(folder / "elsewhere")
    moved(it, *COMMAND)
    assert (owner(namespace), unmarked(namespace)) == ("b", True)
    assert stored_names(namespace, "a") == [[STAYS], [STAYS]]


def undone(it: Helm, namespace: Namespace, _: Path) -> None:
    """What the interrupted one wrote is taken back."""
    if records(it):
        moved(it, "--undo", str(records(it)[-1]))
    assert (owner(namespace), unmarked(namespace)) == ("a", True)
    assert [sorted(each) for each in stored_names(namespace, "a")] == [[MOVED, STAYS]] * 2
    assert not unfinished(it)


def left_out(it: Helm, namespace: Namespace, folder: Path) -> None:
    """The old release is upgraded without the object, as somebody does who believes that it is moved already."""
    begun = not unmarked(namespace) or owner(namespace) == "b"
    it.upgrade("a", old_chart(folder, "3", moved=False)).expect_ok()
    assert (namespace.get(CONFIG_MAP, MOVED) is not None) == begun
    if begun:
        moved(it, *COMMAND)
        assert (owner(namespace), unmarked(namespace)) == ("b", True)


def kept_in_the_chart(it: Helm, namespace: Namespace, folder: Path) -> None:
    """An upgrade with the object fails and is rolled back, which deletes what the older revision lacks."""
    flag = "--rollback-on-failure" if it.major >= 4 else "--atomic"
    broken = chart(folder, {MOVED: config(MOVED, "3"), "bad": config("Not_A_Name")})
    cause = "invalid ownership metadata" if owner(namespace) == "b" else "Not_A_Name"
    failed = it.upgrade("a", broken, flag, "--timeout", "5s")
    assert cause in failed.error
    assert namespace.get(CONFIG_MAP, MOVED) is not None
    moved(it, *COMMAND)
    assert (owner(namespace), unmarked(namespace)) == ("b", True)


def rolled_back(it: Helm, namespace: Namespace, _: Path) -> None:
    it.rollback("a", 1)
    assert namespace.get(CONFIG_MAP, MOVED) is not None
    moved(it, *COMMAND)
    assert (owner(namespace), unmarked(namespace)) == ("b", True)
    it.uninstall("a").expect_ok()
    assert namespace.get(CONFIG_MAP, MOVED) is not None


def installed(it: Helm, namespace: Namespace, folder: Path) -> None:
    """The new release is installed at once: it is refused, or has the object for good."""
    done = it.install("b", new_chart(folder))
    if done.ok:
        it.uninstall("a").expect_ok()
    assert namespace.content(CONFIG_MAP, MOVED) == {"a": "b" if done.ok else "2"}


AFTERWARDS: tuple[Then, ...] = (
    repeated,
    repeated_elsewhere,
    undone,
    left_out,
    kept_in_the_chart,
    rolled_back,
    installed,
)

COMMAND = (f"configmaps/{MOVED}", "--from", "a", "--to", "b")


def unfinished(it: Helm) -> list[Path]:
    return list((Path(it.env["XDG_STATE_HOME"]) / "postrender" / "move").rglob("*.unfinished"))


def interrupted(it: Helm, namespace: Namespace, plane: ControlPlane, folder: Path, point: Point, then: Then) -> None:
    """Kill a move at a request, and do something else then: the object is never lost, and never changed."""
    two_revisions(it, folder)
    uid = namespace.uid(CONFIG_MAP, MOVED)
    command = [str(executable(it.home)), "move", *COMMAND, "--yes", "-n", namespace.name]
    proxy = Proxy(plane, folder / "move.kubeconfig")
    with proxy:
        here = point.request.replace("/namespaces/NS/", f"/namespaces/{namespace.name}/")
        it.env["KUBECONFIG"] = str(proxy.kubeconfig)
        proxy.kill(lambda: start(command, it, {}), Point(here, point.nth, point.when))
        assert namespace.content(CONFIG_MAP, MOVED) == {"a": "2"}
        then(it, namespace, folder)
    if namespace.get(CONFIG_MAP, MOVED) is not None:
        assert namespace.uid(CONFIG_MAP, MOVED) == uid


class Killed(NamedTuple):
    """A request of a move at which it is killed, and what is done then."""

    point: Point
    then: Then

    def __str__(self) -> str:
        """``PUT-v2-1-after-repeated``: also a test's name."""
        method, path = self.point.request.split()
        last = path.rpartition("/")[2].rpartition(".")[2]
        return "-".join((method, last, str(self.point.nth), self.point.when, self.then.__name__.replace("_", " ")))


_OBJECT = f"PATCH /api/v1/namespaces/NS/configmaps/{MOVED}"
_STORED = tuple(f"/api/v1/namespaces/NS/secrets/sh.helm.release.v1.a.v{number}" for number in (1, 2))
WRITES = ((_OBJECT, 1), (f"PUT {_STORED[1]}", 1), (f"PUT {_STORED[0]}", 1), (_OBJECT, 2))
_SECRETS, _CONFIG_MAPS = (f"GET /api/v1/namespaces/NS/{plural}" for plural in ("secrets", "configmaps"))
REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
ASKED = (
    *(_SECRETS, *(f"GET {each}" for each in _STORED), _SECRETS, _CONFIG_MAPS, "GET /api", "GET /api", "GET /apis"),
    *(f"{_CONFIG_MAPS}/{MOVED}", _SECRETS, _CONFIG_MAPS, REVIEW, REVIEW),
    *(request for request, _ in WRITES[:3]),
    *(_SECRETS, f"GET {_STORED[1]}", _OBJECT),
)
"""All that an undisturbed move asks, some of the reads in any order."""
READS = tuple(Killed(each.point, repeated) for each in interruptions(ASKED) if not each.writes)
EVERY_MOVE = tuple(
    Killed(Point(request, nth, when), then)
    for request, nth in WRITES
    for when in ("before", "after")
    for then in AFTERWARDS
)
SOME_MOVES = (
    Killed(Point(*WRITES[0], "after"), left_out),
    Killed(Point(*WRITES[1], "after"), rolled_back),
    Killed(Point(*WRITES[2], "after"), kept_in_the_chart),
    Killed(Point(*WRITES[3], "before"), repeated),
    Killed(Point(*WRITES[2], "before"), repeated_elsewhere),
    Killed(Point(*WRITES[3], "after"), installed),
    Killed(Point(*WRITES[1], "before"), undone),
)
