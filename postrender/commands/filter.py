"""``postrender`` without a subcommand: manifests on stdin, manifests on stdout, the account on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from postrender.caller import SETTINGS, Caller, Flags, find
from postrender.caller.values import Value
from postrender.collisions import is_label_key
from postrender.commands.options import FILTER_SETTINGS, add_arguments, chosen
from postrender.errors import Refused, UsageError
from postrender.helm.invocation import Action, DryRun
from postrender.helm.versions import NEWEST_KNOWN, HelmVersion
from postrender.manifest import LIBYAML
from postrender.pipeline import Result, Stamper, filter_stream
from postrender.policy import DEFAULT_LABEL_KEY, Adopt, OnDrift, Policy, Stamp
from postrender.record import Record
from postrender.report.text import Heading, account
from postrender.source import Source

if TYPE_CHECKING:
    from postrender.cluster import Cluster

EPILOG = """\
the three most common calls:
  helm install shop ./chart --post-renderer postrender
  helm template shop ./chart | postrender --release shop --offline --stamp all
  postrender --live live.yaml --release shop -n default --helm-version 3.12.3 < rendered.yaml

Every flag has an environment variable: --kube-context is POSTRENDER_KUBE_CONTEXT.
exit codes: 0 done, 2 bad usage, 3 unreadable manifests, 4 refused, 5 the cluster could not be asked
"""


class _Sources(Record):
    """Where live objects are looked up (``None``: nowhere), and how objects are stamped (``None``: not at all)."""

    source: Source | None = None
    stamper: Stamper | None = None


def main(arguments: list[str]) -> int:
    """Filter stdin to stdout; raises PostrenderError before the first byte is written."""
    options = _parser().parse_args(arguments)
    values = chosen(options, FILTER_SETTINGS, os.environ)
    policy = _policy(values)
    caller = find(_flags(options), os.environ)
    _known(caller.invocation.helm)
    if sys.stdin.isatty():
        raise UsageError("manifests are expected on stdin, and stdin is a terminal", next="postrender --help")
    data = sys.stdin.buffer.read()
    if not data.strip():
        _write(_empty(data, caller))
        return 0
    sources = _sources(caller, values, policy)
    result = filter_stream(data, caller.invocation, policy, sources.source, sources.stamper)
    _write(result.data)
    if not values["quiet"]:
        sys.stderr.write(_account(result, caller, sources.source))
    return 0


def _known(helm: HelmVersion | None) -> None:
    """Raise Refused for a major version of Helm that nothing is known about."""
    if helm is not None and helm.major not in NEWEST_KNOWN:
        newest = " and ".join(str(version) for version in NEWEST_KNOWN.values())
        raise Refused(
            f"Helm {helm} is not known: its ways were held against Helm up to {newest}",
            next="use such a Helm, or a newer postrender",
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="postrender",
        description="A Helm post-renderer that lets a release take its kept resources back.",
        epilog=EPILOG,
        # With a width of its own argparse does not import shutil, and all it imports, to ask the terminal for one.
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=80),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and the Helms it knows, and exit")
    add_arguments(parser, "what is done", FILTER_SETTINGS)
    add_arguments(parser, "who called (read off the calling Helm where it is the parent)", SETTINGS)
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        newest = " and ".join(str(known) for known in NEWEST_KNOWN.values())
        sys.stdout.write(
            f"postrender {version('postrender')}\n"
            f"Helm up to {newest} is known. A newer minor version is taken to behave\n"
            "like the newest known one, which the account says; a newer major one is refused.\n"
        )
        parser.exit()


def _flags(options: argparse.Namespace) -> Flags:
    given: dict[str, object] = {}
    for setting in SETTINGS:
        value = getattr(options, setting.name)
        if value is None:
            continue
        if setting.kind == "list":
            given[setting.name] = tuple(value)
        elif setting.kind == "bool":
            given[setting.name] = chosen(options, [setting], {})[setting.name]
        else:
            given[setting.name] = value
    return Flags(**given)  # type: ignore[arg-type]


def _policy(values: Mapping[str, Value | None]) -> Policy:
    key = str(values["label_key"] or DEFAULT_LABEL_KEY)
    if not is_label_key(key):
        raise UsageError(f"{key!r} is no label key", where="--label-key", next=f"--label-key {DEFAULT_LABEL_KEY}")
    adopt = values["adopt"] or ()
    allow = values["allow"] or ()
    assert isinstance(adopt, tuple)
    assert isinstance(allow, tuple)
    return Policy(
        adopt=frozenset(Adopt(what) for what in adopt),
        stamp=Stamp(str(values["stamp"] or Stamp.ADOPT.value)),
        label_key="" if values["no_label"] else key,
        on_drift=OnDrift(str(values["on_drift"] or OnDrift.STORE.value)),
        allow=frozenset(code.upper() for code in allow),
    )


def _sources(caller: Caller, values: Mapping[str, Value | None], policy: Policy) -> _Sources:
    invocation = caller.invocation
    template = invocation.action is Action.TEMPLATE
    if values["offline"] or (template and not values["live"]):
        _named(caller, needed=policy.stamp is Stamp.ALL)
        return _Sources()
    _named(caller, needed=True)
    if values["live"]:
        from postrender import snapshot

        return _Sources(snapshot.load(str(values["live"])))
    if not caller.cluster_named:
        raise UsageError(
            "\n  ".join(["which cluster is meant cannot be told", *caller.notes]),
            next=("--kube-context NAME", "--live FILE   (what kubectl get ... -o yaml printed)", "--offline"),
        )
    from postrender.cluster import connect

    connected = connect(caller.connection)
    return _Sources(connected, _stamper(connected, caller, policy))


def _stamper(connected: Cluster, caller: Caller, policy: Policy) -> Stamper | None:
    """What may write to live objects: nothing in a dry run, and nothing where nobody said that Helm installs."""
    if not policy.adopt or caller.invocation.dry_run is not DryRun.NO:
        return None
    if caller.origins["action"] == "default":
        raise UsageError(
            "--adopt writes to live objects, and whether Helm really installs could not be told",
            next=("--action install   (or upgrade, upgrade-install)",),
        )
    return connected.stamp


def _named(caller: Caller, *, needed: bool) -> None:
    invocation = caller.invocation
    if not needed or invocation.release is not None or invocation.generate_name:
        return
    flag = "--release NAME   (or POSTRENDER_RELEASE)" if caller.namespace else "--namespace NAMESPACE"
    raise UsageError("which release is installed cannot be told", next=flag)


def _empty(data: bytes, caller: Caller) -> bytes:
    """Helm 4 takes empty output for a failure (``RunPostRenderer``), an empty chart's included; a comment is none."""
    helm = caller.invocation.helm
    return b"# an empty stream came in\n" if helm is not None and helm.major >= 4 else data


