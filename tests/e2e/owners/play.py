"""The table's rows, played against a real API server: by the library, or with the real programs."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from postrender.cluster.client import Cluster, connect
from postrender.errors import ClusterError, Refused
from postrender.helm.invocation import Action, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import Connection, GroupKind, GroupVersionKind, ObjectKey, ReleaseName, Resource
from postrender.operations import adopt
from postrender.operations.filter.pipeline import filter_stream
from postrender.operations.orphans import Scope, search
from postrender.planner.policy import Adopt, Policy
from tests.e2e.api import Namespace, Object
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane
from tests.e2e.helm import RUN_WITHIN, Filter, Helm, Run, executable
from tests.e2e.kinds import CONFIG_MAP, SECRET
from tests.tools import assets

TABLE: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "table.yaml").read_text())
OWNER, THIEF, GHOST = "owner", "thief", "ghost"
THING, REST = "thing", "rest"
_RESOURCE = Resource(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", True)
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Row:
    """One owner, one object, one action; ``helm`` is ``""`` for an action that no Helm takes part in."""

    action: str
    state: str
    metadata: str
    driver: str
    caller: str
    helm: str
    owner: str

    def __str__(self) -> str:
        words = (
            self.action,
            self.state,
            f"metadata {self.metadata}",
            f"{self.driver} asked by {self.caller}",
            self.helm,
        )
        return ", ".join(word for word in words if word)

    @property
    def expected(self) -> str:
        """The decision that the table states."""
        decision: str = TABLE["decisions"][self.action][self.owner]
        own: str = TABLE["states"][self.state].get(self.action, decision)
        return own


def rows() -> Iterator[Row]:
    """Every row of the table."""
    for action, state in itertools.product(TABLE["decisions"], TABLE["states"]):
        for metadata, driver, caller, helm in _combinations(action, TABLE):
            yield Row(action, state, metadata, driver, caller, helm, TABLE["states"][state]["owner"])
    unseen = TABLE["unseen"]
    for action, (state, owner) in itertools.product(unseen["actions"], unseen["states"].items()):
        for metadata, driver, caller, helm in _combinations(action, unseen):
            yield Row(action, state, metadata, driver, caller, helm, owner)


def quick() -> list[Row]:
    """The rows of every test run: each state with each action and each driver once, the rest taken in turn."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows():
        unseen = row.caller if row.caller in TABLE["unseen"]["callers"] else ""
        found.setdefault((row.action, row.state, row.driver, unseen), []).append(row)
    return [each[place % len(each)] for place, each in enumerate(found.values())]


