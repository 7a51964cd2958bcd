"""What goes wrong, brought about with the real programs: what is printed then holds every hint of the code."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.api import MERGE_PATCH, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.errors import Stage, another_role, config, field_of_somebody_else, shirt
from tests.e2e.helm import Filter, Run
from tests.e2e.kinds import BETA_SHIRT, CONFIG_MAP, ROLE_BINDING, SECRET, SERVICE, STABLE_SHIRT, Kind, definition

TLS = Path(__file__).parents[1] / "wire" / "tls"


@dataclass(frozen=True)
class Failed:
    """What a run printed, the command line, and how it is run again after a cure, if it is to succeed then.

    ``fix`` removes the cause of what only says to run the same again; ``folder`` is where it ran.
    """

    said: str
    ran: str
    again: Callable[[], int]
    cured: bool = True
    stdin: str = ""
    fix: Callable[[], object] | None = None
    folder: str = "."

    @property
    def hints(self) -> list[str]:
        """What is advised, in order, each once."""
        flat = re.sub(r" \\\n +", " ", self.said)
        found = re.findall(r"^ *(?:- )?(?:hint:|take back |adopt     |delete    ) +(.+)$", flat, re.MULTILINE)
        return list(dict.fromkeys(found))


Play = Callable[[Stage], Failed]


def typed(stage: Stage, line: str, stdin: str = "", folder: str = ".") -> tuple[int, str]:
    """A line in the shell of the stage: its exit code and all that it printed."""
    done = subprocess.run(
        ["sh", "-c", line],
        env=stage.it.env,
        cwd=stage.it.home / folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


def helm(stage: Stage, *arguments: str, filter: tuple[str, ...] = (), cured: bool = True) -> Failed:
    """What a filtered Helm printed."""

    def once() -> Run:
        return stage.it.run(*arguments, filter=Filter(filter))

    run = once()
    return Failed(run.stderr, shlex.join(run.command), lambda: once().exit_code, cured)


def ours(stage: Stage, line: str, *, cured: bool = False, stdin: str = "", folder: str = ".") -> Failed:
    """What a command of ours printed, with ``-n`` of the stage for ``-n NS``."""
    line = line.replace("-n NS", f"-n {stage.namespace.name}")
    _, said = typed(stage, line, stdin, folder)
    return Failed(said, line, lambda: typed(stage, line, stdin, folder)[0], cured, stdin, folder=folder)


def kept(stage: Stage, *objects: Any, version: str = "") -> None:
    """Objects of a release ``shop`` that was uninstalled."""
    it = stage.helm(version or stage.version)
    it.install("shop", stage.chart(*objects)).expect_ok()
    it.uninstall("shop").expect_ok()


# With a Helm and a cluster: what the filter says.


def orphan(stage: Stage) -> Failed:
    place = stage.chart(config(keep=True))
    stage.it.install("old", place).expect_ok()
    stage.it.uninstall("old").expect_ok()
    return helm(stage, "install", "shop", str(place))


def unmanaged(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return helm(stage, "install", "shop", str(stage.chart(config())))


def foreign(stage: Stage) -> Failed:
    place = stage.chart(config())
    stage.it.install("old", place).expect_ok()
    return helm(stage, "install", "shop", str(place))


def terminating(stage: Stage) -> Failed:
    body = shirt(STABLE_SHIRT)
    stage.namespace.create({**body, "metadata": {**body["metadata"], "finalizers": ["example.com/wait"]}}, STABLE_SHIRT)
    stage.namespace.delete(STABLE_SHIRT, "shirt")

    def release() -> None:
        time.sleep(5)
        stage.namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"finalizers": None}})

    found = helm(stage, "install", "shop", str(stage.chart(body)))
    threading.Thread(target=release, daemon=True).start()
    return found


def immutable(stage: Stage) -> Failed:
    another_role(stage)
    stage.it.uninstall("shop")
    binding = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "c"}
    return helm(stage, "install", "shop", str(stage.chart(manifest(ROLE_BINDING, "shop", binding, keep=True))))


def stored_live(stage: Stage) -> Failed:
    kept(stage, shirt(STABLE_SHIRT))
    return helm(stage, "install", "shop", str(stage.chart(shirt(STABLE_SHIRT, "red"))), cured=False)


def drift_fails(stage: Stage) -> Failed:
    kept(stage, shirt(STABLE_SHIRT))
    return helm(stage, "install", "shop", str(stage.chart(shirt(STABLE_SHIRT, "red"))), filter=("--on-drift=fail",))


def replaced(stage: Stage) -> Failed:
    """Two shirts of one name, which this Helm confuses: each is compared with the other one."""
    kept(stage, shirt(BETA_SHIRT, "blue"), shirt(STABLE_SHIRT, "green"))
    swapped = stage.chart(shirt(BETA_SHIRT, "green"), shirt(STABLE_SHIRT, "blue"))
    return helm(stage, "install", "shop", str(swapped), filter=("--stamp=none", "--no-label"))


def server_side(stage: Stage) -> Failed:
    kept(stage, shirt(STABLE_SHIRT))
    return helm(stage, "install", "shop", str(stage.chart(shirt(STABLE_SHIRT))))


def new_in_an_upgrade(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config(name="other"))).expect_ok()
    return helm(stage, "upgrade", "shop", str(stage.chart(config(name="other"), config("1"))), cured=False)


def set_client_side(stage: Stage) -> Failed:
    more = manifest(STABLE_SHIRT, "shirt", {"color": "red", "size": "M"}, labels={"a": "v"})
    less = manifest(STABLE_SHIRT, "shirt", {"color": "red"})
    stage.it.install("shop", stage.chart(config())).expect_ok()
    stage.it.upgrade("shop", stage.chart(config(), more)).expect_ok()
    return helm(stage, "upgrade", "shop", str(stage.chart(config(), less)))


def of_another_manager(stage: Stage) -> Failed:
    assert not field_of_somebody_else(stage).ok
    return helm(stage, "upgrade", "shop", str(stage.chart(config("2"))))


def policy_ahead(stage: Stage) -> Failed:
    kept(stage, shirt(STABLE_SHIRT))
    stage.namespace.patch(STABLE_SHIRT, "shirt", {"metadata": {"annotations": {"helm.sh/resource-policy": "Keep"}}})
    return helm(stage, "install", "shop", str(stage.chart(shirt(STABLE_SHIRT))), cured=False)


def left_behind(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(shirt(STABLE_SHIRT, keep=False), shirt(BETA_SHIRT, keep=False))).expect_ok()
    return helm(stage, "upgrade", "shop", str(stage.chart(shirt(BETA_SHIRT, keep=False))), cured=False)


def moved(stage: Stage) -> Failed:
    """The chart has the object in another version of its group."""
    stage.it.install("shop", stage.chart(shirt(STABLE_SHIRT, keep=False))).expect_ok()
    newer = {**shirt(STABLE_SHIRT, keep=False), "apiVersion": "stable.example.com/v2"}
    return helm(stage, "upgrade", "shop", str(stage.chart(newer)))


def misspelled(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config(), config(name="other", keep="Keep "))).expect_ok()
    return helm(stage, "upgrade", "shop", str(stage.chart(config())))


def data_lost(stage: Stage) -> Failed:
    kind = Kind(f"{stage.namespace.name}.example.com", "v1", "Gadget", "gadgets")
    stage.it.install("shop", stage.chart(config(), definition(kind))).expect_ok()
    path = kind.path(stage.namespace.name)
    wait_until(lambda: _served(stage, path), "the kind to be served")
    stage.namespace.create(manifest(kind, "g", {"color": "red"}), kind)
    return helm(stage, "upgrade", "shop", str(stage.chart(config())))


def _served(stage: Stage, path: str) -> bool:
    try:
        return stage.namespace.api.request("GET", path) is not None
    except Exception:
        return False


def undone(stage: Stage) -> Failed:
    kept(stage, config(keep=True))
    return helm(
        stage, "install", "shop", str(stage.chart(config())), "--atomic", "--timeout=20s", filter=("--stamp=none",)
    )


def password(stage: Stage) -> Failed:
    kept(stage, manifest(SECRET, "login", {"password": "b2xk"}, keep=True))
    place = stage.chart(manifest(SECRET, "login", {"password": "bmV3"}, keep=True))
    return helm(stage, "install", "shop", str(place), cured=False)


def string_data(stage: Stage) -> Failed:
    """What Helm 4 sets by ``stringData`` and the chart drops, no apply removes."""
    before, after = (
        {**manifest(SECRET, "login"), "stringData": content} for content in ({"a": "1", "token": "2"}, {"a": "1"})
    )
    stage.it.install("shop", stage.chart(before)).expect_ok()
    return helm(stage, "upgrade", "shop", str(stage.chart(after)), cured=False)


def of_kubectl(stage: Stage) -> Failed:
    stage.namespace.apply(manifest(CONFIG_MAP, "a", {"mine": "1", "theirs": "2"}), CONFIG_MAP, "kubectl")
    place = stage.chart(manifest(CONFIG_MAP, "a", {"mine": "1"}))
    return helm(stage, "install", "shop", str(place), filter=("--adopt=unmanaged",), cured=False)


def headless(stage: Stage) -> Failed:
    spec = {"ports": [{"port": 80}], "selector": {"a": "b"}}
    stage.it.install("shop", stage.chart(manifest(SERVICE, "a", {**spec, "clusterIP": "None"}))).expect_ok()
    return helm(stage, "upgrade", "shop", str(stage.chart(manifest(SERVICE, "a", spec))), cured=False)


def hook(stage: Stage) -> Failed:
    stage.namespace.create(manifest(CONFIG_MAP, "a", {"mine": "1"}), CONFIG_MAP)
    body = manifest(CONFIG_MAP, "a", {"x": "1"}, annotations={"helm.sh/hook": "pre-install"})
    return helm(stage, "install", "shop", str(stage.chart(config(), body)))


def not_yaml(stage: Stage) -> Failed:
    """Helm takes it, and ownership metadata cannot be added to it."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    1: a\n    '1': b\n"
    return helm(stage, "install", "shop", str(stage.chart(text={"a": text})), filter=("--stamp=all",), cured=False)


