"""Precedence, provenance, messages, and what is never shown; without a real process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from postrender._record import replace
from postrender.errors import UsageError
from postrender.helm.invocation import Action, DryRun, Invocation
from postrender.helm.versions import HelmVersion
from postrender.models import Connection, ReleaseName
from postrender.settings import SETTINGS, Caller, Flags, Parent, find
from tests.helm.processes import Chain, chain

NOBODY = chain()
NAME = "it takes lower-case letters, digits, - and ., at most 53 of them"
LABEL = "it takes lower-case letters, digits and -, at most 63 of them"
SETTING = {setting.name: setting for setting in SETTINGS}


def called(line: str, *, helm: str = "3.12.3", environ: dict[str, str] | None = None, flags: Flags | None = None,
           helm_environ: dict[str, str] | None = None) -> Caller:  # fmt: skip
    """Who called, if it was this command line; the version is told so that no program is run."""
    processes = Chain(
        chain(("/bin/sh", "sh -c postrender"), ("/usr/bin/helm", line)).above,
        environments={} if helm_environ is None else {101: helm_environ},
        working="/where/helm/runs",
    )
    given = replace(flags or Flags(), helm_version=(flags and flags.helm_version) or helm)
    return find(given, {"HOME": "/nonexistent", **(environ or {})}, pid=0, processes=processes)


def alone(environ: Mapping[str, str] | None = None, **flags: object) -> Caller:
    """Who called, if no Helm did."""
    return find(Flags(**flags), {"HOME": "/nonexistent", **(environ or {})}, pid=0, processes=NOBODY)  # type: ignore[arg-type]


def test_flags_and_settings_are_the_same_names_in_the_same_order() -> None:
    assert list(Flags._fields) == [setting.name for setting in SETTINGS]
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)
    assert len({flag for setting in SETTINGS for flag in setting.flags}) == sum(len(s.flags) for s in SETTINGS)


def test_nobody_says_anything() -> None:
    caller = alone()
    assert caller.invocation == Invocation(helm=None, action=Action.UPGRADE_INSTALL, release=None, namespace="default")
    assert caller.connection == Connection()
    assert caller.namespace == "default"
    assert caller.parent is None
    assert not caller.cluster_named
    assert set(caller.origins.values()) == {"default"}
    assert caller.notes == (
        "No parent Helm process found; use --helm-version VERSION.",
        "The release is unknown: no Helm was found above this process; use --release NAME.",
    )


def test_everything_from_the_calling_helm() -> None:
    caller = called(
        "helm upgrade --install shop ./c -n web --kube-context prod --kubeconfig k.yaml --kube-as-user ann "
        "--kube-as-group a --kube-as-group b --kube-apiserver https://api --kube-ca-file ca.pem "
        "--kube-tls-server-name name --kube-insecure-skip-tls-verify --kube-token t0ken --force --atomic "
        "--take-ownership --dry-run=server",
        environ={"HELM_DRIVER": "configmap"},
    )
    assert caller.invocation == Invocation(
        helm=HelmVersion(3, 12, 3),
        action=Action.UPGRADE_INSTALL,
        release=ReleaseName("web", "shop"),
        dry_run=DryRun.SERVER,
        force=True,
        atomic=True,
        take_ownership=True,
        driver="configmap",
    )
    assert caller.connection == Connection(
        kubeconfig="/where/helm/runs/k.yaml",
        context="prod",
        as_user="ann",
        as_groups=("a", "b"),
        token="t0ken",
        apiserver="https://api",
        ca_file="/where/helm/runs/ca.pem",
        tls_server_name="name",
        insecure_skip_tls_verify=True,
    )
    assert caller.cluster_named
    assert caller.notes == ()
    assert caller.parent == Parent(
        pid=101,
        exe="/usr/bin/helm",
        up=2,
        flags=(
            *("--install", "--namespace=web", "--kube-context=prod", "--kubeconfig=k.yaml", "--kube-as-user=ann"),
            *("--kube-as-group=a", "--kube-as-group=b", "--kube-apiserver=https://api", "--kube-ca-file=ca.pem"),
            *("--kube-tls-server-name=name", "--kube-insecure-skip-tls-verify", "--kube-token=***", "--force"),
            *("--atomic", "--take-ownership", "--dry-run=server"),
        ),
    )
    told_by_helm = {name for name, origin in caller.origins.items() if origin == "parent helm (pid 101)"}
    assert {"release", "namespace", "action", "dry_run", "force", "kube_token", "kubeconfig"} <= told_by_helm
    assert caller.origins["driver"] == "HELM_DRIVER"
    assert caller.origins["helm_version"] == "--helm-version"
    assert caller.origins["replace"] == "default"


VALUES: dict[str, tuple[object, str, str, str]] = {
    # setting: by flag, by our variable, on Helm's command line, by Helm's variable
    "namespace": ("flag", "own", "-n line", "helms"),
    "dry_run": ("server", "none", "--dry-run", ""),
    "force": (False, "true", "--force=false", ""),
    "force_conflicts": (False, "true", "--force-conflicts=false", ""),
    "take_ownership": (False, "true", "--take-ownership=false", ""),
    "server_side": ("true", "auto", "--server-side=false", ""),
    "atomic": (False, "true", "--rollback-on-failure=false", ""),
    "replace": (False, "true", "--replace=false", ""),
    "driver": ("secret", "configmap", "", "memory"),
    "kubeconfig": ("/flag", "/own", "--kubeconfig /line", "/helms"),
    "kube_context": ("flag", "own", "--kube-context line", "helms"),
    "kube_as_user": ("flag", "own", "--kube-as-user line", "helms"),
    "kube_as_group": (("f", "g"), "own,two", "--kube-as-group line", "helms, two"),
    "kube_as_uid": ("flag", "own", "", ""),
    "kube_token": ("flag", "own", "--kube-token line", "helms"),
    "kube_apiserver": ("flag", "own", "--kube-apiserver line", "helms"),
    "kube_ca_file": ("/flag", "/own", "--kube-ca-file /line", "/helms"),
    "kube_tls_server_name": ("flag", "own", "--kube-tls-server-name line", "helms"),
    "kube_insecure_skip_tls_verify": (False, "true", "--kube-insecure-skip-tls-verify=false", "true"),
    "request_timeout": ("3", "4.5", "", ""),
}
CONNECTION = {
    "kube_context": "context",
    "kube_as_user": "as_user",
    "kube_as_group": "as_groups",
    "kube_as_uid": "as_uid",
    "kube_token": "token",
    "kube_apiserver": "apiserver",
    "kube_ca_file": "ca_file",
    "kube_tls_server_name": "tls_server_name",
    "kube_insecure_skip_tls_verify": "insecure_skip_tls_verify",
}


def result(caller: Caller, name: str) -> object:
    """What became of a setting."""
    if name == "namespace":
        return caller.namespace
    if name in CONNECTION or hasattr(caller.connection, name):
        return getattr(caller.connection, CONNECTION.get(name, name))
    value = getattr(caller.invocation, name)
    return {DryRun.NO: "none", DryRun.CLIENT: "client", DryRun.SERVER: "server"}[value] if name == "dry_run" else value


@pytest.mark.parametrize("name", VALUES)
def test_a_flag_wins_over_a_variable_over_helm_over_helms_variable(name: str) -> None:
    by_flag, by_own, on_line, by_helms = VALUES[name]
    setting = SETTING[name]
    helms = {setting.helm_variable: by_helms} if by_helms else {}
    own = {setting.variable: by_own}
    line = f"helm install shop ./c {on_line}"
    expected_own: object = {"true": True}.get(by_own, tuple(by_own.split(",")) if setting.kind == "list" else by_own)

    by_all = called(line, environ={**helms, **own}, flags=Flags(**{name: by_flag}))  # type: ignore[arg-type]
    assert by_all.origins[name] == setting.flags[0]
    without_flag = called(line, environ={**helms, **own})
    assert without_flag.origins[name] == setting.variable
    if name == "request_timeout":
        assert (by_all.connection.request_timeout, without_flag.connection.request_timeout) == (3.0, 4.5)
    else:
        assert result(by_all, name) == by_flag
        assert result(without_flag, name) == expected_own
    if on_line:
        on_helms_line = called(line, environ=helms)
        assert on_helms_line.origins[name] == "parent helm (pid 101)"
        assert result(on_helms_line, name) in ("line", "/line", ("line",), "client", "false", False)
    if by_helms:
        by_variable = called("helm install shop ./c", environ=helms)
        assert by_variable.origins[name] == setting.helm_variable
        assert result(by_variable, name) in ("helms", "/helms", ("helms", " two"), "memory", True)
        assert result(alone(helms), name) == result(by_variable, name)
    assert called("helm install shop ./c").origins[name] == "default"


def test_helms_own_environment_counts_not_what_a_script_in_between_made_of_it() -> None:
    caller = called(
        "helm install shop ./c",
        environ={"HELM_NAMESPACE": "script", "HELM_KUBECONTEXT": "script", "POSTRENDER_KUBE_AS_UID": "7"},
        helm_environ={"HELM_NAMESPACE": "helm", "POSTRENDER_KUBE_AS_UID": "8"},
    )
    assert caller.namespace == "helm"
    assert caller.connection.context is None
    assert caller.connection.as_uid == "7"


def test_an_empty_value_is_none() -> None:
    caller = called(
        "helm install shop ./c -n '' --kube-context=",
        environ={"HELM_NAMESPACE": "helms", "HELM_KUBECONTEXT": "helms", "POSTRENDER_NAMESPACE": ""},
    )
    assert caller.namespace == "default"
    assert caller.connection.context is None
    assert caller.cluster_named


@pytest.mark.parametrize(
    ("line", "action", "dry_run"),
    [
        ("helm install shop ./c", Action.INSTALL, DryRun.NO),
        ("helm upgrade shop ./c", Action.UPGRADE, DryRun.NO),
        ("helm upgrade shop ./c -i", Action.UPGRADE_INSTALL, DryRun.NO),
        ("helm upgrade shop ./c --dry-run", Action.UPGRADE, DryRun.CLIENT),
        ("helm template shop ./c", Action.TEMPLATE, DryRun.CLIENT),
        ("helm template shop ./c --validate", Action.TEMPLATE, DryRun.SERVER),
        ("helm template shop ./c --dry-run=false", Action.TEMPLATE, DryRun.CLIENT),
    ],
)
def test_actions(line: str, action: Action, dry_run: DryRun) -> None:
    invocation = called(line).invocation
    assert (invocation.action, invocation.dry_run) == (action, dry_run)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("install", Action.INSTALL),
        ("upgrade", Action.UPGRADE),
        ("upgrade-install", Action.UPGRADE_INSTALL),
        ("upgrade --install", Action.UPGRADE_INSTALL),
        ("template", Action.TEMPLATE),
    ],
)
def test_a_told_action(action: str, expected: Action) -> None:
    assert alone(action=action).invocation.action is expected
    assert alone({"POSTRENDER_ACTION": action}).invocation.action is expected


def test_a_name_that_is_made_up() -> None:
    caller = called("helm install ./c -g -n web")
    assert caller.invocation.release is None
    assert caller.invocation.generate_name
    assert caller.namespace == "web"
    assert caller.notes == ()
    told = alone(generate_name=True, namespace="web", helm_version="3.12.3")
    assert (told.invocation.release, told.invocation.generate_name, told.notes) == (None, True, ())
    over = called("helm install shop ./c", flags=Flags(generate_name=True))
    assert (over.invocation.release, over.invocation.generate_name) == (None, True)
    assert over.origins["release"] == "--generate-name"


def test_a_told_name_is_not_made_up() -> None:
    caller = called("helm install ./c -g", environ={"POSTRENDER_RELEASE": "shop"})
    assert caller.invocation.release == ReleaseName("default", "shop")
    assert not caller.invocation.generate_name
    assert caller.origins["generate_name"] == "POSTRENDER_RELEASE"


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (
            "helm install --brand-new x ./c",
            "The release is unknown: Helm's command line has flags that are not known here (--brand-new); "
            "use --release NAME.",
        ),
        (
            "helm install ./c --name-template '{{ now }}'",
            "The release is unknown: Helm's --name-template is computed; use --release NAME.",
        ),
    ],
)
def test_a_release_that_cannot_be_told(line: str, note: str) -> None:
    caller = called(line)
    assert caller.invocation.release is None
    assert not caller.invocation.generate_name
    assert caller.notes == (note,)


def test_a_version_that_cannot_be_told() -> None:
    processes = chain(("/opt/helm.real", "helm install shop ./c -n web"))
    caller = find(Flags(), {}, pid=0, processes=processes)
    assert caller.invocation.helm is None
    assert caller.invocation.release == ReleaseName("web", "shop")
    assert caller.notes == (
        "Helm's version is unknown: process 100 runs as helm, but its program is /opt/helm.real; "
        "use --helm-version VERSION.",
    )


@pytest.mark.parametrize(
    ("line", "environ", "flags", "expected"),
    [
        ("helm install shop ./c", {}, Flags(), True),
        ("helm template shop ./c", {}, Flags(), False),
        ("helm template shop ./c --kube-context prod", {}, Flags(), False),
        ("helm template shop ./c", {"HELM_KUBECONTEXT": "prod", "KUBECONFIG": "/k"}, Flags(), False),
        ("helm template shop ./c --validate", {}, Flags(), True),
        ("helm template shop ./c", {}, Flags(kube_context="prod"), True),
        ("helm template shop ./c", {"POSTRENDER_KUBECONFIG": "/k"}, Flags(), True),
        ("helm template shop ./c", {"POSTRENDER_KUBE_APISERVER": "https://api"}, Flags(), True),
        ("helm template shop ./c", {"POSTRENDER_KUBE_TOKEN": "t"}, Flags(), False),
        ("helm template shop ./c", {}, Flags(kube_context=""), False),
        ("helm install shop ./c --dry-run=client", {}, Flags(helm_version="4.3.1"), False),
        ("helm install shop ./c --dry-run=client", {}, Flags(helm_version="3.21.4"), True),
    ],
)  # fmt: skip
def test_no_cluster_is_guessed(line: str, environ: dict[str, str], flags: Flags, expected: bool) -> None:
    assert called(line, environ=environ, flags=flags).cluster_named is expected


def test_helms_variables_alone_name_no_cluster() -> None:
    assert not alone(
        {"HELM_KUBECONTEXT": "prod", "KUBECONFIG": "/k", "HELM_KUBEAPISERVER": "https://api"}
    ).cluster_named


@pytest.mark.parametrize(
    ("flags", "environ", "line", "notes"),
    [
        (
            Flags(),
            {"POSTRENDER_RELEASE": "old", "POSTRENDER_NAMESPACE": "there"},
            "helm upgrade shop ./c -n here",
            (
                "POSTRENDER_RELEASE says old, but parent helm (pid 101) says shop: POSTRENDER_RELEASE is taken.",
                "POSTRENDER_NAMESPACE says there, but parent helm (pid 101) says here: POSTRENDER_NAMESPACE is taken.",
            ),
        ),
        (
            Flags(action="install", namespace="there", kube_context="prod", kubeconfig="/a/../k"),
            {"HELM_NAMESPACE": "here", "HELM_KUBECONTEXT": "test", "KUBECONFIG": "/k"},
            "helm upgrade shop ./c",
            (
                "--namespace says there, but HELM_NAMESPACE says here: --namespace is taken.",
                "--action says install, but parent helm (pid 101) says upgrade: --action is taken.",
                "--kube-context says prod, but HELM_KUBECONTEXT says test: --kube-context is taken.",
            ),
        ),
        (
            Flags(kube_apiserver="https://me:s3cret@a"),
            {},
            "helm upgrade shop ./c --kube-apiserver https://you:s3cret@b",
            (
                "--kube-apiserver says https://***@a, but parent helm (pid 101) says https://***@b: "
                "--kube-apiserver is taken.",
            ),
        ),
        # the same thing twice is none, and a Helm that talks to no cluster has no say in which
        (Flags(release="shop", action="upgrade"), {"HELM_NAMESPACE": "a"}, "helm upgrade shop ./c", ()),
        (Flags(kube_context="prod"), {}, "helm template shop ./c --kube-context test", ()),
    ],
)
def test_contradictions_are_told(flags: Flags, environ: dict[str, str], line: str, notes: tuple[str, ...]) -> None:
    assert called(line, flags=flags, environ=environ).notes == notes


def kubeconfig(path: Path, current: str, *contexts: str, server: str = "https://127.0.0.1:1") -> str:
    """Write a kubeconfig whose contexts have themselves for a namespace."""
    lines = [f"apiVersion: v1\nkind: Config\ncurrent-context: {current}\ncontexts:"]
    lines += [f"- name: {name}\n  context: {{cluster: c, namespace: {name}}}" for name in contexts]
    lines += [f"clusters:\n- name: c\n  cluster: {{server: '{server}'}}\n"]
    path.write_text("\n".join(lines))
    return str(path)


def test_the_namespace_is_the_contexts(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "k", "one", "one", "two")
    caller = called("helm install shop ./c", environ={"KUBECONFIG": path})
    assert caller.invocation.release == ReleaseName("one", "shop")
    assert caller.origins["namespace"] == "kubeconfig (context one)"
    assert called("helm install shop ./c --kube-context two", environ={"KUBECONFIG": path}).namespace == "two"
    assert alone({"POSTRENDER_KUBECONFIG": path}, kube_context="two").namespace == "two"


def test_the_namespace_is_the_one_of_helms_context_not_of_ours(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "k", "one", "one", "two")
    caller = called("helm template shop ./c", environ={"KUBECONFIG": path}, flags=Flags(kube_context="two"))
    assert caller.namespace == "one"
    assert caller.connection.context == "two"


def test_a_kubeconfig_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("- a\n")
    caller = called("helm install shop ./c", environ={"KUBECONFIG": str(tmp_path / "k")})
    assert caller.namespace is None
    assert caller.invocation.release is None
    assert caller.notes == (f"The namespace is unknown: {tmp_path}/k is not a kubeconfig; use --namespace NAMESPACE.",)


def test_of_several_kubeconfigs_the_first_current_context_is_named(tmp_path: Path) -> None:
    """The kubernetes client would take the last one, and look at another cluster than Helm."""
    paths = os.pathsep.join(kubeconfig(tmp_path / name, name, name) for name in ("one", "two"))
    caller = called("helm install shop ./c", helm="3.17.3", environ={"KUBECONFIG": paths})
    assert caller.connection.context == "one"
    assert caller.origins["kube_context"] == "kubeconfig"
    assert caller.cluster_named
    told = called("helm install shop ./c --kube-context two", helm="3.17.3", environ={"KUBECONFIG": paths})
    assert told.connection.context == "two"


@pytest.mark.parametrize(("helm", "named"), [("3.12.3", False), ("3.16.4", False), ("3.17.0", True), ("4.3.1", True)])
def test_a_cluster_that_several_kubeconfigs_define_differently(helm: str, named: bool, tmp_path: Path) -> None:
    paths = os.pathsep.join(
        kubeconfig(tmp_path / name, name, name, server=f"https://{name}") for name in ("one", "two")
    )
    caller = called("helm install shop ./c", helm=helm, environ={"KUBECONFIG": paths})
    assert caller.cluster_named is named
    note = (
        "The cluster is unknown: several kubeconfigs define the cluster c, and Helm's versions differ in what "
        "they take; use --kubeconfig PATH."
    )
    assert caller.notes == (() if named else (note,))
    one = called("helm install shop ./c", helm=helm, environ={"KUBECONFIG": paths},
                 flags=Flags(kubeconfig=str(tmp_path / "one")))  # fmt: skip
    assert one.cluster_named


def test_a_script_in_between_does_not_change_the_kubeconfig() -> None:
    """Helm reads the one at its own home; the script has another home, or exports another kubeconfig."""
    for script in ({"HOME": "/script"}, {"HOME": "/helm", "KUBECONFIG": "/script"}):
        caller = called("helm install shop ./c", environ=script, helm_environ={"HOME": "/helm"})
        assert caller.connection.kubeconfig == "/helm/.kube/config"
        assert caller.origins["kubeconfig"] == "parent helm (pid 101)"
    assert called("helm install shop ./c", helm_environ={"HOME": "/nonexistent"}).connection.kubeconfig is None
    told = called(
        "helm install shop ./c", environ={"HOME": "/script"}, helm_environ={"HOME": "/h", "KUBECONFIG": "k:/l"}
    )
    assert told.connection.kubeconfig == "/where/helm/runs/k:/l"


def test_an_empty_kubeconfig_flag_leaves_the_variable() -> None:
    caller = called("helm install shop ./c --kubeconfig ''", environ={"KUBECONFIG": "/k"})
    assert caller.connection.kubeconfig == "/k"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("release", "Shop", "'Shop' is no release name: " + NAME),
        ("release", "a" * 54, f"'{'a' * 54}' is no release name: " + NAME),
        ("release", "a..b", "'a..b' is no release name: " + NAME),
        ("release", "a\n", "'a\\n' is no release name: " + NAME),
        ("namespace", "a.b", "'a.b' is no namespace: " + LABEL),
        ("namespace", "../x", "'../x' is no namespace: " + LABEL),
        ("helm_version", "latest", "'latest' is no Helm version, such as 3.17.3"),
        ("helm_version", "3.17", "'3.17' is not exact: name the patch release, as in 3.17.3"),
        ("action", "rollback", "invalid value 'rollback'; choose install, upgrade, upgrade-install, template"),
        ("dry_run", "maybe", "invalid value 'maybe'; choose none, client, server"),
        ("server_side", "yes", "invalid value 'yes'; choose true, false, auto"),
        ("driver", "postgres", "invalid value 'postgres'; choose secret, configmap, memory, sql"),
        ("request_timeout", "0", "'0' is no number of seconds above 0"),
        ("request_timeout", "5m", "'5m' is no number of seconds above 0"),
        ("force", "maybe", "'maybe' is neither true nor false"),
    ],
)  # fmt: skip
def test_bad_values(name: str, text: str, message: str) -> None:
    setting = SETTING[name]
    with pytest.raises(UsageError) as by_variable:
        alone({setting.variable: text})
    assert str(by_variable.value) == f"{setting.variable}: {message}"
    with pytest.raises(UsageError) as by_flag:
        alone({}, **{name: text})
    assert str(by_flag.value) == f"{setting.flags[0]}: {message}"


@pytest.mark.parametrize(
    ("line", "environ", "message"),
    [
        (
            "helm template shop ./c -n 'A B'",
            {},
            "parent helm (pid 101): 'A B' is no namespace: " + LABEL,
        ),
        (
            "helm template shop ./c",
            {"HELM_NAMESPACE": "a/b"},
            "HELM_NAMESPACE: 'a/b' is no namespace: " + LABEL,
        ),
        (
            "helm template shop ./c",
            {"HELM_DRIVER": "etcd"},
            "HELM_DRIVER: invalid value 'etcd'; choose secret, configmap, memory, sql",
        ),
    ],
)
def test_bad_values_from_helm(line: str, environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        called(line, environ=environ)
    assert str(caught.value) == message


def test_a_name_and_a_made_up_one_exclude_each_other() -> None:
    with pytest.raises(UsageError) as caught:
        alone({"POSTRENDER_GENERATE_NAME": "true"}, release="shop")
    assert str(caught.value) == "--release and POSTRENDER_GENERATE_NAME exclude each other"


@pytest.mark.parametrize(("text", "driver"), [("secrets", "secret"), ("configmaps", "configmap"), ("sql", "sql")])
def test_drivers_by_helms_other_names(text: str, driver: str) -> None:
    assert alone({"HELM_DRIVER": text}).invocation.driver == driver


def test_helms_boolean_variable_that_is_none_counts_as_unset() -> None:
    assert not alone({"HELM_KUBEINSECURE_SKIP_TLS_VERIFY": "maybe"}).connection.insecure_skip_tls_verify


def test_nothing_secret_is_shown() -> None:
    """A planted secret in every place that may hold one, searched for in everything that can be printed."""
    secret = "s3cret"
    caller = called(
        f"helm install shop https://me:{secret}@charts/c.tgz --kube-token {secret} --password {secret} "
        f"--set a={secret} --kube-apiserver https://me:{secret}@api --set-json a={secret} -f {secret} "
        f"--brand-new {secret}",
        environ={"HELM_KUBETOKEN": secret},
    )  # fmt: skip
    assert caller.connection.token == secret
    shown = [repr(caller.parent), str(caller.origins), str(caller.notes), repr(caller.invocation)]
    assert secret not in repr(caller)
    assert not [text for text in shown if secret in text]
    own = find(
        Flags(kube_token=secret), {"POSTRENDER_KUBE_TOKEN": secret, "HELM_KUBETOKEN": secret}, pid=0, processes=NOBODY
    )
    assert secret not in repr(own)
    assert secret not in repr(Flags(kube_token=secret, release="shop"))
    assert repr(Flags(kube_token=secret, release="shop")) == "Flags(release=..., kube_token=...)"


PROVIDER = "/home/ann/.terraform/providers/registry.terraform.io/hashicorp/helm/3.1.2/terraform-provider-helm_v3.1.2_x5"


@pytest.mark.parametrize(
    ("above", "manager", "origin"),
    [
        (((PROVIDER, PROVIDER),), "terraform-provider-helm_v3.1.2_x5", "parent terraform-provider-helm_v3.1.2_x5"),
        ((("/bin/sh", "sh ./script"), (PROVIDER, PROVIDER)), "terraform-provider-helm_v3.1.2_x5", "parent"),
        ((("/x/p", "/x/pulumi-resource-kubernetes 127.0.0.1:1"),), "pulumi-resource-kubernetes", "parent"),
        ((("/usr/bin/terraform", "terraform apply"),), "helm", "default"),
        ((("/usr/bin/helm", "helm install shop ./c"), (PROVIDER, PROVIDER)), "helm", "default"),
    ],
)
def test_the_field_manager_is_the_program_that_has_helm_in_it(
    above: tuple[tuple[str, str], ...], manager: str, origin: str
) -> None:
    caller = find(Flags(helm_version="3.18.5"), {"HOME": "/nonexistent"}, pid=0, processes=chain(*above))
    assert caller.invocation.field_manager == manager
    assert caller.origins["field_manager"].startswith(origin)
    given = find(
        Flags(helm_version="3.18.5", field_manager="mine"), {"HOME": "/nonexistent"}, pid=0, processes=chain(*above)
    )
    assert given.invocation.field_manager == "mine"


def test_the_field_manager_from_a_variable() -> None:
    assert alone({"POSTRENDER_FIELD_MANAGER": "operator"}).invocation.field_manager == "operator"
