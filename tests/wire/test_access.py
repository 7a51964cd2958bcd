"""Which cluster is reached, as whom, and by what: kubeconfigs, what overrides them, TLS, plugins, proxies."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from postrender.cluster import http
from postrender.cluster.client import connect
from postrender.cluster.connect import proxy_for
from postrender.cluster.credentials import FileLogin
from postrender.cluster.interface import ObjectLookup
from postrender.errors import ClusterError
from postrender.models import Absent, Connection, Found, ReleaseName, Unknown
from tests.wire.kinds import CONFIG_MAP, SECRET, an_object
from tests.wire.server import TLS, Reply, Request, Server

Kubeconfig = Callable[..., Path]
CA = str(TLS / "ca.pem")
OTHER_CA = str(TLS / "other-ca.pem")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Over TLS, by an authority that this machine trusts: over plain HTTP nobody is sent a login."""
    monkeypatch.setenv("SSL_CERT_FILE", CA)
    with Server(tls=True) as running:
        yield running


def encoded(path: str) -> str:
    return base64.b64encode(Path(path).read_bytes()).decode()


def look(connection: Connection) -> Unknown | None:
    """Ask for one object; ``None`` where there was a clear answer."""
    (found,) = connect(connection).get_objects([ObjectLookup(CONFIG_MAP, "shop", "a", False)])
    return found if isinstance(found, Unknown) else None


def asked(server: Server, connection: Connection) -> Request:
    """The request that reaches the server."""
    assert look(connection) is None
    return server.requests[-1]


def refused(connection: Connection) -> str:
    with pytest.raises(ClusterError) as caught:
        connect(connection)
    return str(caught.value)


def a_config(**parts: Any) -> str:
    """A kubeconfig with clusters, users and contexts by name."""
    entries = {
        plural: [{"name": name, plural[:-1]: content} for name, content in parts.get(plural, {}).items()]
        for plural in ("clusters", "users", "contexts")
    }
    current = {"current-context": parts["current"]} if "current" in parts else {}
    return json.dumps({"apiVersion": "v1", "kind": "Config", **current, **entries})


class TestKubeconfig:
    def test_the_current_context(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url}, {"token": "t"})
        connection = Connection(kubeconfig=str(path))
        assert connect(connection).description == f"context dev ({server.url})"
        assert asked(server, connection).headers["authorization"] == ("Bearer t",)

    def test_the_variable(self, server: Server, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig({"server": server.url})))
        assert look(Connection()) is None

    def test_the_file_at_home(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        (tmp_path / "home/.kube").mkdir(parents=True)
        kubeconfig({"server": server.url}).rename(tmp_path / "home/.kube/config")
        assert look(Connection()) is None

    @pytest.mark.parametrize("empty", [None, ""])
    def test_what_is_left_empty_is_not_said(self, server: Server, kubeconfig: Kubeconfig, empty: str | None) -> None:
        user = {"token": empty, "client-certificate": empty, "username": empty}
        path = kubeconfig({"server": server.url, "certificate-authority-data": empty}, user)
        assert "authorization" not in asked(server, Connection(kubeconfig=str(path))).headers

    def test_comments_before_the_document(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url})
        path.write_text(f"# written by hand\n\n---\n{path.read_text()}\n---\nignored: true\n")
        assert look(Connection(kubeconfig=str(path))) is None

    def test_connecting_asks_nothing(self, server: Server, kubeconfig: Kubeconfig) -> None:
        connect(Connection(kubeconfig=str(kubeconfig({"server": server.url}))))
        assert server.connections == 0

    def test_of_several_files_the_first_that_says_a_thing_wins(self, server: Server, tmp_path: Path) -> None:
        one, two, three = (tmp_path / name / "config" for name in ("one", "two", "three"))
        for path in (one, two):
            path.parent.mkdir()
        one.write_text(a_config(current="here", users={"u": {"token": "first"}}))
        two.write_text(
            a_config(
                current="there",
                clusters={"c": {"server": server.url}},
                contexts={"here": {"cluster": "c", "user": "u"}, "there": {"cluster": "none", "user": "u"}},
                users={"u": {"token": "second"}},
            )
        )
        connection = Connection(kubeconfig=os.pathsep.join(str(path) for path in (three, one, two)))
        assert connect(connection).description == f"context here ({server.url})"
        assert asked(server, connection).headers["authorization"] == ("Bearer first",)

    def test_paths_start_from_the_file_they_are_in(
        self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "ca.pem").write_bytes(Path(CA).read_bytes())
        (tmp_path / "token").write_text("from-a-file\n")
        path = kubeconfig({"server": tls_server.url, "certificate-authority": "ca.pem"}, {"tokenFile": "token"})
        monkeypatch.chdir("/")
        assert asked(tls_server, Connection(kubeconfig=str(path))).headers["authorization"] == ("Bearer from-a-file",)

    def test_basic_authentication(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url}, {"username": "jane", "password": "geheim"})
        assert asked(server, Connection(kubeconfig=str(path))).headers["authorization"] == ("Basic amFuZTpnZWhlaW0=",)

    def test_a_server_below_a_path(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": f"{server.url}/k8s/clusters/c-1/"})
        look(Connection(kubeconfig=str(path)))
        assert server.requests[-1].path == "/k8s/clusters/c-1/api/v1/namespaces/shop/configmaps/a"

    def test_whom_the_user_of_the_kubeconfig_impersonates(self, server: Server, kubeconfig: Kubeconfig) -> None:
        user = {
            "token": "t",
            "as": "jane",
            "as-uid": "7",
            "as-groups": ["one", "two"],
            "as-user-extra": {"acme.com/project": ["x", "y"]},
        }
        sent = asked(server, Connection(kubeconfig=str(kubeconfig({"server": server.url}, user)))).headers
        assert {name: values for name, values in sent.items() if name.startswith("impersonate")} == {
            "impersonate-user": ("jane",),
            "impersonate-uid": ("7",),
            "impersonate-group": ("one", "two"),
            "impersonate-extra-acme.com%2fproject": ("x", "y"),
        }

    def test_nothing_is_said_without_a_user(self, server: Server, kubeconfig: Kubeconfig) -> None:
        request = asked(server, Connection(kubeconfig=str(kubeconfig({"server": server.url}))))
        assert not {"authorization", "impersonate-user"} & set(request.headers)

    def test_the_file_is_not_written(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url}, {"token": "t"})
        path.chmod(0o400)
        before = path.read_bytes()
        assert look(Connection(kubeconfig=str(path))) is None
        assert path.read_bytes() == before


