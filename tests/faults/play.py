"""The table's rows, one run each: what came of it, and what of that is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from postrender.cli.commands import COMMANDS
from tests.cli.test_forget import take_deletions
from tests.cli.test_unpin import put_back
from tests.cli.test_verify import OWNED
from tests.faults.hints import PLACEHOLDER, TABLE, Desk, Typed, advised, judged, looks, serve_questions, template
from tests.wire.kinds import CONFIG_MAP, SECRET, SHIRT, a_revision, an_object
from tests.wire.server import TLS, Reply, Server, gone, status

ROOT = Path(__file__).parents[2]
TIMEOUT = "0.5"
"""Seconds that a request may take: a server that hangs is to hold up nobody who runs the table."""
_PROGRAMS = ("command -v ", "postrender", "kubectl", "helm", "env", "df", "KUBECONFIG=", "POSTRENDER_", "XDG_", "ls")
"""How something to type begins."""


@dataclass(frozen=True)
class Row:
    """One fault with one command; ``fault`` is its entry in the table."""

    group: str
    command: str
    fault: Mapping[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.group}: {self.fault['name']}: {self.command}"

    @property
    def exit(self) -> int:
        """The code that the run is to end with."""
        code = self.fault.get("but", {}).get(self.command, self.fault["exit"])
        return int(code or TABLE["commands"][self.command].get("exit", 0))

    @property
    def succeeds(self) -> bool:
        """Whether the run does what it would do without the fault."""
        return self.exit == int(TABLE["commands"][self.command].get("exit", 0))


@dataclass(frozen=True)
class Outcome:
    """What came of a run; ``writes`` are the requests that were no dry runs, as ``METHOD PATH``."""

    code: int
    stdout: str
    stderr: str
    writes: tuple[str, ...]
    hints: tuple[Typed, ...] = ()


def rows() -> Iterator[Row]:
    """Every row of the table."""
    names = list(TABLE["commands"])
    for command in names:
        yield Row("healthy", command, {"name": "nothing is wrong", "exit": 0})
    for group in ("reads", "aggregated", "writes"):
        for fault in TABLE["server"][group]:
            chosen = [each for each in names if group != "writes" or TABLE["commands"][each].get("writes")]
            yield from (Row(group, command, fault) for command in fault.get("commands", chosen))
    for group in ("credentials", "streams_faults", "surroundings", "kills"):
        for fault in TABLE[group]:
            yield Row(group, fault.get("command", "filter"), fault)


def quick() -> list[Row]:
    """The rows of every test run: of each fault of the server one, with one command after the other."""
    names = list(TABLE["commands"])
    seen: dict[tuple[str, str], list[Row]] = {}
    for row in rows():
        seen.setdefault((row.group, row.fault["name"] + (row.command if row.group == "kills" else "")), []).append(row)
    return [found[place % len(found)] for place, found in enumerate(seen.values()) if len(found) <= len(names)]


def play(row: Row, folder: Path, chosen: Callable[[int, str], bool] = lambda *_: False) -> Outcome:
    """Run it against a server of its own; ``folder`` is empty.

    If it failed, its hints are typed that are ``chosen`` by their place and template.
    """
    command = TABLE["commands"][row.command]
    # Over plain HTTP a client sends no credentials, and runs no plugin for them.
    with Server(tls="exec" in row.fault or "user" in row.fault) as server:
        _start(row, server)
        environ = _environ(row.fault, server, folder)
        code, stdout, stderr = _run(row, command, environ, server)
        writes = tuple(
            f"{each.method} {each.path}"
            for each in server.asked("(PATCH|PUT|POST|DELETE) .*")
            if each.query.get("dryRun") != "All" and "/apis/authorization.k8s.io/" not in each.path
        )
        typed = () if row.succeeds else _typed(row, environ, server, folder, stderr + stdout, chosen)
    return Outcome(code, stdout, stderr, writes, typed)


def _typed(
    row: Row, environ: Mapping[str, str], server: Server, folder: Path, said: str, chosen: Callable[[int, str], bool]
) -> tuple[Typed, ...]:
    """What came of the hints: those that only look are typed with the fault first, and all of them without it."""
    steps = [step for place, step in enumerate(advised(said)) if chosen(place, template(step, folder))]
    if not steps:
        return ()
    # A hint has the flags that reach the cluster, if the command had them.
    elsewhere = {} if "arguments" in row.fault else {"KUBECONFIG": "/nonexistent/kubeconfig"}
    text = TABLE["streams"].get(TABLE["commands"][row.command].get("stdin"), "").encode()
    serve_questions(server, allowed=row.fault.get("status") != 403)
    faulty = Desk.at(folder, {**environ, **elsewhere})
    seen = {step: faulty.type(step, text) for step in steps if looks(step) and not PLACEHOLDER.search(step)}
    typed = []
    for step in steps:
        if PLACEHOLDER.search(step):
            typed.append(Typed(step, ("it cannot be typed as it stands",)))
            continue
        with server.turn:
            server.behaviours.clear()
            server.objects.clear()
        _start(replace(row, fault={}), server)
        serve_questions(server)
        healthy = Desk.at(folder, {**_environ(_repaired(row.fault), server, folder), **elsewhere})
        wrong = judged(step, seen.get(step), healthy.type(step, text), differs=row.exit == 5 and row.group != "writes")
        typed.append(Typed(step, tuple(wrong)))
    return tuple(typed)


def _repaired(fault: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stays of a fault that is repaired: a credential plugin, which gives a token now."""
    token = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'
    return {"exec": f"echo '{token}'"} if "exec" in fault else {"user": {"token": "t"}} if "user" in fault else {}