def not_kept(stage: Stage) -> Failed:
    """A field that is to keep its live value, and that neither the chart nor the live object has."""
    kept(stage, config(keep=True))
    place = stage.chart(config(keep=True))
    return helm(stage, "install", "shop", str(place), filter=("--keep-live=configmaps/cfg:data.nope",))


def departed(stage: Stage) -> Failed:
    """The release changed since the plan was saved."""
    place = stage.chart(config("1"))
    code, said = typed(stage, f"postrender plan shop {place} -n {stage.namespace.name} --save plan.json")
    assert code == 0, said
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return helm(
        stage,
        "install",
        "shop",
        str(place),
        filter=(f"--plan={stage.it.home}/plan.json", "--adopt=unmanaged"),
        cured=False,
    )


def on_drift_unwritable(stage: Stage) -> Failed:
    """A plan from a file cannot write to the live objects."""
    kept(stage, shirt(STABLE_SHIRT))
    live = "kubectl get shirts.v1.stable.example.com,secrets -n NS -o yaml > live.yaml"
    code, said = typed(stage, live.replace("NS", stage.namespace.name))
    assert code == 0, said
    text = yaml.safe_dump(shirt(STABLE_SHIRT, "red"))
    line = "postrender --release shop -n NS --helm-version 3.21.4 --action install --live live.yaml --on-drift apply"
    return ours(stage, line, stdin=text, cured=False)


