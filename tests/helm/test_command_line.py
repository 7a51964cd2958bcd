"""Helm's command lines, read as cobra and pflag read them."""

from __future__ import annotations

import shlex

import pytest

from postrender.helm.command_line import CommandLine, Release, parse, release
from postrender.helm.versions import HelmVersion
from postrender.settings.sources import contacts_cluster, dry_run_mode, from_command_line
from postrender.settings.table import SETTINGS

UNKNOWN = "Helm's command line has flags that are not known here "


def read(text: str) -> CommandLine:
    line = parse(shlex.split(text))
    assert line is not None
    return line


@pytest.mark.parametrize(
    ("text", "command", "arguments", "flags"),
    [
        ("install shop ./chart", "install", ("shop", "./chart"), {}),
        ("upgrade shop ./chart --atomic", "upgrade", ("shop", "./chart"), {"atomic": None}),
        ("template ./chart", "template", ("./chart",), {}),
        # a value in the next argument, behind an equals sign, joined to the letter, and in a cluster of letters
        ("install shop ./c --namespace web", "install", ("shop", "./c"), {"namespace": "web"}),
        ("install --namespace=web shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("install -n web shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("install -nweb shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("install -n=web shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("upgrade -in web shop ./c", "upgrade", ("shop", "./c"), {"install": None, "namespace": "web"}),
        ("upgrade -inweb shop ./c", "upgrade", ("shop", "./c"), {"install": None, "namespace": "web"}),
        ("upgrade -in=web shop ./c", "upgrade", ("shop", "./c"), {"install": None, "namespace": "web"}),
        # pflag takes an argument that looks like a flag for the value
        ("install -n --atomic shop ./c", "install", ("shop", "./c"), {"namespace": "--atomic"}),
        ("install --namespace '' shop ./c", "install", ("shop", "./c"), {"namespace": ""}),
        ("install --namespace= shop ./c", "install", ("shop", "./c"), {"namespace": ""}),
        # the last one wins
        ("install -n a shop ./c -n b", "install", ("shop", "./c"), {"namespace": "b"}),
        # in front of the command
        ("--namespace web install shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("-n web --debug install shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("-nweb install shop ./c", "install", ("shop", "./c"), {"namespace": "web"}),
        ("--kube-context=prod upgrade shop ./c", "upgrade", ("shop", "./c"), {"kube-context": "prod"}),
        ("--kube-insecure-skip-tls-verify -v 5 install s ./c", "install", ("s", "./c"),
         {"kube-insecure-skip-tls-verify": None}),
        ("--atomic=true install shop ./c", "install", ("shop", "./c"), {"atomic": "true"}),
        # the end of flags
        ("install -- shop ./c", "install", ("shop", "./c"), {}),
        ("install -n web -- shop --atomic", "install", ("shop", "--atomic"), {"namespace": "web"}),
        # a name that is also a command's, a dash, a value that is also a command
        ("install install ./c", "install", ("install", "./c"), {}),
        ("upgrade -f - shop ./c", "upgrade", ("shop", "./c"), {}),
        ("-n install upgrade shop ./c", "upgrade", ("shop", "./c"), {"namespace": "install"}),
        # values that are never kept
        ("install shop ./c --set a=b --set-string c=d -f v.yaml --password p --username u", "install",
         ("shop", "./c"), {}),
        ("install shop ./c --post-renderer p --post-renderer-args --release=x", "install", ("shop", "./c"), {}),
        # flags that may stand alone never take the next argument
        ("install --dry-run shop ./c", "install", ("shop", "./c"), {"dry-run": None}),
        ("install --dry-run=server shop ./c", "install", ("shop", "./c"), {"dry-run": "server"}),
        ("upgrade --wait --wait=watcher shop ./c", "upgrade", ("shop", "./c"), {}),
        # a boolean in helm install, a word in helm upgrade
        ("install --server-side shop ./c", "install", ("shop", "./c"), {"server-side": None}),
        ("upgrade --server-side false shop ./c", "upgrade", ("shop", "./c"), {"server-side": "false"}),
    ],
)  # fmt: skip
def test_reads(text: str, command: str, arguments: tuple[str, ...], flags: dict[str, str | None]) -> None:
    line = read(text)
    assert (line.command, line.arguments, dict(line.flags), line.doubt) == (command, arguments, flags, "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--debug",
        "plugin list",
        "diff upgrade shop ./c",
        "secrets install shop ./c",
        "rollback shop",
        "postrender plan",
        "version",
        "-- install shop ./c",
        # helm itself refuses these: in front of the command it does not know the command's own flags
        "--atomic install shop ./c",
        "-i upgrade shop ./c",
        "-in web upgrade shop ./c",
    ],
)
def test_what_does_not_render_is_no_caller(text: str) -> None:
    assert parse(shlex.split(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("install shop ./c", Release("shop")),
        ("upgrade shop ./c --install", Release("shop")),
        ("upgrade -i shop ./c", Release("shop")),
        ("template shop ./c", Release("shop")),
        ("template ./c", Release("release-name")),
        ("template ./c -g", Release("release-name")),
        ("template ./c --name-template fixed", Release("fixed")),
        ("install ./c --generate-name", Release(None, generated=True)),
        ("install ./c -g", Release(None, generated=True)),
        ("install -gn web ./c", Release(None, generated=True)),
        ("install ./c -g=true", Release(None, generated=True)),
        ("install shop ./c -g=false", Release("shop")),
        ("install ./c --name-template fixed", Release("fixed")),
        ("install ./c -g --name-template fixed", Release("fixed")),
        ("install ./c --name-template 'x-{{ randAlpha 3 | lower }}'",
         Release(None, why_not="Helm's --name-template is computed")),
        # a flag that a newer Helm may have: nothing is guessed unless there is nothing to guess
        ("install --brand-new thing ./c", Release(None, why_not=UNKNOWN + "(--brand-new)")),
        ("install -Z thing shop ./c", Release(None, why_not=UNKNOWN + "(-Z)")),
        ("install -Zg shop ./c", Release(None, why_not=UNKNOWN + "(-Z)")),
        ("install --brand-new=thing shop ./c", Release("shop")),
        ("install --brand-new --atomic shop ./c", Release("shop")),
        ("install shop ./c --brand-new", Release("shop")),
        ("install --brand-new thing ./c -g", Release(None, generated=True)),
        ("install --brand-new=a --brand-new b --other-new c shop ./c",
         Release(None, why_not=UNKNOWN + "(--brand-new, --other-new)")),
        # what Helm would not have accepted is not guessed at either
        ("upgrade shop", Release(None, why_not="Helm's command line does not have a release and a chart")),
        ("install a b c", Release(None, why_not="Helm's command line does not have a release and a chart")),
        ("install ./c", Release(None, why_not="Helm's command line names none")),
    ],
)  # fmt: skip
def test_release(text: str, expected: Release) -> None:
    assert release(read(text)) == expected


def test_a_command_line_that_is_cut_names_no_release() -> None:
    line = parse(["install", "shop", "./ch"], whole=False)
    assert line is not None
    assert release(line) == Release(None, why_not="the end of Helm's command line cannot be read")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("install s ./c", "action", "install"),
        ("upgrade s ./c", "action", "upgrade"),
        ("upgrade s ./c -i", "action", "upgrade-install"),
        ("upgrade s ./c --install=false", "action", "upgrade"),
        ("template s ./c", "action", "template"),
        ("install s ./c", "force", None),
        ("install s ./c --force", "force", True),
        ("install s ./c --force-replace", "force", True),
        ("install s ./c --force-replace --force=false", "force", False),
        ("upgrade s ./c --atomic=T", "atomic", True),
        ("upgrade s ./c --rollback-on-failure", "atomic", True),
        ("install s ./c --replace", "replace", True),
        ("install s ./c --take-ownership", "take_ownership", True),
        ("install s ./c --force-conflicts", "force_conflicts", True),
        ("install s ./c --server-side=f", "server_side", "false"),
        ("install s ./c --server-side", "server_side", "true"),
        ("upgrade s ./c --server-side auto", "server_side", "auto"),
        ("install ./c -g", "generate_name", True),
        ("install s ./c --kube-as-group a --kube-as-group b,c", "kube_as_group", ("a", "b,c")),
        ("install s ./c --kube-token t", "kube_token", "t"),
        ("install s ./c --kubeconfig k.yaml", "kubeconfig", "/where/helm/runs/k.yaml"),
        ("install s ./c --kubeconfig /k.yaml", "kubeconfig", "/k.yaml"),
        ("install s ./c --kubeconfig ''", "kubeconfig", None),
        ("install s ./c --kube-ca-file ../ca", "kube_ca_file", "/where/helm/runs/../ca"),
        ("install s ./c --kube-insecure-skip-tls-verify", "kube_insecure_skip_tls_verify", True),
        ("install s ./c", "driver", None),
    ],
)
def test_settings(text: str, name: str, expected: object) -> None:
    setting = next(setting for setting in SETTINGS if setting.name == name)
    assert from_command_line(setting, read(text), "/where/helm/runs") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("install s ./c", None),
        ("install s ./c --dry-run", "client"),
        ("install s ./c --dry-run=client", "client"),
        ("install s ./c --dry-run=true", "client"),
        ("install s ./c --dry-run=1", "client"),
        ("install s ./c --dry-run=false", "none"),
        ("install s ./c --dry-run=none", "none"),
        ("install s ./c --dry-run=", "none"),
        ("install s ./c --dry-run=server", "server"),
        ("template s ./c --validate", "server"),
        ("template s ./c --validate=false", None),
    ],
)
def test_dry_run(text: str, expected: str | None) -> None:
    assert dry_run_mode(read(text)) == expected