def _start(row: Row, server: Server) -> None:
    """The server's objects, and how it misbehaves."""
    fill(server, drift=TABLE["commands"][row.command].get("drift", False))
    if "signal" in row.fault:
        server.on("GET .*", lambda _: Reply(200) if server.over.wait(60) else Reply(500))
    elif "at" in row.fault:
        server.on(row.fault["at"], _behaviour(row.fault, server, dry_runs=row.group != "writes"))
    put_back(server)
    take_deletions(server)


def judge(row: Row, outcome: Outcome) -> list[str]:
    """What is wrong with it; nothing if the run held."""
    wrong = []
    if outcome.code != row.exit:
        wrong.append(f"it ended with {outcome.code}, not {row.exit}")
    allowed = TABLE["commands"][row.command].get("writes", 0) if row.succeeds or row.group == "writes" else 0
    allowed += row.fault.get("writes", {}).get(row.command, 0)
    if len(outcome.writes) > allowed or (row.group == "healthy" and len(outcome.writes) != allowed):
        wrong.append(f"it wrote {', '.join(outcome.writes) or 'nothing'}, and {allowed} writes are allowed")
    if "a fault of its own" in outcome.stderr or "Traceback" in outcome.stderr or "Exception ignored" in outcome.stderr:
        wrong.append("it ends in a fault of its own")
    if row.succeeds or row.exit < 0:  # A program that a signal ended says nothing more.
        return wrong
    if row.command.startswith("filter") and outcome.stdout:
        wrong.append("it failed and printed manifests")
    if dead_end(outcome.stderr or _advice(outcome.stdout)):
        wrong.append("it ends in nothing to type")
    wrong += [f"{hint.hint}: {each}" for hint in outcome.hints for each in hint.wrong]
    if "arguments" not in row.fault:
        wrong += [f"it advises for any cluster: {step}" for step in astray(outcome.stderr + outcome.stdout)]
    return wrong


def astray(said: str) -> list[str]:
    """The advised commands about a cluster that have not the flag by which the failed command reached its own."""
    flat = re.sub(r" \\\n +", " ", said)
    steps = re.findall(r"^ *(?:- )?(?:next|hint): +((?:kubectl|helm \w+|postrender \w+) .+)$", flat, re.MULTILINE)
    of_none = r"helm (?:template|version)|postrender (?:explain|\w+ --help)|kubectl (?:config get-contexts|get KIND)"
    return [each for each in steps if "--kubeconfig" not in each and not re.match(rf"{of_none}|\w+ .*\.\.\.", each)]


def dead_end(stderr: str) -> bool:
    """Whether the last line that is no remark names no command, flag or variable to type."""
    lines = [each for each in stderr.splitlines() if not each.startswith(("  report: ", "  note: "))]
    if not lines or not lines[-1].startswith("hint: "):
        return True
    typed = lines[-1].removeprefix("hint: ")
    if typed.startswith("postrender "):
        first = typed.split()[1]
        return not (first.startswith("-") or first in COMMANDS)
    return not typed.startswith(_PROGRAMS)


def _advice(stdout: str) -> str:
    """The advice that stands beside what a command found, for one that reports several things at once."""
    return "".join(f"{line.strip()}\n" for line in stdout.splitlines() if line.strip().startswith("hint: "))