# ``postrender run``.


def run_refused(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    found = ours(stage, f"postrender run -- helm install shop {stage.chart(config())} -n NS", cured=True)
    return replace(found, fix=lambda: stage.namespace.delete(CONFIG_MAP, "cfg"))


def run_no_upgrade(stage: Stage) -> Failed:
    kept(stage, shirt(STABLE_SHIRT))
    place = stage.chart(shirt(STABLE_SHIRT, "red"))
    return ours(stage, f"postrender run --no-upgrade -- helm install shop {place} -n NS")


def run_with_a_renderer(stage: Stage) -> Failed:
    return ours(stage, f"postrender run -- helm install shop {stage.chart(config())} -n NS --post-renderer cat")


def run_failed(stage: Stage) -> Failed:
    bad = stage.chart(config(name="Not A Name"))
    line = f"postrender run -- helm install shop {bad} -n NS"
    found = ours(stage, line)
    (bad / "templates" / "0.yaml").write_text(yaml.safe_dump(config()))
    return found


def run_reinstalls(stage: Stage) -> Failed:
    """The name is in use by a history that an uninstall kept."""
    place = stage.chart(config())
    stage.it.install("shop", place).expect_ok()
    stage.it.uninstall("shop", "--keep-history").expect_ok()
    return ours(stage, f"postrender run -- helm install shop {place} -n NS")


def run_apart(stage: Stage) -> Failed:
    """Somebody changes an object right after Helm."""
    place = stage.chart(config("1"))
    later, it = stage.it.home / "later", stage.it
    patch = f'patch configmaps cfg -n {stage.namespace.name} --type=merge -p \'{{"data": {{"a": "9"}}}}\''
    kubectl = f"{stage.folder}/bin/kubectl --kubeconfig {it.env['KUBECONFIG']} {patch}"
    later.write_text(f'#!/bin/sh\n{it.binary} "$@" || exit\n[ $1 != install ] || {kubectl} >&2\n')
    later.chmod(0o755)
    return ours(stage, f"postrender run -- ./later install shop {place} -n NS")


# Commands that ask a cluster.


def drift(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config("1"))).expect_ok()
    stage.namespace.patch(CONFIG_MAP, "cfg", {"data": {"a": "9"}})
    return ours(stage, "postrender verify shop -n NS --detailed-exitcode", cured=True)


