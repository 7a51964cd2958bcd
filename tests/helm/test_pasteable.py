"""Hints that begin with ``helm ...``, made whole by the command line of the Helm that called."""

from __future__ import annotations

import pytest

from postrender.helm.command_line import pasteable, pasteable_in_run
from postrender.text import AGAIN, Advice, Hint, parts

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
            "/usr/bin/helm install shop './my chart' -n prod -f a.yaml --set 'a=b c' --replace "
            "--post-renderer-args=--adopt=orphans",
        ),
        (
            "helm upgrade ...",
            INSTALL,
            "/usr/bin/helm upgrade shop './my chart' -n prod -f a.yaml --set 'a=b c'",
        ),
        (
            "helm upgrade ... --force-conflicts",
            ("helm", "install", "./c", "--name-template", "shop", "--server-side", "--wait"),
            "helm upgrade shop ./c --server-side=true --wait --force-conflicts",
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
            "/usr/bin/helm upgrade shop './my chart' -n prod -f a.yaml --set 'a=b c' --install --post-renderer "
            "postrender",
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


IN_RUN = (
    "./helm",
    "install",
    "shop",
    "./my chart",
    "--set",
    "a=b c",
    "--replace",
    "--kube-token",
    "t0ken",
    "--post-renderer",
    "postrender-run",
)


@pytest.mark.parametrize(
    ("step", "flags", "command"),
    [
        (
            "helm ... --post-renderer-args=--adopt=orphans",
            ("--allow", "PR406", "-v"),
            "postrender run --allow=PR406 -v --adopt=orphans -- ./helm install shop './my chart' --set 'a=b c' "
            "--replace",
        ),
        (
            "helm ... --take-ownership",
            (),
            "postrender run -- ./helm install shop './my chart' --set 'a=b c' --replace --take-ownership",
        ),
        (
            "helm upgrade ...",
            ("--plan", "plan.json", "--adopt=orphans"),
            "postrender run --adopt=orphans -- ./helm upgrade shop './my chart' --set 'a=b c'",
        ),
        (
            "...",
            ("--plan", "plan.json"),
            "postrender run --plan=plan.json -- ./helm install shop './my chart' --set 'a=b c' --replace",
        ),
        ("... without --offline", ("--no-upgrade", "--offline"), "postrender run --no-upgrade -- ./helm install shop"),
        ("--dry-run client", (), "postrender run --dry-run=client -- ./helm install shop"),
        (
            "helm template ... --debug",
            ("--adopt=orphans",),
            "./helm template shop './my chart' --set 'a=b c' --replace --debug",
        ),
        (
            "postrender plan ... --save plan.json",
            ("--no-upgrade", "--plan", "plan.json", "--adopt=orphans"),
            "postrender plan shop './my chart' --set 'a=b c' --replace --adopt=orphans --save plan.json",
        ),
        (Advice("use Helm 4.0.1 or later"), (), "use Helm 4.0.1 or later"),
        ("kubectl get a -n b", ("--no-upgrade",), "kubectl get a -n b"),
    ],
)
def test_in_a_run_it_is_the_run_that_is_typed(step: str, flags: tuple[str, ...], command: str) -> None:
    assert pasteable_in_run(step, IN_RUN, flags).startswith(command)


def test_in_a_run_a_remark_stays() -> None:
    whole = pasteable_in_run(Hint("helm ... --force", "replaces the objects"), IN_RUN[:4], ())
    assert parts(whole) == ("postrender run -- ./helm install shop './my chart' --force", "replaces the objects")


def test_the_value_of_a_flag_that_no_helm_has_is_not_repeated() -> None:
    called = ("helm", "install", "shop", "./chart", "--set=a=b", "--brand-new=s3cret", "--wait")
    assert pasteable(AGAIN, called) == "helm install shop ./chart --set=a=b --brand-new=... --wait"