class TestOverrides:
    def test_another_context(self, server: Server, tmp_path: Path) -> None:
        path = tmp_path / "config"
        path.write_text(
            a_config(
                current="dev",
                clusters={"c": {"server": "http://127.0.0.1:1"}, "d": {"server": server.url}},
                contexts={"dev": {"cluster": "c", "user": "u"}, "prod": {"cluster": "d", "user": "v"}},
                users={"u": {"token": "u"}, "v": {"token": "v"}},
            )
        )
        connection = Connection(kubeconfig=str(path), context="prod")
        assert connect(connection).description == f"context prod ({server.url})"
        assert asked(server, connection).headers["authorization"] == ("Bearer v",)

    @pytest.mark.parametrize(
        "user",
        [
            {"token": "of-the-file"},
            {"tokenFile": "/does/not/exist"},
            {"username": "jane", "password": "geheim"},
            {"exec": {"command": "/does/not/exist", "apiVersion": "client.authentication.k8s.io/v1"}},
            {"auth-provider": {"name": "oidc", "config": {}}},
        ],
    )
    def test_a_token_wins_over_what_the_user_has(
        self, server: Server, kubeconfig: Kubeconfig, user: dict[str, Any]
    ) -> None:
        path = kubeconfig({"server": server.url}, user)
        connection = Connection(kubeconfig=str(path), token="ours")
        assert asked(server, connection).headers["authorization"] == ("Bearer ours",)

    def test_another_server_and_nothing_else(self, server: Server) -> None:
        connection = Connection(apiserver=server.url, token="t")
        assert connect(connection).description == f"API server ({server.url})"
        assert asked(server, connection).headers["authorization"] == ("Bearer t",)

    def test_another_server_where_the_context_names_none(self, server: Server, tmp_path: Path) -> None:
        path = tmp_path / "config"
        path.write_text(a_config(current="dev", contexts={"dev": {"user": "u"}}, users={"u": {"token": "t"}}))
        connection = Connection(kubeconfig=str(path), apiserver=server.url)
        assert asked(server, connection).headers["authorization"] == ("Bearer t",)

    def test_another_server_for_the_same_user(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": "http://127.0.0.1:1"}, {"token": "t"})
        connection = Connection(kubeconfig=str(path), apiserver=server.url)
        assert asked(server, connection).headers["authorization"] == ("Bearer t",)

    def test_impersonation(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url}, {"as": "john", "as-groups": ["old"]})
        connection = Connection(kubeconfig=str(path), as_user="jänne", as_groups=("a", "b"), as_uid="7")
        sent = asked(server, connection).headers
        assert sent["impersonate-user"][0].encode("latin-1").decode() == "jänne"
        assert (sent["impersonate-group"], sent["impersonate-uid"]) == (("a", "b"), ("7",))

    def test_a_password_in_an_address_is_not_shown(self) -> None:
        assert connect(Connection(apiserver="http://jane:geheim@127.0.0.1:1/x")).description == (
            "API server (http://127.0.0.1:1/x)"
        )