def fill(server: Server, *, drift: bool) -> None:
    """A release ``web`` with a pin, and a Shirt that the uninstalled release ``gone`` kept."""
    metadata = "metadata: {name: shirt, resourceVersion: '7'}"
    pin = f"apiVersion: stable.example.com/v1\nkind: Shirt\n{metadata}\nspec: {{color: a}}\n"
    settings = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1'}\n"
    server.put(SECRET, a_revision("web", 4, "deployed", manifest=f"---\n{pin}{settings}"))
    server.put(SHIRT, an_object(SHIRT, "shirt", spec={"color": "a"}, metadata=OWNED))
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "settings", data={"a": "9" if drift else "1"}, metadata=OWNED))
    annotations = {"meta.helm.sh/release-name": "gone", "meta.helm.sh/release-namespace": "shop"}
    left = {"labels": OWNED["labels"], "annotations": {**annotations, "helm.sh/resource-policy": "keep"}}
    server.put(SHIRT, an_object(SHIRT, "kept", spec={"color": "blue"}, metadata=left))


def _behaviour(fault: Mapping[str, Any], server: Server, *, dry_runs: bool) -> Any:
    def behave(request: Any) -> Reply | None:
        if not dry_runs and request.query.get("dryRun") == "All":
            return None
        if fault.get("act") == "gone":
            return gone(request)
        if fault.get("act") == "hang":
            return Reply(200) if server.over.wait(30) else Reply(500)
        headers = fault.get("headers", {})
        if "body" not in fault:
            made = status(fault["status"], "Fault", "this is a fault of the table")
            return Reply(made.status, made.body, headers=headers)
        content = fault["body"].encode()
        return Reply(
            fault["status"],
            content,
            fault.get("type", "application/json"),
            headers,
            fault.get("cut", 0),
            fault.get("drip", 0.0),
        )

    return behave


def _kubeconfig(fault: Mapping[str, Any], server: Server, folder: Path) -> Path:
    """The kubeconfig with what the fault changes; without ``kubeconfig`` it leads to the server."""
    path = folder / "kubeconfig"
    if "kubeconfig" in fault:
        if fault["kubeconfig"] is not None:
            path.write_text(fault["kubeconfig"])
        return path
    cluster = dict(fault.get("cluster", {"server": "same"}))
    if server.url.startswith("https"):
        cluster["certificate-authority"] = str(TLS / "ca.pem")
    if "server" in cluster:
        known = {"same": server.url, "https": server.url.replace("http", "https")}
        cluster["server"] = known.get(cluster["server"], cluster["server"])
    user = dict(fault.get("user", {}))
    if "exec" in fault:
        plugin = folder / "plugin"
        if fault["exec"] is not None:
            plugin.write_text(f"#!/bin/sh\n{fault['exec']}\n")
            plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
        version = "client.authentication.k8s.io/v1"
        user["exec"] = {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(json.dumps({**config, **fault.get("change", {})}))
    return path


def _environ(fault: Mapping[str, Any], server: Server, folder: Path) -> dict[str, str]:
    """The environment, with a kubeconfig as the fault has it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("POSTRENDER_", "HELM_", "KUBE"))}
    state = {"HOME": str(folder / "home"), "XDG_STATE_HOME": str(folder / "state")}
    return {**clean, **state, "KUBECONFIG": str(_kubeconfig(fault, server, folder)), **fault.get("environ", {})}


def _run(row: Row, command: Mapping[str, Any], environ: Mapping[str, str], server: Server) -> tuple[int, str, str]:
    fault = row.fault
    arguments = fault.get("arguments")
    if arguments is None:
        connection = (
            "-n",
            "shop",
            "--kubeconfig",
            environ["KUBECONFIG"],
            "--request-timeout",
            "30" if "signal" in fault else TIMEOUT,
        )
        arguments = [*command["arguments"], *connection, *fault.get("more", ())]
    folder = str(Path(environ["KUBECONFIG"]).parent)
    typed = [sys.executable, "-m", "postrender", *(word.replace("FOLDER", folder) for word in arguments)]
    if "redirect" in fault:
        typed = ["sh", "-c", f'exec "$@" {fault["redirect"]}', "sh", *typed]
    text = fault.get("input") or TABLE["streams"].get(command.get("stdin"), "")
    running = subprocess.Popen(
        typed, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environ
    )
    assert running.stdin is not None
    if "signal" in fault:
        running.stdin.write(text.encode())
        running.stdin.close()
        running.stdin = None
        deadline = time.monotonic() + 30
        while not server.requests and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.005)
        running.send_signal(signal.Signals[fault["signal"]])
        text = ""
    out, err = running.communicate(text.encode("latin-1") or None, timeout=60)
    return running.returncode, out.decode(errors="replace"), re.sub("\r", "", err.decode(errors="replace"))
