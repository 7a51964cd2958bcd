"""Hints that begin with ``helm ...``, made whole by the command line of the Helm that called."""

from __future__ import annotations

import pytest

from postrender.helm.command_line import pasteable
from postrender.text import Advice, Hint, parts

INSTALL = (
    "/usr/bin/helm",
    "install",
    "shop",
    "./my chart",
    "-n",
    "prod",
    "-f",
    "a.yaml",
    "--set",
    "a=b c",
    "--replace",
)


@pytest.mark.parametrize(
    ("step", "called", "command"),
    [
        (
            "helm ... --post-renderer-args=--adopt=orphans",
            INSTALL,
            "helm install shop './my chart' -n prod -f a.yaml --set 'a=b c' --replace "
            "--post-renderer-args=--adopt=orphans",
        ),
        (
            "helm upgrade ...",
            INSTALL,
            "helm upgrade shop './my chart' -n prod -f a.yaml --set 'a=b c'",
        ),
        (
            "POSTRENDER_ADOPT=orphans helm ...",
            ("helm", "upgrade", "shop", "./c"),
            "POSTRENDER_ADOPT=orphans helm upgrade shop ./c",
        ),
        ("helm ... without --atomic", ("helm", "install", "shop", "./c", "--atomic"), "helm install shop ./c"),
        (
            "helm ... --force",
            ("helm", "--kube-token", "t0ken", "install", "shop", "./c", "--password=geheim"),
            "helm install shop ./c --force",
        ),
        ("helm ... --force", (), "helm ... --force"),
        (
            "helm upgrade --install ... --post-renderer postrender",
            INSTALL,
            "helm upgrade shop './my chart' -n prod -f a.yaml --set 'a=b c' --install --post-renderer postrender",
        ),
        (
            "postrender plan ... --save plan.json",
            (*INSTALL[:5], "prod", "--wait", "--post-renderer", "postrender", "--post-renderer-args=--adopt=orphans"),
            "postrender plan shop './my chart' -n prod --wait --adopt=orphans --save plan.json",
        ),
        (
            "postrender run -- helm install ... without --post-renderer",
            ("helm", "install", "shop", "./c", "--post-renderer", "x", "--post-renderer-args", "y", "--wait"),
            "postrender run -- helm install shop ./c --wait",
        ),
        (
            "--action install --kube-context NAME",
            ("helm", "template", "shop", "./c"),
            "helm template shop ./c --post-renderer-args=--action=install --post-renderer-args=--kube-context=NAME",
        ),
        ("--offline", (), "--offline"),
        (Advice("use Helm 4.0.1 or later"), INSTALL, "use Helm 4.0.1 or later"),
        ("kubectl get a -n b", INSTALL, "kubectl get a -n b"),
        ("helm get manifest shop -n prod", INSTALL, "helm get manifest shop -n prod"),
    ],
)
def test_a_step_becomes_a_whole_command(step: str, called: tuple[str, ...], command: str) -> None:
    assert pasteable(step, called) == command


def test_a_remark_stays() -> None:
    whole = pasteable(Hint("helm ... --force", "replaces the objects"), ("helm", "install", "shop", "./c"))
    assert parts(whole) == ("helm install shop ./c --force", "replaces the objects")