def _combinations(action: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    metadata = [str(each).lower() for each in table["metadata"]]
    helms = TABLE["helms"] if action in ("filter", "drop") else [""]
    return itertools.product(
        metadata[:1] if action in TABLE["only_true"] else metadata, TABLE["drivers"], table["callers"], helms
    )


class Stage:
    """A namespace with the owner's records and the object."""

    def __init__(self, plane: ControlPlane, row: Row, folder: Path, cache: Path) -> None:
        self.plane = plane
        self.row = row
        self.namespace: Namespace = plane.namespace(f"own-{os.getpid()}-{next(_NUMBERS)}")
        self.folder = folder / self.namespace.name
        self.folder.mkdir(parents=True)
        self.cache = cache
        self.key = ObjectKey(GroupKind("", "ConfigMap"), self.namespace.name, THING)

    def play(self) -> str:
        """What came of it by the library, in the words of the table."""
        self._store_owner()
        self.namespace.create(self._thing(), CONFIG_MAP)
        uid = self.namespace.uid(CONFIG_MAP, THING)
        if self.row.action == "drop":
            self._store(THIEF, 1, "deployed", self.row.caller, _stream(THING, REST))
        cluster = connect(Connection(kubeconfig=str(self.plane.kubeconfig)))
        try:
            said = getattr(self, f"_{self.row.action}")(cluster)
        except Refused as error:
            said = f"refused {', '.join(code for code in ('PR101', 'PR404') if code in str(error))}"
        except ClusterError:
            said = "not known"
        return self._held(said, uid)

    def play_really(self) -> str:
        """The same with the real programs."""
        helm = Helm(
            assets.find(f"helm@{self.row.helm or TABLE['helms'][0]}"),
            self.row.helm or TABLE["helms"][0],
            self.folder / "home",
            self.plane.kubeconfig,
            self.namespace.name,
            self.cache,
        )
        environ = {"HELM_DRIVER": self.row.caller}
        both = chart(self.folder, {"rest": _body(REST), "thing": _body(THING)}, name=THIEF)
        if self.row.action == "drop":
            helm.install(THIEF, both, env=environ).expect_ok()
            metadata = self._metadata()
            self.namespace.patch(CONFIG_MAP, THING, {"metadata": metadata})
        else:
            self.namespace.create(self._thing(), CONFIG_MAP)
        self._store_owner()
        uid = self.namespace.uid(CONFIG_MAP, THING)
        if self.row.action == "filter":
            args = ("--adopt=orphans", "--adopt=unmanaged")
            done = helm.install(THIEF, both, filter=Filter(args), env=environ)
            code, said = _exit_code(done), done.stderr
        elif self.row.action == "drop":
            done = helm.upgrade(THIEF, chart(self.folder, {"rest": _body(REST)}, name=THIEF), filter=True, env=environ)
            code, said = _exit_code(done), done.stderr
        else:
            arguments = {
                "adopt": ["adopt", THIEF, f"configmaps/{THING}", "--yes"],
                "orphans": ["orphans", "--output", "name", "--detailed-exitcode"],
            }
            ended = subprocess.run(
                [str(executable(helm.home)), *arguments[self.row.action], "-n", self.namespace.name],
                env={**helm.env, **environ},
                capture_output=True,
                text=True,
                timeout=RUN_WITHIN,
            )
            code, said = ended.returncode, ended.stdout + ended.stderr
        if code == 4:
            return self._held(f"refused {', '.join(word for word in ('PR101', 'PR404') if f'({word})' in said)}", uid)
        if code == 5:
            return self._held("not known", uid)
        if self.row.action == "orphans":
            return self._held(
                "listed"
                if f"configmaps/{self.namespace.name}/{THING}" in said and code == 10
                else "not listed"
                if code == 0
                else f"exit {code}: {said}",
                uid,
            )
        done_well = {"filter": "taken", "adopt": "taken", "drop": "deleted"}[self.row.action]
        return self._held(done_well if code == 0 else f"exit {code}: {said}", uid)

    def _filter(self, cluster: Cluster) -> str:
        filter_stream(
            yaml.safe_dump(_body(THING)).encode(),
            self._invocation(Action.INSTALL),
            Policy(adopt=frozenset(Adopt)),
            cluster,
            cluster,
        )
        return "taken"

    def _drop(self, cluster: Cluster) -> str:
        filter_stream(
            yaml.safe_dump(_body(REST)).encode(), self._invocation(Action.UPGRADE), Policy(), cluster, cluster
        )
        self.namespace.delete(CONFIG_MAP, THING)  # As Helm then does.
        return "deleted"

    def _adopt(self, cluster: Cluster) -> str:
        release = ReleaseName(self.namespace.name, THIEF)
        looked = adopt.plan_adoption(cluster, release, self.row.caller, [(_RESOURCE, self.key)], absent=False)
        adopt.carry_out(cluster, looked.adoptions, release, self.row.caller, lambda _: None)
        return "taken"

    def _orphans(self, cluster: Cluster) -> str:
        scope = Scope(self.namespace.name, "app.kubernetes.io/managed-by=Helm", self.row.caller)
        found = search(cluster, scope, lambda *_: None)
        if found.undecided or found.failed:
            return "not known"
        return "listed" if self.key in [each.live.key for each in found.orphans] else "not listed"

    def _invocation(self, action: Action) -> Invocation:
        release = ReleaseName(self.namespace.name, THIEF)
        return Invocation(HelmVersion.parse(self.row.helm), action, release, driver=self.row.caller)

    def _held(self, said: str, uid: str) -> str:
        """What was said, if the live object bears it out; else that, and how it does not."""
        live = self.namespace.get(CONFIG_MAP, THING)
        if said == "deleted":
            return said if live is None else "said to be deleted, and is there"
        if live is None or live["metadata"]["uid"] != uid:
            return f"{said}, and deleted"
        taken = live["metadata"].get("annotations", {}).get("meta.helm.sh/release-name") == THIEF
        return said if taken == (said == "taken") else f"{said}, and {'taken' if taken else 'not taken'}"

    def _thing(self) -> Object:
        body = _body(THING)
        return {**body, "metadata": {**body["metadata"], **self._metadata()}}

    def _metadata(self) -> Object:
        named = {"true": OWNER, "spoofed": GHOST, "misspelt": OWNER[:-1]}.get(self.row.metadata)
        if named is None:
            return {}
        return {
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {
                "meta.helm.sh/release-name": named,
                "meta.helm.sh/release-namespace": self.namespace.name,
            },
        }

    def _store_owner(self) -> None:
        for revision, record in enumerate(TABLE["states"][self.row.state]["records"], start=1):
            status, _, odd = record.partition(" ")
            self._store(OWNER, revision, status, self.row.driver, _stream(THING), odd)

    def _store(self, name: str, revision: int, status: str, driver: str, stream: str, odd: str = "") -> None:
        kind = CONFIG_MAP if driver == "configmap" else SECRET
        self.namespace.create(a_record(self.namespace.name, name, revision, status, driver, stream, odd), kind)


def a_record(namespace: str, name: str, revision: int, status: str, driver: str, stream: str, odd: str = "") -> Object:
    """A revision as Helm stores it (pkg/storage/driver of 3.21.4), or something ``odd`` in its place."""
    content = {
        "name": name,
        "namespace": namespace,
        "version": revision,
        "manifest": stream,
        "info": {
            "status": status,
            "first_deployed": "2026-01-01T00:00:00Z",
            "last_deployed": "2026-01-01T00:00:00Z",
            "deleted": "",
        },
        "chart": {"metadata": {"apiVersion": "v2", "name": name, "version": "0.1.0"}},
    }
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()
    if odd == "broken":
        packed = base64.b64encode(b"\x1f\x8b no gzip").decode()
    wrapped = packed if driver == "configmap" else base64.b64encode(packed.encode()).decode()
    named = f"sh.helm.release.v1.{name}.v{revision}" if odd not in ("foreign", "forged") else f"settings-{revision}"
    body: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap" if driver == "configmap" else "Secret",
        "metadata": {
            "name": named,
            "labels": {"owner": "helm", "name": name, "status": status, "version": str(revision)},
        },
        "data": {} if odd == "foreign" else {"release": wrapped},
    }
    if driver != "configmap":
        body["type"] = "Opaque" if odd in ("foreign", "forged") else "helm.sh/release.v1"
    return body


def _body(name: str) -> Object:
    return manifest(CONFIG_MAP, name, {"a": "1"})


def _stream(*names: str) -> str:
    return "".join(f"---\n{yaml.safe_dump(_body(name))}" for name in names)


def _exit_code(run: Run) -> int:
    """The filter's exit code, as Helm 3 repeats it; of Helm 4, which does not, by whether a code stands there."""
    if run.ok:
        return 0
    said = run.stderr
    return next((code for code in (1, 2, 3, 4, 5) if f"exit status {code}" in said), 4 if "(PR" in said else 5)