class TestTls:
    @pytest.mark.parametrize("trust", [{"certificate-authority": CA}, {"certificate-authority-data": encoded(CA)}])
    def test_a_server_that_the_authority_vouches_for(
        self, tls_server: Server, kubeconfig: Kubeconfig, trust: dict[str, str]
    ) -> None:
        assert look(Connection(kubeconfig=str(kubeconfig({"server": tls_server.url, **trust})))) is None

    @pytest.mark.parametrize("trust", [{"certificate-authority": OTHER_CA}, {}], ids=["another", "the system's"])
    def test_a_server_that_nobody_vouches_for(
        self, tls_server: Server, kubeconfig: Kubeconfig, trust: dict[str, str]
    ) -> None:
        answer = look(Connection(kubeconfig=str(kubeconfig({"server": tls_server.url, **trust}, {"token": "t"}))))
        assert answer is not None
        assert answer.reason.startswith("the server's certificate or TLS is not accepted: ")
        assert answer.reason.endswith("; set --kube-ca-file or --kube-tls-server-name")
        assert [step.partition(" --kubeconfig ")[0] for step in answer.next] == ["kubectl get configmaps a -n shop"]
        assert tls_server.asked() == []

    def test_a_server_of_another_name(self, tls_server: Server, kubeconfig: Kubeconfig) -> None:
        url = tls_server.url.replace("127.0.0.1", "localhost")
        answer = look(Connection(kubeconfig=str(kubeconfig({"server": url, "certificate-authority": CA}))))
        assert answer is not None
        assert answer.reason.startswith("the server's certificate or TLS is not accepted: ")
        assert "'localhost'" in answer.reason

    @pytest.mark.parametrize("flag", [True, False])
    def test_the_name_to_check_for(self, tls_server: Server, kubeconfig: Kubeconfig, flag: bool) -> None:
        cluster = {"server": tls_server.url.replace("127.0.0.1", "localhost"), "certificate-authority": CA}
        if not flag:
            cluster["tls-server-name"] = "kubernetes"
        path = kubeconfig(cluster)
        connection = Connection(kubeconfig=str(path), tls_server_name="kubernetes" if flag else None)
        assert asked(tls_server, connection).server_name == "kubernetes"

    def test_another_server_drops_the_name_to_check_for(self, tls_server: Server, kubeconfig: Kubeconfig) -> None:
        cluster = {"server": "https://nowhere", "certificate-authority": CA, "tls-server-name": "nowhere"}
        connection = Connection(kubeconfig=str(kubeconfig(cluster)), apiserver=tls_server.url)
        assert look(connection) is None

    def test_another_authority(self, tls_server: Server, kubeconfig: Kubeconfig) -> None:
        cluster = {"server": tls_server.url, "certificate-authority-data": encoded(OTHER_CA)}
        path = kubeconfig({**cluster, "insecure-skip-tls-verify": False})
        assert look(Connection(kubeconfig=str(path))) is not None
        assert look(Connection(kubeconfig=str(path), ca_file=CA)) is None

    def test_another_authority_checks_what_the_kubeconfig_did_not(
        self, tls_server: Server, kubeconfig: Kubeconfig
    ) -> None:
        path = kubeconfig({"server": tls_server.url, "insecure-skip-tls-verify": True})
        assert look(Connection(kubeconfig=str(path))) is None
        assert look(Connection(kubeconfig=str(path), ca_file=OTHER_CA)) is not None

    def test_no_check_at_all(
        self, tls_server: Server, kubeconfig: Kubeconfig, capfd: pytest.CaptureFixture[str]
    ) -> None:
        path = kubeconfig({"server": tls_server.url, "certificate-authority-data": encoded(OTHER_CA)})
        assert look(Connection(kubeconfig=str(path), insecure_skip_tls_verify=True)) is None
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("inline", [True, False])
    def test_a_client_certificate(self, tls_server: Server, kubeconfig: Kubeconfig, inline: bool) -> None:
        both = str(TLS / "client.pem")
        user = {"client-certificate": both, "client-key": both}
        if inline:
            user = {f"{key}-data": encoded(path) for key, path in user.items()}
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA}, user)
        assert asked(tls_server, Connection(kubeconfig=str(path))).client == "client"

    def test_plain_http_where_tls_is_spoken(self, tls_server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": tls_server.url.replace("https", "http")})
        answer = look(Connection(kubeconfig=str(path), request_timeout=5))
        assert answer is not None
        assert answer.reason.startswith("the connection broke off: ")

    @pytest.mark.parametrize("cut", [1, 2])
    def test_a_handshake_that_is_cut_off_is_tried_again(
        self, tls_server: Server, kubeconfig: Kubeconfig, cut: int
    ) -> None:
        tls_server.cut_handshakes = cut
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA})
        assert look(Connection(kubeconfig=str(path))) is None

    def test_handshakes_that_are_all_cut_off(self, tls_server: Server, kubeconfig: Kubeconfig) -> None:
        tls_server.cut_handshakes = 10**9
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA})
        answer = look(Connection(kubeconfig=str(path)))
        assert answer == Unknown(
            "the connection broke off during the TLS handshake",
            (f"kubectl get configmaps a -n shop --kubeconfig {path}",),
        )

    @pytest.mark.parametrize("alert", [10, 20, 50, 80], ids=["unexpected", "bad MAC", "decode", "internal"])
    def test_an_alert_about_one_connection_is_tried_again(
        self, tls_server: Server, kubeconfig: Kubeconfig, alert: int
    ) -> None:
        tls_server.cut_handshakes = 2
        tls_server.handshake_alert = alert
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA})
        assert look(Connection(kubeconfig=str(path))) is None

    @pytest.mark.parametrize("alert", [42, 48, 70, 112, 116], ids=["bad", "authority", "version", "name", "required"])
    def test_an_alert_about_the_certificate_is_final(
        self, tls_server: Server, kubeconfig: Kubeconfig, alert: int
    ) -> None:
        tls_server.cut_handshakes = 1
        tls_server.handshake_alert = alert
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA})
        answer = look(Connection(kubeconfig=str(path)))
        assert answer is not None
        assert answer.reason.startswith("the server's certificate or TLS is not accepted: ")

    def test_tls_where_plain_http_is_spoken(self, plain_server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": plain_server.url.replace("http", "https")})
        answer = look(Connection(kubeconfig=str(path), request_timeout=5))
        assert answer is not None
        assert answer.reason.startswith("the server's certificate or TLS is not accepted: ")


PLUGIN = "import pathlib; pathlib.Path(sys.argv[0] + '.ran').touch()"
LOGINS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "a token": lambda _: {"token": "geheim"},
    "a password": lambda _: {"username": "jane", "password": "geheim"},
    "a plugin": lambda folder: {"exec": a_plugin(folder, PLUGIN)},
    "somebody else's name": lambda _: {"as": "geheim", "as-groups": ["geheim"]},
}