@pytest.mark.parametrize(
    ("text", "helm", "expected"),
    [
        ("install s ./c", None, True),
        ("install s ./c --dry-run", "3.12.3", True),
        ("install s ./c --dry-run=client", "3.21.4", True),
        ("install s ./c --dry-run=client", "4.3.1", False),
        ("install s ./c --dry-run=client", None, False),
        ("install s ./c --dry-run=server", "4.3.1", True),
        ("upgrade s ./c --dry-run=client", "4.3.1", True),
        ("template s ./c", "3.12.3", False),
        ("template s ./c --kube-context prod", "3.12.3", False),
        ("template s ./c --validate", "3.12.3", True),
        ("template s ./c --dry-run=server", "4.3.1", True),
        ("template s ./c --dry-run=client", "4.3.1", False),
    ],
)
def test_whether_it_talks_to_a_cluster(text: str, helm: str | None, expected: bool) -> None:
    assert contacts_cluster(read(text), HelmVersion.parse(helm) if helm else None) is expected


def test_nothing_secret_is_kept_or_shown() -> None:
    line = read(
        "install shop https://user:s3cret@charts/x.tgz --set password=s3cret --set-string a=s3cret "
        '--set-json \'{"a":"s3cret"}\' --set-literal s3cret --set-file s3cret --values s3cret --password s3cret '
        "--username s3cret --brand-new=s3cret -Zs3cret --kube-token s3cret"
    )
    assert "s3cret" not in repr(line)
    assert [name for name, value in line.flags if value == "s3cret"] == ["kube-token"]
    assert "s3cret" not in line.doubt