def lost_owner(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config("1"))).expect_ok()
    stage.namespace.patch(
        CONFIG_MAP, "cfg", {"metadata": {"annotations": {"meta.helm.sh/release-name": None}, "labels": None}}
    )
    return ours(stage, "postrender verify shop -n NS --detailed-exitcode", cured=True)


def of_two_releases(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config("1"))).expect_ok()
    stage.it.install("other", stage.chart(config(name="b"))).expect_ok()
    stage.namespace.patch(CONFIG_MAP, "cfg", {"metadata": {"annotations": {"meta.helm.sh/release-name": "other"}}})
    return ours(stage, "postrender verify shop -n NS --detailed-exitcode")


def pinned(stage: Stage) -> Failed:
    kept(stage, shirt(BETA_SHIRT), shirt(STABLE_SHIRT, "green"))
    helm(stage, "install", "shop", str(stage.chart(shirt(BETA_SHIRT), shirt(STABLE_SHIRT, "green"))))
    return ours(stage, "postrender verify shop -n NS --detailed-exitcode")


def unpinned(stage: Stage) -> Failed:
    pinned(stage)
    return ours(stage, "postrender unpin shop -n NS")


def not_installed(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config()), env={"HELM_DRIVER": "configmap"}).expect_ok()
    return ours(stage, "postrender verify shop -n NS")


def uninstalled(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config())).expect_ok()
    stage.it.uninstall("shop", "--keep-history").expect_ok()
    return ours(stage, "postrender verify shop -n NS")


def stored_badly(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config())).expect_ok()
    _rewrite(stage, lambda body: body.update(manifest="a: b: c"))
    return ours(stage, "postrender verify shop -n NS")


def pending(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config("1"))).expect_ok()
    stage.it.upgrade("shop", stage.chart(config("2"))).expect_ok()
    _rewrite(stage, lambda body: body["info"].update(status="pending-upgrade"), 2, "pending-upgrade")
    stage.namespace.patch(CONFIG_MAP, "cfg", {"data": {"a": "9"}})
    return ours(stage, "postrender verify shop -n NS --fix --yes", cured=True)


def _rewrite(stage: Stage, change: Callable[[Any], object], revision: int = 1, status: str = "") -> None:
    path = SECRET.path(stage.namespace.name, f"sh.helm.release.v1.shop.v{revision}")
    secret = stage.namespace.api.request("GET", path)
    body = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
    change(body)
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(body).encode()))).decode()
    patch: dict[str, Any] = {"data": {"release": packed}}
    if status:
        patch["metadata"] = {"labels": {"status": status}}
    stage.namespace.api.request("PATCH", path, patch, content_type=MERGE_PATCH)


def unserved(stage: Stage) -> Failed:
    """A stored manifest with an object of an API that was removed."""
    stage.it.install("shop", stage.chart(config())).expect_ok()
    removed = "---\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\n"
    _rewrite(stage, lambda body: body.update(manifest=body["manifest"] + removed))
    return helm(stage, "upgrade", "shop", str(stage.chart(config())))


def unpin_fails(stage: Stage) -> Failed:
    """A stored manifest whose resourceVersion cannot be removed without a change of something else."""
    stage.it.install("shop", stage.chart(config())).expect_ok()
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, 1: a, '1': b, resourceVersion: '5'}\n"
    _rewrite(stage, lambda body: body.update(manifest=text))
    return ours(stage, "postrender unpin shop -n NS")


def undecodable(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config(keep=True))).expect_ok()
    path = SECRET.path(stage.namespace.name, "sh.helm.release.v1.shop.v1")
    patch = {"data": {"release": base64.b64encode(b"!").decode()}}
    stage.namespace.api.request("PATCH", path, patch, content_type=MERGE_PATCH)
    return ours(stage, "postrender adopt new configmaps/cfg -n NS --yes", cured=True)


def half_uninstalled(stage: Stage) -> Failed:
    """The newest revision is uninstalled, and an older one says that it is deployed."""
    stage.it.install("shop", stage.chart(config("1", keep=True))).expect_ok()
    stage.it.upgrade("shop", stage.chart(config("2", keep=True))).expect_ok()
    _rewrite(stage, lambda body: body["info"].update(status="deployed"), 1, "deployed")
    _rewrite(stage, lambda body: body["info"].update(status="uninstalled"), 2, "uninstalled")
    return ours(stage, "postrender adopt new configmaps/cfg -n NS --yes", cured=True)