@pytest.mark.parametrize("flag", [True, False], ids=["and a flag", ""])
@pytest.mark.parametrize("login", LOGINS)
def test_no_login_is_sent_over_plain_http(
    plain_server: Server, kubeconfig: Kubeconfig, tmp_path: Path, login: str, flag: bool
) -> None:
    path = kubeconfig({"server": plain_server.url}, LOGINS[login](tmp_path))
    connection = Connection(kubeconfig=str(path), token="geheim" if flag else "", as_user="geheim" if flag else "")
    sent = asked(plain_server, connection).headers
    assert "geheim" not in str(sent)
    assert not {"authorization", "impersonate-user", "impersonate-group"} & set(sent)
    assert not (tmp_path / "plugin.ran").exists()


def a_plugin(folder: Path, body: str) -> dict[str, Any]:
    """An exec plugin beside the kubeconfig, named by a relative path."""
    script = folder / "plugin"
    script.write_text(f"#!{sys.executable}\nimport json, os, sys\n{textwrap.dedent(body)}\n")
    script.chmod(0o755)
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./plugin",
        "args": ["get-token"],
        "env": [{"name": "ACCOUNT", "value": "dev"}],
        "interactiveMode": "IfAvailable",
        "installHint": "apt install plugin",
    }


GIVES = """\
def give(**status):
    print(json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}))
"""


