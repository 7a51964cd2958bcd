"""A kubeconfig as we read it and as the package ``kubernetes`` reads it: the same requests reach the server.

Each test runs once with either. Where the package departs from client-go there is no common test: it takes the last
current context of several files, impersonates nobody, runs plugins that client-go refuses, goes on as nobody when one
fails, and takes no certificate from a plugin that gives a token too (see ``test_access``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from postrender.cluster.client import connect
from postrender.cluster.interface import ObjectLookup
from postrender.models import Connection, Unknown
from tests.wire.kinds import CONFIG_MAP
from tests.wire.server import TLS, Request, Server
from tests.wire.test_access import CA, GIVES, OTHER_CA, a_plugin, encoded

Kubeconfig = Callable[..., Path]
CLIENT = str(TLS / "client.pem")
PATH = "/api/v1/namespaces/shop/configmaps/a"


@pytest.fixture
def server(tls_server: Server) -> Server:
    """Over TLS: over plain HTTP client-go sends no login, which the package does."""
    return tls_server


class Way:
    """One of the two ways to connect as a kubeconfig says."""

    def ask(self, kubeconfig: Path) -> str:
        """Ask for the ConfigMap ``shop/a``; why there is no answer, ``""`` where there is one."""
        raise NotImplementedError


class Ours(Way):
    def ask(self, kubeconfig: Path) -> str:
        (found,) = connect(Connection(kubeconfig=str(kubeconfig))).get_objects(
            [ObjectLookup(CONFIG_MAP, "shop", "a", False)]
        )
        return found.reason if isinstance(found, Unknown) else ""


class Package(Way):
    def ask(self, kubeconfig: Path) -> str:
        from kubernetes.client import ApiClient, ApiException, Configuration
        from kubernetes.config import load_kube_config

        configuration = Configuration()
        load: Any = load_kube_config
        load(config_file=str(kubeconfig), client_configuration=configuration)
        configuration.retries = False
        with ApiClient(configuration) as client:
            try:
                client.call_api(
                    *client.param_serialize("GET", PATH, auth_settings=["BearerToken"]), _request_timeout=10
                )
            except ApiException as error:
                return "" if error.status == 404 else f"{error.status} {error.reason}"
            except urllib3.exceptions.HTTPError as error:
                return str(error)
        return ""


@pytest.fixture(params=[Ours(), Package()], ids=["ours", "package"])
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


def reached(way: Way, server: Server, kubeconfig: Path) -> Request:
    """The request that reaches the server, which is one."""
    assert way.ask(kubeconfig) == ""
    (request,) = server.requests
    assert (request.method, request.path) == ("GET", PATH)
    return request


def trusted(server: Server) -> dict[str, str]:
    """The cluster of a kubeconfig that leads there."""
    return {"server": server.url, "certificate-authority": CA}


def authorization(request: Request) -> tuple[str, ...]:
    return request.headers.get("authorization", ())


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({}, ()),
        ({"token": ""}, ()),
        ({"token": "of-the-file"}, ("Bearer of-the-file",)),
        ({"tokenFile": "token"}, ("Bearer from-a-file",)),
        ({"username": "jane", "password": "geheim"}, ("Basic amFuZTpnZWhlaW0=",)),
        ({"token": "t", "username": "jane", "password": "geheim"}, ("Bearer t",)),
        ({"token": "t", "exec": {"command": "/does/not/exist"}}, ("Bearer t",)),
    ],
)
def test_who_asks(
    way: Way, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, user: dict[str, Any], expected: tuple[str, ...]
) -> None:
    (tmp_path / "token").write_text("from-a-file")
    if "exec" in user:
        user = {**user, "exec": a_plugin(tmp_path, "sys.exit('must not run')")}
    assert authorization(reached(way, server, kubeconfig(trusted(server), user))) == expected


@pytest.mark.parametrize("written", ["json", "yaml"])
def test_how_the_file_is_written(way: Way, server: Server, kubeconfig: Kubeconfig, written: str) -> None:
    path = kubeconfig(trusted(server), {"token": "t"})
    if written == "yaml":
        path.write_text(yaml.safe_dump(json.loads(path.read_text())))
    assert authorization(reached(way, server, path)) == ("Bearer t",)


@pytest.mark.parametrize("trust", [{"certificate-authority": CA}, {"certificate-authority-data": encoded(CA)}])
def test_an_authority(way: Way, tls_server: Server, kubeconfig: Kubeconfig, trust: dict[str, str]) -> None:
    request = reached(way, tls_server, kubeconfig({"server": tls_server.url, **trust}, {"token": "t"}))
    assert (authorization(request), request.client) == (("Bearer t",), "")


@pytest.mark.parametrize(
    "trust",
    [
        {},
        {"certificate-authority": OTHER_CA},
        {"certificate-authority-data": encoded(OTHER_CA)},
        {"certificate-authority": CA, "tls-server-name": "elsewhere"},
    ],
)
def test_a_server_that_is_not_trusted(
    way: Way, tls_server: Server, kubeconfig: Kubeconfig, trust: dict[str, str]
) -> None:
    assert "certificate" in way.ask(kubeconfig({"server": tls_server.url, **trust}, {"token": "t"}))
    assert tls_server.requests == []


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("trust", [{}, {"certificate-authority-data": encoded(OTHER_CA)}])
def test_no_check(way: Way, tls_server: Server, kubeconfig: Kubeconfig, trust: dict[str, str]) -> None:
    cluster = {"server": tls_server.url, "insecure-skip-tls-verify": True, **trust}
    assert authorization(reached(way, tls_server, kubeconfig(cluster, {"token": "t"}))) == ("Bearer t",)


def test_the_name_to_check_for(way: Way, tls_server: Server, kubeconfig: Kubeconfig) -> None:
    url = tls_server.url.replace("127.0.0.1", "localhost")
    cluster = {"server": url, "certificate-authority": CA, "tls-server-name": "kubernetes"}
    assert reached(way, tls_server, kubeconfig(cluster)).server_name == "kubernetes"


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate": CLIENT, "client-key": CLIENT},
        {"client-certificate-data": encoded(CLIENT), "client-key-data": encoded(CLIENT)},
        {"client-certificate-data": encoded(CLIENT), "client-key": CLIENT},
        {"client-certificate": "client.pem", "client-key": "client.pem"},
        {
            "client-certificate": "/none",
            "client-key": "/none",
            "client-certificate-data": encoded(CLIENT),
            "client-key-data": encoded(CLIENT),
        },
    ],
    ids=["files", "data", "both", "relative", "data win"],
)
def test_a_client_certificate(
    way: Way, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path, user: dict[str, str]
) -> None:
    (tmp_path / "client.pem").write_bytes(Path(CLIENT).read_bytes())
    request = reached(way, tls_server, kubeconfig({"server": tls_server.url, "certificate-authority": CA}, user))
    assert (request.client, authorization(request)) == ("client", ())


@pytest.mark.parametrize("login", ["", "jane:geheim@"])
def test_a_proxy(way: Way, plain_server: Server, kubeconfig: Kubeconfig, login: str) -> None:
    proxy = plain_server.url.replace("http://", f"http://{login}")
    path = kubeconfig({"server": "http://far.example.com", "proxy-url": proxy})
    assert way.ask(path) == ""
    (request,) = plain_server.requests
    assert request.headers["host"] == ("far.example.com",)


VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class TestPlugins:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("expires", ["", "2100-01-01T00:00:00Z", "2100-01-01T00:00:00+01:00"])
    def test_a_token(
        self, way: Way, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, version: str, expires: str
    ) -> None:
        more = f", expirationTimestamp={expires!r}" if expires else ""
        body = f"give(token=f\"{{os.environ['ACCOUNT']}}-{{sys.argv[1]}}\"{more})"
        plugin = {**a_plugin(tmp_path, GIVES.replace(VERSIONS[0], version) + body), "apiVersion": version}
        path = kubeconfig(trusted(server), {"exec": plugin})
        assert authorization(reached(way, server, path)) == ("Bearer dev-get-token",)

    def test_a_certificate(self, way: Way, tls_server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
        gives = f"""
            both = open({CLIENT!r}).read()
            give(clientCertificateData=both, clientKeyData=both)
        """
        plugin = a_plugin(tmp_path, GIVES + textwrap.dedent(gives))
        path = kubeconfig({"server": tls_server.url, "certificate-authority": CA}, {"exec": plugin})
        request = reached(way, tls_server, path)
        assert (request.client, authorization(request)) == ("client", ())

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("cluster_info", [False, True])
    def test_what_it_learns(
        self, way: Way, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, version: str, cluster_info: bool
    ) -> None:
        tells = f"""
            open({str(tmp_path / "told")!r}, "w").write(os.environ["KUBERNETES_EXEC_INFO"])
            give(token="t")
        """
        plugin = a_plugin(tmp_path, GIVES.replace(VERSIONS[0], version) + textwrap.dedent(tells))
        plugin |= {"apiVersion": version, "provideClusterInfo": cluster_info}
        reached(way, server, kubeconfig(trusted(server), {"exec": plugin}))
        told = json.loads((tmp_path / "told").read_text())
        assert (told["apiVersion"], told["kind"]) == (version, "ExecCredential")
        assert told["spec"].get("interactive") is False
        assert told["spec"].get("cluster", {}).get("server") == (server.url if cluster_info else None)

    @pytest.mark.parametrize(
        "body",
        [
            "sys.exit(3)",
            "print('no JSON')",
            GIVES + "give()",
            GIVES.replace(VERSIONS[0], VERSIONS[1]) + "give(token='t')",
        ],
        ids=["fails", "no JSON", "gives nothing", "another version"],
    )
    def test_one_that_gives_nothing(
        self, way: Way, server: Server, kubeconfig: Kubeconfig, tmp_path: Path, body: str
    ) -> None:
        path = kubeconfig(trusted(server), {"exec": a_plugin(tmp_path, body)})
        try:
            way.ask(path)
        except Exception:
            assert server.requests == []
        else:
            # The package logs it and goes on as nobody.
            assert isinstance(way, Package)
            assert [authorization(each) for each in server.requests] == [()]


def test_no_kubeconfig_needs_the_package(server: Server, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    """A plain kubeconfig, a plugin included, connects and asks without the import of ``kubernetes``."""
    path = kubeconfig(
        {"server": server.url, "certificate-authority": CA}, {"exec": a_plugin(tmp_path, GIVES + "give(token='t')")}
    )
    code = (
        "import sys\n"
        "from postrender.cluster.client import connect\n"
        "from postrender.cluster.interface import ObjectLookup\n"
        "from postrender.models import Connection\n"
        "from tests.wire.kinds import CONFIG_MAP\n"
        f"cluster = connect(Connection(kubeconfig={str(path)!r}))\n"
        "print(*cluster.get_objects([ObjectLookup(CONFIG_MAP, 'shop', 'a', False)]))\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'kubernetes'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert (done.stdout, done.stderr) == ("Absent()\n[]\n", "")
    assert authorization(server.requests[-1]) == ("Bearer t",)
