"""Run one throw-away control plane, etcd and kube-apiserver, for as long as somebody holds this program's stdin.

    python -m tests.e2e.supervise ETCD KUBE_APISERVER [KUBE_CONTROLLER_MANAGER]

With the third the cluster's controllers run: what an owner reference ties to a deleted object goes away, a deleted
namespace too, and Deployments and Jobs make Pods, which stay pending.

prints one line of JSON when the server is ready (see ``Ready``), and from then on waits for the end of its stdin.
Whoever started it holds the other end, so that however that process ends, by a crash or a SIGKILL too, both programs
and their data go with it. By hand, in a terminal, it ends with Ctrl-D. Everything listens on 127.0.0.1 only.
Standard library only.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

READY_WITHIN = 120.0
"""Seconds a server may take; about 4 on an idle machine with two cores."""

_ATTEMPTS = 3
"""A free port can be lost to another program between the look and the listening: another try takes other ports."""

_AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: Metadata
  verbs: [get, list, watch]
- level: Metadata
  resources: [{group: "", resources: [secrets, "serviceaccounts/token"]}]
- level: Request
"""


Running: TypeAlias = "dict[str, subprocess.Popen[bytes]]"
"""The programs under way, by name, in the order they were started."""


class StartError(RuntimeError):
    """The control plane did not come up; the message holds the end of the log that says why."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A control plane that answers: its address, and files in a folder that goes away with it."""

    url: str
    token: str
    ca: str
    kubeconfig: str
    audit_log: str


def kubeconfig(url: str, ca: Path, token: str) -> str:
    """The text of a kubeconfig with one context, called ``test``, for the bearer of ``token``."""
    return textwrap.dedent(f"""\
        apiVersion: v1
        kind: Config
        current-context: test
        clusters:
        - name: test
          cluster:
            server: {url}
            certificate-authority-data: {base64.b64encode(ca.read_bytes()).decode()}
        contexts:
        - name: test
          context: {{cluster: test, user: test}}
        users:
        - name: test
          user:
            token: {token}
        """)


def main(etcd: str, kube_apiserver: str, controller_manager: str = "") -> int:
    """Start, say so, wait for the end of stdin, stop; 1 and the reason on stderr where the start failed."""
    folder = Path(tempfile.mkdtemp(prefix="postrender-plane-", dir=_fast_folder()))
    running: Running = {}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for left in reversed(range(_ATTEMPTS)):
            try:
                ready = _start(etcd, kube_apiserver, folder, running)
                break
            except StartError:
                stop(running)
                if not left:
                    raise
        if controller_manager:
            _start_controllers(controller_manager, folder, ready, running)
        print(json.dumps(asdict(ready)), flush=True)
        sys.stdin.buffer.read()
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    except (BrokenPipeError, KeyboardInterrupt):
        return 0
    finally:
        stop(running)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _start(etcd: str, kube_apiserver: str, folder: Path, running: Running) -> Ready:
    client, peer, secure = (f"127.0.0.1:{port}" for port in free_ports(3))
    data = Path(tempfile.mkdtemp(prefix="etcd-", dir=folder))
    running["etcd"] = start(
        folder / "etcd.log",
        etcd,
        "--unsafe-no-fsync",
        f"--data-dir={data}",
        f"--listen-client-urls=http://{client}",
        f"--advertise-client-urls=http://{client}",
        f"--listen-peer-urls=http://{peer}",
        f"--initial-advertise-peer-urls=http://{peer}",
        f"--initial-cluster=default=http://{peer}",
    )
    token = secrets.token_hex(16)
    certificates, key, tokens = folder / "certificates", folder / "service-account.key", folder / "tokens.csv"
    policy, audit_log = folder / "audit-policy.yaml", folder / "audit.log"
    key.write_text(_private_key())
    tokens.write_text(f"{token},admin,admin,system:masters\n")
    policy.write_text(_AUDIT_POLICY)
    audit_log.touch()
    running["kube-apiserver"] = start(
        folder / "kube-apiserver.log",
        kube_apiserver,
        f"--etcd-servers=http://{client}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={secure.rpartition(':')[2]}",
        f"--cert-dir={certificates}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--endpoint-reconciler-type=none",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={audit_log}",
        "--audit-log-mode=blocking",
    )
    ca = certificates / "apiserver.crt"
    _wait(f"https://{secure}", ca, token, running, folder)
    config = folder / "kubeconfig"
    config.touch(mode=0o600)
    config.write_text(kubeconfig(f"https://{secure}", ca, token))
    return Ready(f"https://{secure}", token, str(ca), str(config), str(audit_log))


def _start_controllers(program: str, folder: Path, ready: Ready, running: Running) -> None:
    """Those that act on what Helm applies; the others only take processor time."""
    controllers = ("garbage-collector", "namespace", "job", "deployment", "replicaset", "statefulset", "serviceaccount")
    running["kube-controller-manager"] = start(
        folder / "kube-controller-manager.log",
        program,
        f"--kubeconfig={ready.kubeconfig}",
        f"--service-account-private-key-file={folder / 'service-account.key'}",
        f"--controllers={','.join(f'{name}-controller' for name in controllers)}",
        "--leader-elect=false",
        "--secure-port=0",
    )


def _wait(url: str, ca: Path, token: str, running: Running, folder: Path) -> None:
    """Return when ``/readyz`` says ok; StartError where a program ends or time is up."""
    deadline = time.monotonic() + READY_WITHIN
    request = urllib.request.Request(f"{url}/readyz", headers={"Authorization": f"Bearer {token}"})
    while time.monotonic() < deadline:
        for name, process in running.items():
            if process.poll() is not None:
                raise StartError(f"{name} ended with {process.returncode}{_log_ends(folder)}")
        try:
            # The server writes its certificate, which is its own authority, while it starts.
            context = ssl.create_default_context(cafile=str(ca))
            direct = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            )
            with direct.open(request, timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            pass
        time.sleep(0.05)
    raise StartError(f"{url} was not ready within {READY_WITHIN:.0f} s{_log_ends(folder)}")


def _log_ends(folder: Path) -> str:
    """The last lines of each log, each after a line break: the rest of a message."""
    found = []
    for log in sorted(folder.glob("*.log")):
        if log.name != "audit.log":
            found += [f"--- end of {log.name}", *log.read_text(errors="replace").splitlines()[-15:]]
    return "".join(f"\n{line}" for line in found)


def start(log: Path, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program that ends with this one at the latest; both its streams go to ``log``."""
    with log.open("wb") as sink:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=env,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )


def _die_with_parent() -> None:
    """Between fork and exec on Linux: ask for a SIGKILL when this supervisor is itself killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def stop(running: Running) -> None:
    """Kill without grace, since the data is thrown away, and wait for the end."""
    while running:
        _, process = running.popitem()
        process.kill()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 on which nothing listens now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _fast_folder() -> str | None:
    """A file system in memory where there is one; ``None`` is Python's own choice."""
    memory = "/dev/shm"
    return memory if os.path.isdir(memory) and os.access(memory, os.W_OK) else None


def _private_key() -> str:
    """A fresh P-256 key as PEM (RFC 5915, without the optional public half), to sign service account tokens with."""
    scalar = b"\x01" + secrets.token_bytes(31)  # the first byte keeps it below the order of the curve
    der = bytes.fromhex("30310201010420") + scalar + bytes.fromhex("a00a06082a8648ce3d030107")
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(["-----BEGIN EC PRIVATE KEY-----", *lines, "-----END EC PRIVATE KEY-----", ""])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