def forged_record(stage: Stage) -> Failed:
    """A Secret of somebody else with the labels of a revision, which Helm counts as one."""
    stage.it.install("shop", stage.chart(config())).expect_ok()
    real = stage.namespace.found(SECRET, "sh.helm.release.v1.shop.v1")
    labels = {**real["metadata"]["labels"], "version": "7", "status": "uninstalled"}
    stage.namespace.create(manifest(SECRET, "forged", real["data"], labels=labels), SECRET)
    return ours(stage, "postrender verify shop -n NS", cured=True)


def left_over(stage: Stage) -> Failed:
    stage.it.install("old", stage.chart(config(keep=True))).expect_ok()
    stage.it.uninstall("old").expect_ok()
    return ours(stage, "postrender orphans -n NS -v", cured=True)


def many_left_over(stage: Stage) -> Failed:
    stage.it.install("old", stage.chart(*(config(keep=True, name=f"c{number}") for number in range(25)))).expect_ok()
    stage.it.uninstall("old").expect_ok()
    return ours(stage, "postrender orphans -n NS")


def orphans_unseen(stage: Stage) -> Failed:
    """Only Helm itself can see the releases in a database."""
    left_over(stage)
    return ours(stage, "HELM_DRIVER=sql postrender orphans -n NS")


def forgotten(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config())).expect_ok()
    return ours(stage, "postrender forget shop -n NS --yes")


def moved_away(stage: Stage) -> Failed:
    for name, body in (("shop", config()), ("other", config(name="b"))):
        stage.it.install(name, stage.chart(body)).expect_ok()
    return ours(stage, "postrender move configmaps/cfg --from shop --to other -n NS --yes")


def renamed(stage: Stage) -> Failed:
    stage.it.install("shop", stage.chart(config())).expect_ok()
    return ours(stage, "postrender rename shop store -n NS --yes")