class TestPlugins:
    def test_a_token(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        plugin = a_plugin(tmp_path, GIVES + "give(token=f\"{os.environ['ACCOUNT']}-{sys.argv[1]}\")")
        path = kubeconfig({"server": server.url}, {"exec": plugin})
        request = asked(server, Connection(kubeconfig=str(path)))
        assert request.headers["authorization"] == ("Bearer dev-get-token",)

    def test_a_token_that_expires_is_asked_for_again(
        self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path
    ) -> None:
        count = f"""
            with open({str(tmp_path / "count")!r}, "a+") as calls:
                calls.write("x")
                calls.seek(0)
                give(token=calls.read(), expirationTimestamp="2020-01-01T00:00:00Z")
        """
        path = kubeconfig({"server": server.url}, {"exec": a_plugin(tmp_path, GIVES + textwrap.dedent(count))})
        questions = [ObjectLookup(SECRET, "shop", f"c{place}", True) for place in range(50)]
        connect(Connection(kubeconfig=str(path))).get_objects(questions)
        sent = {each.headers["authorization"] for each in server.requests}
        assert sent == {("Bearer xx",)}, "once more, but not for each request"

    def test_a_certificate(self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        gives = f"""
            both = open({str(TLS / "client.pem")!r}).read()
            give(clientCertificateData=both, clientKeyData=both)
        """
        plugin = a_plugin(tmp_path, GIVES + textwrap.dedent(gives))
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA}, {"exec": plugin})
        assert asked(tls_server, Connection(kubeconfig=str(path))).client == "client"

    @pytest.mark.parametrize("inline", [True, False])
    def test_one_beside_a_certificate_is_not_run(
        self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path, inline: bool
    ) -> None:
        """``UpdateTransportConfig`` of client-go 0.34.3, plugin/pkg/client/auth/exec/exec.go."""
        user: dict[str, Any] = {key: str(TLS / "client.pem") for key in ("client-certificate", "client-key")}
        if inline:
            user = {f"{key}-data": encoded(path) for key, path in user.items()}
        user["exec"] = a_plugin(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA}, user)
        assert asked(tls_server, Connection(kubeconfig=str(path))).client == "client"
        assert not (tmp_path / "ran").exists()

    def test_a_certificate_and_a_token(self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        gives = f"""
            both = open({str(TLS / "client.pem")!r}).read()
            give(token="t", clientCertificateData=both, clientKeyData=both)
        """
        plugin = a_plugin(tmp_path, GIVES + textwrap.dedent(gives))
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA}, {"exec": plugin})
        request = asked(tls_server, Connection(kubeconfig=str(path)))
        assert (request.client, request.headers["authorization"]) == ("client", ("Bearer t",))

    @staticmethod
    def counting(folder: Path, then: str) -> dict[str, Any]:
        """A plugin to which ``count`` says how often it was run."""
        count = f"""
            with open({str(folder / "count")!r}, "a+") as calls:
                calls.write("x")
                calls.seek(0)
                count = calls.read()
        """
        return a_plugin(folder, GIVES + textwrap.dedent(count) + then)

    def test_it_is_asked_again_after_a_401(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        """``RoundTrip`` of client-go's exec.go renews the credentials too; what is sent again is sent by us."""
        server.on(".*", lambda it: Reply(401) if it.headers["authorization"] == ("Bearer x",) else None)
        path = kubeconfig({"server": server.url}, {"exec": self.counting(tmp_path, "give(token=count)")})
        questions = [ObjectLookup(SECRET, "shop", f"c{place}", True) for place in range(50)]
        found = connect(Connection(kubeconfig=str(path))).get_objects(questions)
        assert found == [Absent()] * 50
        assert (tmp_path / "count").read_text() == "xx", "once for all that were under way"

    def test_a_401_that_stays(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        server.on(".*", Reply(401))
        path = kubeconfig({"server": server.url}, {"exec": self.counting(tmp_path, "give(token=count)")})
        questions = [ObjectLookup(SECRET, "shop", f"c{place}", True) for place in range(50)]
        found = connect(Connection(kubeconfig=str(path))).get_objects(questions)
        assert {type(each) for each in found} == {Unknown}
        assert (tmp_path / "count").read_text() == "xx"
        assert len(server.requests) <= 100

    def test_a_401_that_the_plugin_cannot_cure(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        server.on(".*", Reply(401))
        once = "give(token='t') if count == 'x' else sys.exit('you are logged out')"
        path = kubeconfig({"server": server.url}, {"exec": self.counting(tmp_path, once)})
        answer = look(Connection(kubeconfig=str(path)))
        assert answer == Unknown(
            "the server does not accept our credentials (401): no word of an API server, but application/json",
            answer.next if answer else (),
        )
        assert len(server.requests) == 1

    def test_a_certificate_that_is_renewed(self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        tls_server.on(".*", lambda it: None if it.client else Reply(401))
        then = f"""
            both = open({str(TLS / "client.pem")!r}).read()
            give(token="t") if count == "x" else give(clientCertificateData=both, clientKeyData=both)
        """
        plugin = self.counting(tmp_path, textwrap.dedent(then))
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA}, {"exec": plugin})
        request = asked(tls_server, Connection(kubeconfig=str(path)))
        assert (request.client, "authorization" in request.headers) == ("client", False)

    def test_a_plugin_that_fails(
        self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        plugin = a_plugin(tmp_path, "sys.exit('you are logged out')")
        path = kubeconfig({"server": server.url}, {"exec": plugin})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: the credential plugin {tmp_path}/./plugin gave no credentials: "
            "exit code 1: you are logged out\n"
            "  apt install plugin\n"
            f"hint: kubectl get --raw /version --kubeconfig {path}"
        )
        assert server.connections == 0
        assert capfd.readouterr() == ("", "")

    def test_a_plugin_that_is_not_there(self, server: Server, kubeconfig: Kubeconfig) -> None:
        plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-plugin"}
        path = kubeconfig({"server": server.url}, {"exec": plugin})
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the credential plugin no-such-plugin gave no credentials: "
            "No such file or directory\n"
            f"hint: kubectl get --raw /version --kubeconfig {path}"
        )

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                {"apiVersion": "client.authentication.k8s.io/v1alpha1"},
                "has the apiVersion 'client.authentication.k8s.io/v1alpha1'; kubectl and Helm run "
                "client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1",
            ),
            (
                {"interactiveMode": "Sometimes"},
                "has the interactiveMode 'Sometimes' (choose Never, IfAvailable, Always)",
            ),
            ({"interactiveMode": ""}, "has the interactiveMode '' (choose Never, IfAvailable, Always)"),
        ],
    )
    def test_what_helm_does_not_run_is_not_run(
        self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, change: dict[str, str], said: str
    ) -> None:
        """``newAuthenticator`` (exec.go) and ``validateAuthInfo`` (validation.go) of client-go 0.34.3 refuse them."""
        plugin = {**a_plugin(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')"), **change}
        path = kubeconfig({"server": server.url}, {"exec": plugin})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: the credential plugin {tmp_path}/./plugin {said}\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )
        assert not (tmp_path / "ran").exists()

    def test_one_that_needs_a_terminal_is_not_run_without(
        self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path
    ) -> None:
        plugin = {**a_plugin(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')"), "interactiveMode": "Always"}
        path = kubeconfig({"server": server.url}, {"exec": plugin})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: the credential plugin {tmp_path}/./plugin gave no credentials: interactiveMode is Always, "
            "and stdin is not a terminal\n"
            "  apt install plugin\n"
            f"hint: kubectl get --raw /version --kubeconfig {path}"
        )
        assert not (tmp_path / "ran").exists()

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("print('geheim')", "its output is not JSON"),
            ("print(json.dumps(['geheim']))", "its output is not an ExecCredential"),
            (
                "print(json.dumps({'apiVersion': 'geheim', 'kind': 'ExecCredential'}))",
                "its output is not of the version client.authentication.k8s.io/v1",
            ),
            (GIVES.replace("status})", "'geheim'})") + "give()", "its output has no status"),
            (GIVES + "give()", "it gave neither a token nor a certificate"),
            (GIVES + "give(clientKeyData='geheim')", "it gave only one of certificate and key"),
            (GIVES + "give(token='geheim', expirationTimestamp='geheim')", "its expirationTimestamp is not a time"),
        ],
    )
    def test_output_that_is_no_credential_is_not_repeated(
        self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, body: str, said: str
    ) -> None:
        path = kubeconfig({"server": server.url}, {"exec": a_plugin(tmp_path, body)})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: the credential plugin {tmp_path}/./plugin gave no credentials: {said}\n"
            "  apt install plugin\n"
            f"hint: kubectl get --raw /version --kubeconfig {path}"
        )

    def test_what_it_learns_of_the_cluster(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        tells = f"""
            open({str(tmp_path / "told")!r}, "w").write(os.environ["KUBERNETES_EXEC_INFO"])
            give(token="t")
        """
        plugin = {**a_plugin(tmp_path, GIVES + textwrap.dedent(tells)), "provideClusterInfo": True}
        extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}
        path = kubeconfig({"server": server.url, "extensions": [extension]}, {"exec": plugin})
        asked(server, Connection(kubeconfig=str(path)))
        assert json.loads((tmp_path / "told").read_text()) == {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "spec": {"interactive": False, "cluster": {"server": server.url, "config": {"audience": "a"}}},
        }