def _account(result: Result, caller: Caller, source: Source | None) -> str:
    invocation = caller.invocation
    version = f"helm {invocation.helm}" if invocation.helm else "helm of unknown version"
    action = "" if caller.origins["action"] == "default" else f" {invocation.action.value}"
    dry = "" if invocation.dry_run is DryRun.NO or invocation.action is Action.TEMPLATE else ", dry run"
    release = f"release {invocation.release}" if invocation.release else "a release without a name yet"
    looked = source.description if source else "no cluster was asked"
    heading = Heading(f"{version}{action}{dry}", release, looked, _found(caller), caller.notes)
    newest = NEWEST_KNOWN[invocation.helm.major] if invocation.helm else None
    extra = []
    if newest is not None and invocation.helm is not None and invocation.helm > newest:
        extra.append(f"Helm {invocation.helm} is newer than {newest}, the newest one known; taken to behave like it")
    if not LIBYAML:
        extra.append("PyYAML was built without libyaml, so reading is slow; pip install --force-reinstall pyyaml")
    extra += [f"document {index + 1} was re-serialised as a whole: {why}" for index, why in result.rewritten]
    return account(result.plan, heading, extra)


def _found(caller: Caller) -> tuple[str, ...]:
    """Where each setting came from, each origin once: ``--release``, ``helm (pid 123): release, namespace``."""
    by_origin: dict[str, list[str]] = {}
    for name, origin in caller.origins.items():
        if origin != "default":
            by_origin.setdefault(origin, []).append(name.replace("_", " "))
    return tuple(
        origin if origin.startswith(("--", "POSTRENDER_")) else f"{origin} ({', '.join(names)})"
        for origin, names in by_origin.items()
    )


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