def adopted(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return ours(stage, "postrender adopt shop configmaps/cfg -n NS --yes")


def adopted_twice(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    (stage.it.home / "report.json").write_text("{}")
    return ours(stage, "postrender adopt shop configmaps/cfg -n NS --yes --report report.json")


def adopted_of_another(stage: Stage) -> Failed:
    stage.it.install("old", stage.chart(config())).expect_ok()
    return ours(stage, "postrender adopt shop configmaps/cfg -n NS --yes")


def adopted_unasked(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return ours(stage, "postrender adopt shop configmaps/cfg -n NS")


def nothing_stored(stage: Stage) -> Failed:
    return ours(stage, "postrender adopt nowhere -n NS --yes")


def no_such_kind(stage: Stage) -> Failed:
    return ours(stage, "postrender adopt nowhere trousers/a -n NS --yes")


def undo_names_objects(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    code, said = typed(
        stage, f"postrender adopt shop configmaps/cfg -n {stage.namespace.name} --yes --report report.json"
    )
    assert code == 0, said
    return ours(stage, "postrender adopt --undo report.json configmaps/cfg --yes")


def undo_of_no_report(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    code, said = typed(stage, f"postrender adopt shop configmaps/cfg -n {stage.namespace.name} --yes")
    assert code == 0, said
    (stage.it.home / "report.json").write_text("{}")
    return ours(stage, "postrender adopt --undo report.json --yes")


def rights(stage: Stage) -> Failed:
    user = stage.control_plane.user(stage.namespace, [])
    return ours(
        stage,
        f"postrender doctor -n NS --kubeconfig {user.kubeconfig} --detailed-exitcode".replace(
            " --detailed-exitcode", ""
        ),
    )


def values_of_nothing(stage: Stage) -> Failed:
    it = stage.it
    it.install("shop", stage.chart(config())).expect_ok()
    return ours(stage, f"postrender plan nowhere {stage.chart(config())} -n NS --reuse-values")


def chart_fails(stage: Stage) -> Failed:
    place = stage.chart(text={"a": "{{ fail .Values.a }}"})
    found = ours(stage, f"postrender plan shop {place} -n NS", cured=True)
    (place / "templates" / "a.yaml").write_text(yaml.safe_dump(config()))
    return found


def blocked_plan(stage: Stage) -> Failed:
    stage.namespace.kubectl_apply(config(), CONFIG_MAP)
    return ours(stage, f"postrender plan shop {stage.chart(config())} -n NS")


def action_unknown(stage: Stage) -> Failed:
    kept(stage, config(keep=True))
    where = f"--kubeconfig {stage.it.env['KUBECONFIG']}"
    line = f"postrender --release new -n NS --helm-version 3.21.4 --adopt orphans {where}"
    return ours(stage, line, stdin=yaml.safe_dump(config(keep=True)))


def driver_unknown(stage: Stage) -> Failed:
    return ours(stage, "HELM_DRIVER=memcached postrender verify shop -n NS")


# Helm's plugins.


def plugin_absent(stage: Stage) -> Failed:
    return ours(stage, "postrender helm-plugin status", cured=True)


def plugin_of_another(stage: Stage) -> Failed:
    _plugin(stage.it.home / "plugins" / "postrender", "postrender")
    return ours(stage, "postrender helm-plugin uninstall", cured=True)


def plugin_linked(stage: Stage) -> Failed:
    _plugin(stage.it.home / "elsewhere", "postrender")
    (stage.it.home / "plugins" / "postrender").symlink_to(stage.it.home / "elsewhere")
    return ours(stage, "postrender helm-plugin uninstall", cured=True)


def plugin_not_listed(stage: Stage) -> Failed:
    """A Helm that does not list what was written just now."""
    other = stage.it.home / "helm4"
    other.write_text(f'#!/bin/sh\n[ "$*" != "plugin list" ] || {{ echo NAME; exit; }}\nexec {stage.it.binary} "$@"\n')
    other.chmod(0o755)
    return ours(stage, f"postrender helm-plugin install --helm {other}")


def plugins_broken(stage: Stage) -> Failed:
    for name in ("one", "two"):
        _plugin(stage.it.home / "plugins" / name, "twice")
    return ours(stage, "postrender helm-plugin install")


def _plugin(folder: Path, name: str) -> None:
    folder.mkdir()
    about = {
        "apiVersion": "v1",
        "type": "postrenderer/v1",
        "name": name,
        "version": "0.1.0",
        "runtime": "subprocess",
        "runtimeConfig": {"platformCommand": [{"command": "/bin/cat"}]},
    }
    (folder / "plugin.yaml").write_text(yaml.safe_dump(about))


def doctor_claimed(stage: Stage) -> Failed:
    _plugin(stage.it.home / "plugins" / "other", "postrender")
    return ours(stage, "postrender doctor --offline")


# Without a cluster.

MANIFEST = yaml.safe_dump(config())
PAIR = "---\n".join(yaml.safe_dump(shirt(kind)) for kind in (BETA_SHIRT, STABLE_SHIRT))
LIVE = yaml.safe_dump({**config(), "metadata": {"name": "cfg", "namespace": "a", "uid": "1", "resourceVersion": "1"}})
SHIRTS = Path(__file__).parents[2] / "examples" / "shirts"
RENDERED = (SHIRTS / "rendered.yaml").read_text()
RELEASE = "--release shop -n a --helm-version 3.21.4 --action install"
FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: a}
spec: {chart: {spec: {chart: shop}}}
"""

LINES: Mapping[str, tuple[str, str]] = {
    "adopt": ("postrender adopt", ""),
    "forget": ("postrender forget", ""),
    "move": ("postrender move", ""),
    "forget by no record": ("postrender forget --undo hr.yaml --yes", ""),
    "doctor of a missing file": ("postrender doctor -f none", ""),
    "an unknown code": ("postrender explain nope", ""),
    "an unknown command": ("postrender plna", ""),
    "an unknown flag": ("postrender verify --nope", ""),
    "stdin is closed": ("postrender --offline <&-", ""),
    "flux with a closed stdin": ("postrender flux hr.yaml --stream - <&-", ""),
    "krm": ("postrender krm", "a: b"),
    "an unknown setting of krm": (
        "postrender krm",
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n"
        "functionConfig: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {nope: x}}\n",
    ),
    "lint for no version": ("postrender lint --kube-version x -", MANIFEST),
    "lint of a missing file": ("postrender lint none.yaml", ""),
    "lint by no rule": ("postrender lint --select XX -", MANIFEST),
    "lint of a kind that is not served": (
        "postrender lint --api-versions other.example.com/v1 --select PL107 -",
        "apiVersion: nowhere.example.com/v1\nkind: Shirt\nmetadata: {name: a}\n",
    ),
    "run": ("postrender run", ""),
    "run of helm list": ("postrender run -- helm list", ""),
    "verify": ("postrender verify", ""),
    "verify of all namespaces": ("postrender verify shop -A", ""),
    "fix of all": ("postrender verify --all --fix", ""),
    "no label key": (f"postrender --offline {RELEASE} --label-key 'a b'", MANIFEST),
    "no cluster named": ("postrender --release shop -n a --helm-version 3.21.4", MANIFEST),
    "no version": (f"postrender --live {SHIRTS}/live.yaml --release shirts -n default --action install", RENDERED),
    "stamps without a look": (f"postrender --offline {RELEASE} --stamp all", MANIFEST),
    "plan": ("postrender plan", ""),
    "snapshot offline": (f"postrender snapshot - --offline {RELEASE}", MANIFEST),
    "a saved plan of another key": (
        "POSTRENDER_DIGEST_KEY=0123456789abcdef0123456789abcdef postrender --live empty.yaml "
        f"{RELEASE} --plan plan.json",
        MANIFEST,
    ),
    "a plan that is none": (f"postrender --live live.yaml {RELEASE} --plan live.yaml", MANIFEST),
    "a short key": (f"POSTRENDER_DIGEST_KEY=x postrender plan - --live live.yaml {RELEASE}", MANIFEST),
    "stdout is full": (f"postrender --offline {RELEASE} > /dev/full", MANIFEST),
    "live objects that are none": (f"postrender --live words.txt {RELEASE}", MANIFEST),
    "flux of a chart in the cluster": ("postrender flux hr.yaml", ""),
    "flux of a chart in a folder": ("postrender flux git.yaml", ""),
    "two HelmReleases": ("postrender flux two.yaml --stream -", MANIFEST),
    "flux is not up to date": ("postrender flux hr.yaml --stream - --check", PAIR),
    "flux in a file with a key twice": ("postrender flux twice.yaml --stream -", PAIR),
    "argocd of an unknown parameter": (
        "env ARGOCD_APP_NAME=shop ARGOCD_APP_NAMESPACE=a "
        'ARGOCD_APP_PARAMETERS=\'[{"name": "nope", "string": "x"}]\' postrender argocd generate',
        "",
    ),
    "an encrypted key": ("postrender orphans -n a --kubeconfig encrypted.yaml", ""),
    "no such context": ("postrender orphans -n a --kube-context nope", ""),
    "no connection": ("postrender orphans -n a --kube-apiserver http://127.0.0.1:9", ""),
    "notes that cannot be kept": ("XDG_STATE_HOME=/dev/null postrender run -- helm install shop ./empty -n a", ""),
}
"""Lines that fail, and what they read, in a folder with the files of ``files``."""


def files(stage: Stage) -> None:
    """What the lines read."""
    home = stage.it.home
    (home / "live.yaml").write_text(LIVE)
    (home / "hr.yaml").write_text(FLUX)
    (home / "git.yaml").write_text(
        FLUX.replace("chart: shop", "chart: ./kept, sourceRef: {kind: GitRepository, name: a}")
    )
    (home / "words.txt").write_text("just words")
    (home / "two.yaml").write_text(f"{FLUX}---\n{FLUX.replace('name: shop', 'name: other', 1)}")
    (home / "twice.yaml").write_text(FLUX.replace("namespace: a}", "namespace: a, labels: {a: b, a: c}}"))
    place = chart(home, {"a": "# nothing\n"})
    place.rename(home / "empty")
    chart(home, {"a": config(keep=True)}, name="kept").rename(home / "kept")
    (home / "empty.yaml").write_text(LIVE.replace("name: cfg", "name: other"))
    code, said = typed(stage, f"postrender plan - --live empty.yaml {RELEASE} --save plan.json", MANIFEST)
    assert code == 0, said
    key, config_ = home / "key.pem", home / "encrypted.yaml"
    subprocess.run(
        ["openssl", "pkey", "-aes128", "-passout", "pass:geheim", "-out", key],
        input=(TLS / "client.pem").read_bytes(),
        check=True,
        capture_output=True,
    )
    user = {"client-certificate": str(TLS / "client.pem"), "client-key": str(key)}
    config_.write_text(
        yaml.safe_dump(
            {
                "current-context": "dev",
                "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": user}],
            }
        )
    )


ARGOCD = "ARGOCD_APP_NAME=shop ARGOCD_APP_NAMESPACE=a postrender argocd"


def argocd_renders_nothing(stage: Stage) -> Failed:
    files(stage)
    return ours(stage, f"{ARGOCD} generate", folder="empty")


def argocd_lacks_a_chart(stage: Stage) -> Failed:
    files(stage)
    with (stage.it.home / "empty" / "Chart.yaml").open("a") as file:
        file.write("dependencies: [{name: more, version: 0.1.0, repository: 'file://../more'}]\n")
    found = ours(stage, f"{ARGOCD} init", folder="empty")
    chart(stage.it.home, {"a": "# nothing\n"}, name="more").rename(stage.it.home / "more")
    return found


def argocd_of_a_release(stage: Stage) -> Failed:
    """Argo CD takes over the objects of a release that is still stored."""
    files(stage)
    place = stage.chart(config())
    stage.it.install("shop", place).expect_ok()
    line = f"ARGOCD_APP_NAME=shop ARGOCD_APP_NAMESPACE={stage.namespace.name} postrender argocd generate -v"
    (stage.it.home / "app").symlink_to(place)
    return ours(stage, f"{line} --kube-context test", folder="app")


def other_version(stage: Stage) -> Failed:
    """The file has the object in another version than the chart, and only a server converts it."""
    stage.namespace.create(shirt(STABLE_SHIRT), STABLE_SHIRT)
    live = f"kubectl get shirts.v1.stable.example.com -n {stage.namespace.name} -o yaml > live.yaml"
    code, said = typed(stage, f"{live}; (echo ---; kubectl get crds shirts.stable.example.com -o yaml) >> live.yaml")
    assert code == 0, said
    newer = yaml.safe_dump({**shirt(STABLE_SHIRT), "apiVersion": "stable.example.com/v2"})
    return ours(stage, f"postrender --live live.yaml {RELEASE}".replace("-n a", "-n NS"), stdin=newer)


def line(name: str) -> Play:
    """The scene of one of ``LINES``."""

    def play(stage: Stage) -> Failed:
        files(stage)
        text, stdin = LINES[name]
        return ours(stage, text, stdin=stdin)

    play.__name__ = name.replace(" ", "_")
    return play


SCENES: tuple[tuple[str, Play], ...] = (
    ("3.21.4", orphan),
    ("4.3.1", orphan),
    ("3.21.4", unmanaged),
    ("3.21.4", foreign),
    ("3.21.4", terminating),
    ("3.21.4", immutable),
    ("3.21.4", stored_live),
    ("3.12.3", drift_fails),
    ("3.12.3", replaced),
    ("4.0.0", server_side),
    ("4.0.0", new_in_an_upgrade),
    ("4.0.0", set_client_side),
    ("4.3.1", of_another_manager),
    ("3.21.4", policy_ahead),
    ("3.12.3", left_behind),
    ("4.0.0", moved),
    ("3.21.4", misspelled),
    ("3.21.4", data_lost),
    ("3.21.4", undone),
    ("3.21.4", password),
    ("4.3.1", string_data),
    ("3.21.4", of_kubectl),
    ("4.3.1", headless),
    ("4.3.1", hook),
    ("3.21.4", not_yaml),
    ("3.21.4", not_kept),
    ("3.21.4", departed),
    ("3.21.4", on_drift_unwritable),
    ("3.21.4", run_refused),
    ("3.21.4", run_no_upgrade),
    ("3.21.4", run_with_a_renderer),
    ("3.21.4", run_failed),
    ("3.21.4", run_reinstalls),
    ("3.21.4", run_apart),
    ("3.21.4", drift),
    ("3.21.4", lost_owner),
    ("3.21.4", of_two_releases),
    ("3.12.3", pinned),
    ("3.12.3", unpinned),
    ("3.21.4", not_installed),
    ("3.21.4", uninstalled),
    ("3.21.4", stored_badly),
    ("3.21.4", pending),
    ("3.21.4", unserved),
    ("3.21.4", unpin_fails),
    ("3.21.4", undecodable),
    ("3.21.4", half_uninstalled),
    ("3.21.4", forged_record),
    ("3.21.4", left_over),
    ("3.21.4", many_left_over),
    ("3.21.4", orphans_unseen),
    ("3.21.4", forgotten),
    ("3.21.4", moved_away),
    ("3.21.4", renamed),
    ("3.21.4", adopted),
    ("3.21.4", adopted_twice),
    ("3.21.4", adopted_of_another),
    ("3.21.4", adopted_unasked),
    ("3.21.4", nothing_stored),
    ("3.21.4", no_such_kind),
    ("3.21.4", undo_names_objects),
    ("3.21.4", undo_of_no_report),
    ("3.21.4", rights),
    ("3.21.4", values_of_nothing),
    ("3.21.4", chart_fails),
    ("3.21.4", blocked_plan),
    ("3.21.4", action_unknown),
    ("3.21.4", driver_unknown),
    ("4.3.1", plugin_absent),
    ("4.3.1", plugin_of_another),
    ("4.3.1", plugin_linked),
    ("4.3.1", plugin_not_listed),
    ("4.3.1", plugins_broken),
    ("4.3.1", doctor_claimed),
    ("3.21.4", argocd_renders_nothing),
    ("3.21.4", argocd_lacks_a_chart),
    ("3.21.4", argocd_of_a_release),
    ("3.21.4", other_version),
    *(("3.21.4", line(name)) for name in LINES),
)
"""Helm's version, and what happens with it."""