class TestKeys:
    """A client key of the kubeconfig is in no file, whatever ends the process."""

    @pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    def test_none_is_left_after_a_kill(
        self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path, ended_by: signal.Signals
    ) -> None:
        path = kubeconfig(
            {"server": tls_server.url, "certificate-authority-data": encoded(CA)},
            {key: encoded(str(TLS / "client.pem")) for key in ("client-certificate-data", "client-key-data")},
        )
        (tmp_path / "tmp").mkdir()
        code = (
            "import time\n"
            "from postrender.models import Connection\n"
            "from tests.wire.test_access import look\n"
            f"print(look(Connection(kubeconfig={str(path)!r})), flush=True)\n"
            "time.sleep(60)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path / "tmp")}
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"None\n"
        process.send_signal(ended_by)
        assert process.wait(10) == -ended_by
        assert list((tmp_path / "tmp").iterdir()) == []
        assert tls_server.requests[-1].client == "client"

    def test_none_is_left_where_there_are_no_memory_files(
        self, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = kubeconfig(
            {"server": tls_server.url, "certificate-authority": CA},
            {key: encoded(str(TLS / "client.pem")) for key in ("client-certificate-data", "client-key-data")},
        )
        (tmp_path / "tmp").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
        monkeypatch.delattr(os, "memfd_create")
        cluster = connect(Connection(kubeconfig=str(path)))
        assert list((tmp_path / "tmp").iterdir()) == []
        assert isinstance(cluster.get_objects([ObjectLookup(CONFIG_MAP, "shop", "a", False)])[0], Found | Absent)
        assert tls_server.requests[-1].client == "client"

    @pytest.mark.parametrize("name", ["client-key-data", "client-certificate-data", "certificate-authority-data"])
    def test_one_that_is_none_is_not_repeated(self, kubeconfig: Kubeconfig, name: str) -> None:
        broken = {name: "geheim!"}
        of_cluster = broken if name.startswith("certificate") else {}
        path = kubeconfig({"server": "https://127.0.0.1:1", **of_cluster}, broken)
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: the kubeconfig cannot be used: {name} is not base64\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )

    def test_one_that_is_encrypted_is_not_asked_a_password_for(self, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        subprocess.run(
            ["openssl", "pkey", "-aes128", "-passout", "pass:geheim", "-out", tmp_path / "key.pem"],
            input=(TLS / "client.pem").read_bytes(),
            check=True,
            capture_output=True,
        )
        user = {"client-certificate": str(TLS / "client.pem"), "client-key": str(tmp_path / "key.pem")}
        path = kubeconfig({"server": "https://127.0.0.1:1"}, user)
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the client key is encrypted, and a password prompt is not possible\n"
            "note: then set client-key to the new file\n"
            f"hint: openssl pkey -in {tmp_path}/key.pem -out {tmp_path}/key.pem.decrypted"
        )


class TestTokens:
    def test_one_in_a_file_that_is_renewed(
        self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """``NewCachedFileTokenSource`` of client-go 0.34.3, transport/token_source.go."""
        monkeypatch.setattr(FileLogin, "PERIOD", 0.0)
        monkeypatch.setattr(http, "RENEWAL", 0.0)
        (tmp_path / "token").write_text("first\n")
        path = kubeconfig({"server": server.url}, {"tokenFile": "token"})
        cluster = connect(Connection(kubeconfig=str(path)))
        for content in ("first", "second\n", None, ""):
            (tmp_path / "token").unlink(missing_ok=True)
            if content is not None:
                (tmp_path / "token").write_text(content)
            cluster.get_objects([ObjectLookup(CONFIG_MAP, "shop", "a", False)])
        sent = [each.headers["authorization"] for each in server.requests]
        assert sent == [("Bearer first",), *[("Bearer second",)] * 3]

    @pytest.mark.parametrize(
        "token", ["geheim\nof-two-lines", "geheim\r\n of-two-lines", "geheim\x00null", "geheim\x7f"]
    )
    def test_one_that_no_header_can_hold_is_not_repeated(
        self, server: Server, kubeconfig: Kubeconfig, token: str
    ) -> None:
        path = kubeconfig({"server": server.url}, {"token": token})
        assert look(Connection(kubeconfig=str(path))) == Unknown(
            "the request could not be sent: the value for Authorization holds a control character, such as a line "
            "break",
            (f"kubectl config view --kubeconfig {path}",),
        )
        assert server.connections == 0

    def test_one_beyond_latin_1_is_sent_as_go_sends_it(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url}, {"token": "gehe\u20acim"})
        assert asked(server, Connection(kubeconfig=str(path))).headers["authorization"] == (
            "Bearer gehe\u20acim".encode().decode("latin-1"),
        )


class TestProviders:
    @staticmethod
    def a_token(**claims: Any) -> str:
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return f"e30.{payload}.c2ln"

    def test_a_token_that_holds(self, server: Server, kubeconfig: Kubeconfig) -> None:
        token = self.a_token(exp=4_000_000_000)
        user = {"auth-provider": {"name": "oidc", "config": {"id-token": token, "refresh-token": "r"}}}
        path = kubeconfig({"server": server.url}, user)
        assert asked(server, Connection(kubeconfig=str(path))).headers["authorization"] == (f"Bearer {token}",)

    @pytest.mark.parametrize("expired", [True, False])
    def test_a_token_that_has_expired(self, server: Server, kubeconfig: Kubeconfig, expired: bool) -> None:
        config = {"id-token": self.a_token(exp=1_600_000_000)} if expired else {}
        path = kubeconfig({"server": server.url}, {"auth-provider": {"name": "oidc", "config": config}})
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the token of the auth provider oidc is missing or has expired, and only kubectl and Helm "
            "renew it\n"
            f"hint: kubectl get --raw /version --kubeconfig {path}"
        )

    def test_a_provider_that_nobody_knows(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": server.url}, {"auth-provider": {"name": "azure", "config": {}}})
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the auth provider 'azure' is not supported; client-go 0.26 and later has none but 'oidc'\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )

    def test_no_program_of_gcp_is_run(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        config = {"cmd-path": "/bin/sh", "cmd-args": f"-c 'touch {tmp_path}/ran'", "expiry": "2020-01-01T00:00:00Z"}
        path = kubeconfig({"server": server.url}, {"auth-provider": {"name": "gcp", "config": config}})
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the auth provider 'gcp' is not supported; client-go 0.26 and later has none but 'oidc'; "
            "gcloud container clusters get-credentials replaces it\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )
        assert not (tmp_path / "ran").exists()


class TestProxies:
    def test_the_kubeconfigs_own(self, server: Server, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": "http://far.example.com", "proxy-url": server.url}, {"token": "t"})
        request = asked(server, Connection(kubeconfig=str(path)))
        assert request.headers["host"] == ("far.example.com",)

    @pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
    def test_that_of_the_environment(
        self, plain_server: Server, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv(name, plain_server.url.replace("http://", "jane:g%20heim@"))
        path = kubeconfig({"server": "http://far.example.com"})
        sent = asked(plain_server, Connection(kubeconfig=str(path))).headers
        assert sent["host"] == ("far.example.com",)
        assert sent["proxy-authorization"] == (f"Basic {base64.b64encode(b'jane:g heim').decode()}",)

    @pytest.mark.parametrize(
        ("url", "no_proxy", "used"),
        [
            ("https://api.example.com", "", True),
            ("https://api.example.com:6443", "other.com, .example.com", False),
            ("https://example.com", ".example.com", True),
            ("https://example.com", "example.com", False),
            ("https://api.example.com", "EXAMPLE.com", False),
            ("https://myexample.com", "example.com", True),
            ("https://api.example.com", "*.example.com", False),
            ("https://example.com", "*.example.com", True),
            ("https://api.example.com:6443", "example.com:6443", False),
            ("https://api.example.com", "example.com:6443", True),
            ("https://api.example.com", "example.com:443", False),
            ("https://api.example.com", "*", False),
            ("https://api.example.com", " ,:80,", True),
            ("https://10.1.2.3:6443", "10.0.0.0/8", False),
            ("https://11.1.2.3:6443", "10.0.0.0/8", True),
            ("https://10.1.2.3", "10.1.2.3", False),
            ("https://10.1.2.3", "10.1.2.3:443", False),
            ("https://10.1.2.3", "10.1.2.3:6443", True),
            ("https://10.1.2.3", "2.3", False),
            ("https://10.1.2.3", "10.1.2.3/x", True),
            ("https://[fd00::1]:6443", "fd00::/8", False),
            ("https://[fd00::1]:6443", "fd00::1", False),
            ("https://[fd00::1]:6443", "[fd00:0::1]:6443", False),
            ("https://[fd00::1]:6443", "[fd00::1]:443", True),
            ("https://127.0.0.1:6443", "", False),
            ("https://127.1.2.3", "", False),
            ("https://[::1]:6443", "", False),
            ("https://localhost", "", False),
            ("http://api.example.com", "", False),
            ("api.example.com", "", False),
        ],
    )
    def test_when_that_of_the_environment_is_used(self, url: str, no_proxy: str, used: bool) -> None:
        found = proxy_for(url, {}, {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": no_proxy})
        assert found == ("http://proxy:3128" if used else None)

    def test_the_kubeconfigs_own_is_always_used(self) -> None:
        cluster = {"proxy-url": "socks5://proxy"}
        assert proxy_for("https://localhost", cluster, {"NO_PROXY": "*"}) == "socks5://proxy"

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h", "gopher"])
    def test_one_of_another_scheme(self, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, scheme: str) -> None:
        plugin = a_plugin(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
        path = kubeconfig({"server": server.url, "proxy-url": f"{scheme}://jane:geheim@127.0.0.1:1"}, {"exec": plugin})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: proxy-url: the scheme '{scheme}' of the proxy is not supported (choose http, https)\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )
        assert not (tmp_path / "ran").exists()

    def test_one_of_another_scheme_in_the_environment(
        self, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
        path = kubeconfig({"server": "https://far.example.com"})
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the scheme 'socks5' of the proxy is not supported (choose http, https)\n"
            "hint: env | grep -i proxy"
        )

    def test_an_address_that_is_none_is_not_repeated(self, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": "https://far.example.com", "proxy-url": "http://jane:geheim@[::1"})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: no connection can be made: an address is not a URL\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )

    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
    def test_none_for_the_own_machine(
        self, plain_server: Server, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        url = plain_server.url.replace("127.0.0.1", name)
        assert look(Connection(kubeconfig=str(kubeconfig({"server": url})))) is None

    def test_one_that_is_not_there(self, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": "https://far.example.com", "proxy-url": "http://jane:geheim@127.0.0.1:1"})
        assert look(Connection(kubeconfig=str(path))) == Unknown(
            "the proxy cannot be reached or does not let us through: Connection refused",
            (f"kubectl get configmaps a -n shop --kubeconfig {path}",),
        )


class TestPod:
    @pytest.fixture(autouse=True)
    def _pod(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tls_server: Server) -> None:
        from kubernetes.config import incluster_config

        (tmp_path / "pod-token").write_text("of-the-pod")
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "pod-token"))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", CA)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", tls_server.url.rpartition(":")[2])

    def test_the_service_account(self, tls_server: Server) -> None:
        assert connect(Connection()).description == f"the cluster of this pod ({tls_server.url})"
        assert asked(tls_server, Connection()).headers["authorization"] == ("bearer of-the-pod",)

    def test_what_overrides_it(self, tls_server: Server) -> None:
        assert asked(tls_server, Connection(token="ours")).headers["authorization"] == ("Bearer ours",)
        assert look(Connection(ca_file=OTHER_CA)) is not None

    def test_a_kubeconfig_wins(self, server: Server, kubeconfig: Kubeconfig) -> None:
        assert look(Connection(kubeconfig=str(kubeconfig({"server": server.url})))) is None
        assert len(server.asked()) == 1

    def test_a_kubeconfig_that_was_named_must_be_there(self, tmp_path: Path) -> None:
        assert refused(Connection(kubeconfig=str(tmp_path / "none"))) == (
            f"{tmp_path}/none: there is no such kubeconfig\nhint: kubectl config view --kubeconfig {tmp_path}/none"
        )


class TestErrors:
    def test_no_cluster_at_all(self) -> None:
        assert refused(Connection()) == (
            "no kubeconfig names a cluster, and this is not a pod in one; set --kube-context or --kubeconfig\n"
            "hint: kubectl config get-contexts"
        )

    def test_a_context_that_is_not_there(self, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": "http://127.0.0.1:1"})
        assert refused(Connection(kubeconfig=str(path), context="prod")) == (
            f"the kubeconfig has no context 'prod'\nhint: kubectl config get-contexts --kubeconfig {path}"
        )

    def test_a_cluster_that_is_not_there(self, tmp_path: Path) -> None:
        path = tmp_path / "config"
        path.write_text(a_config(current="dev", contexts={"dev": {"cluster": "c"}}))
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context 'dev' names the cluster 'c', which the kubeconfig does not define\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )

    def test_a_cluster_without_a_server(self, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"certificate-authority": CA})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"context dev: its cluster has no server\nhint: kubectl config view --kubeconfig {path}"
        )

    def test_a_file_that_is_no_yaml(self, tmp_path: Path) -> None:
        path = tmp_path / "config"
        path.write_text("a: [")
        told = refused(Connection(kubeconfig=str(path)))
        assert told.startswith(f"{path}: the kubeconfig cannot be read: line 1, column ")

    @pytest.mark.parametrize("content", ["just words", "[1, 2]"])
    def test_a_file_that_is_no_kubeconfig(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "config"
        path.write_text(content)
        assert refused(Connection(kubeconfig=str(path))) == (
            f"{path}: this is not a kubeconfig\nhint: kubectl config view --kubeconfig {path}"
        )

    def test_a_file_that_is_a_folder(self, tmp_path: Path) -> None:
        assert refused(Connection(kubeconfig=str(tmp_path))) == (
            f"{tmp_path}: the kubeconfig cannot be read: Is a directory\n"
            f"hint: kubectl config view --kubeconfig {tmp_path}"
        )

    def test_a_token_file_that_is_not_there(self, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        path = kubeconfig({"server": "http://127.0.0.1:1"}, {"tokenFile": "token"})
        assert refused(Connection(kubeconfig=str(path))) == (
            f"{tmp_path}/token: the token file of the kubeconfig cannot be read: "
            f"[Errno 2] No such file or directory: '{tmp_path}/token'\n"
            "hint: postrender doctor"
        )

    def test_an_authority_that_is_not_there(self, kubeconfig: Kubeconfig) -> None:
        path = kubeconfig({"server": "https://127.0.0.1:1", "certificate-authority": "/does/not/exist"})
        assert refused(Connection(kubeconfig=str(path))) == (
            "context dev: the kubeconfig cannot be used: certificate-authority: no such file: /does/not/exist\n"
            f"hint: kubectl config view --kubeconfig {path}"
        )


def test_no_secret_in_any_repr(server: Server, kubeconfig: Kubeconfig) -> None:
    path = kubeconfig({"server": server.url}, {"token": "geheim"})
    connection = Connection(kubeconfig=str(path), token="geheim")
    cluster = connect(connection)
    server.put(CONFIG_MAP, an_object(CONFIG_MAP, "a"))
    found = cluster.get_objects([ObjectLookup(CONFIG_MAP, "shop", "a", True)])
    assert isinstance(found[0], Found)
    assert "geheim" not in f"{connection!r} {cluster!r} {cluster.description} {found!r}"


@pytest.mark.parametrize(
    ("user", "context", "expected"),
    [
        ({"exec": 1}, "dev", "kubectl config view --kubeconfig {path}"),
        ({}, "no", "kubectl config get-contexts --kubeconfig {path}"),
        (
            {"auth-provider": {"name": "oidc"}},
            "dev",
            "kubectl get --raw /version --kubeconfig {path} --context dev --as jane",
        ),
    ],
)
def test_what_to_type_is_about_the_same_kubeconfig(
    server: Server, kubeconfig: Callable[..., Path], user: dict[str, Any], context: str, expected: str
) -> None:
    path = kubeconfig({"server": server.url}, user)
    with pytest.raises(ClusterError) as error:
        connect(Connection(kubeconfig=str(path), context=context, as_user="jane"))
    assert error.value.next == (expected.format(path=path),)


def test_advice_on_a_connection_that_fails_has_its_flags(kubeconfig: Callable[..., Path]) -> None:
    path = kubeconfig({"server": "http://127.0.0.1:1"})
    cluster = connect(Connection(kubeconfig=str(path), context="dev"))
    answer = cluster.get_revisions(ReleaseName("shop", "old"), manifest=False, driver="secret")
    assert isinstance(answer, Unknown)
    assert answer.next == (f"kubectl get secrets -n shop --kubeconfig {path} --context dev",)
