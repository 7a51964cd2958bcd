"""Hints that begin with ``helm ...``, made whole by the command line of the Helm that called."""

from __future__ import annotations

import pytest

from postrender.helm.command_line import pasteable

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
            "helm ... --post-renderer-args=--adopt=orphans   (or POSTRENDER_ADOPT=orphans)",
            INSTALL,
            "helm install shop './my chart' -n prod -f a.yaml --set 'a=b c' --replace "
            "--post-renderer-args=--adopt=orphans",
        ),
        (
            "helm upgrade ...   (with the same chart and values)",
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
        ("kubectl get a -n b", INSTALL, "kubectl get a -n b"),
        ("helm get manifest shop -n prod", INSTALL, "helm get manifest shop -n prod"),
    ],
)
def test_a_step_becomes_a_whole_command(step: str, called: tuple[str, ...], command: str) -> None:
    assert pasteable(step, called) == command
