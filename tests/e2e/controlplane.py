"""A real kube-apiserver with etcd for one test process, and the users who ask it."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.e2e import kinds
from tests.e2e.api import Api, ApiError, Namespace, Object, wait_until
from tests.e2e.audit import Audit
from tests.e2e.supervise import READY_WITHIN, Ready, StartError, kubeconfig

ROOT = Path(__file__).parents[2]

Rule = Mapping[str, Sequence[str]]
"""A rule of a Role: ``{"apiGroups": ["stable.example.com"], "resources": ["shirts"], "verbs": ["get"]}``."""

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may do only what the rules said: a name as in the audit log, and a kubeconfig."""

    name: str
    kubeconfig: Path
    api: Api


class ControlPlane:
    """A kube-apiserver on 127.0.0.1 that serves the kinds of ``kinds.CUSTOM``; a context manager.

    It lives in a process that ends with this one, whatever ends it. Without ``controllers`` nothing is
    garbage-collected, no Pod starts and a deleted namespace never goes away, so each test takes a namespace of its own.
    """

    def __init__(self, etcd: Path, kube_apiserver: Path, folder: Path, controllers: Path | None = None) -> None:
        """Start it and return when it answers; ``folder`` takes the kubeconfigs of users. Raises StartError.

        ``controllers`` is a kube-controller-manager.
        """
        self._folder = folder
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.supervise", *map(str, filter(None, (etcd, kube_apiserver, controllers)))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
            text=True,
        )
        try:
            self._ready = self._wait()
            self.api = Api(self._ready.url, self._ready.ca, self._ready.token)
            self.audit = Audit(Path(self._ready.audit_log), self.api)
            serve(self.api, kinds.definitions())
        except BaseException:
            self.stop()
            raise

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; it goes away with the control plane."""
        return Path(self._ready.kubeconfig)

    @property
    def ca(self) -> Path:
        """The certificates that vouch for the server."""
        return Path(self._ready.ca)

    @property
    def token(self) -> str:
        """The administrator's token."""
        return self._ready.token

    def namespace(self, name: str) -> Namespace:
        """A new namespace; raises ApiError where there is one of that name."""
        return Namespace.create_new(self.api, name)

    def user(
        self, namespace: Namespace, rules: Sequence[Rule] = (), cluster_rules: Sequence[Rule] = (), name: str = "user"
    ) -> User:
        """A service account of the namespace with a Role of ``rules`` there and a ClusterRole of ``cluster_rules``.

        Like everybody, it may look at what the server serves. Returns when the server knows its rights.
        """
        token = self._account(namespace, name)
        subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace.name}
        _grant(namespace, name, subject, rules, kinds.ROLE, kinds.ROLE_BINDING)
        clusterwide = f"{namespace.name}-{name}"
        _grant(namespace, clusterwide, subject, cluster_rules, kinds.CLUSTER_ROLE, kinds.CLUSTER_ROLE_BINDING)
        user = User(
            f"system:serviceaccount:{namespace.name}:{name}",
            self._folder / f"{namespace.name}-{name}-{secrets.token_hex(4)}.kubeconfig",
            Api(self._ready.url, self._ready.ca, token),
        )
        user.kubeconfig.touch(mode=0o600)
        user.kubeconfig.write_text(kubeconfig(self._ready.url, Path(self._ready.ca), token))
        for rule, scope in [(rule, namespace.name) for rule in rules] + [(rule, "") for rule in cluster_rules]:
            wait_until(lambda: _allowed(user.api, rule, scope), f"the right of {user.name} to {rule}")  # noqa: B023
        return user

    def stop(self) -> None:
        """End both programs and drop their data."""
        assert self._supervisor.stdin is not None
        self._supervisor.stdin.close()
        self._supervisor.wait()
        for stream in (self._supervisor.stdout, self._supervisor.stderr):
            assert stream is not None
            stream.close()

    def __enter__(self) -> ControlPlane:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self) -> Ready:
        assert self._supervisor.stdout is not None
        assert self._supervisor.stderr is not None
        line = self._supervisor.stdout.readline()
        if not line:
            raise StartError(f"the control plane did not start:\n{self._supervisor.stderr.read()}")
        return Ready(**json.loads(line))

    def _account(self, namespace: Namespace, name: str) -> str:
        """Make a service account and return a token for it."""
        account = {"metadata": {"name": name}}
        namespace.create(account, kinds.SERVICE_ACCOUNT)
        path = kinds.SERVICE_ACCOUNT.path(namespace.name, name)
        answer = self.api.request("POST", f"{path}/token", {"spec": {"expirationSeconds": 7200}})
        return str(answer["status"]["token"])


def _grant(
    namespace: Namespace, name: str, subject: Object, rules: Sequence[Rule], role: kinds.Kind, binding: kinds.Kind
) -> None:
    if not rules:
        return
    namespace.create({"metadata": {"name": name}, "rules": [dict(rule) for rule in rules]}, role)
    reference = {"apiGroup": role.group, "kind": role.kind, "name": name}
    namespace.create({"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}, binding)


def _allowed(api: Api, rule: Rule, namespace: str) -> bool:
    """Whether the server already lets the user of ``api`` do the first thing the rule allows."""
    if "resources" not in rule:
        attributes: Object = {"nonResourceAttributes": {"path": rule["nonResourceURLs"][0], "verb": rule["verbs"][0]}}
    else:
        resource, _, subresource = rule["resources"][0].partition("/")
        attributes = {
            "resourceAttributes": {
                "group": rule["apiGroups"][0],
                "resource": resource,
                "subresource": subresource,
                "verb": rule["verbs"][0],
                "name": next(iter(rule.get("resourceNames", [])), ""),
                "namespace": namespace,
            }
        }
    try:
        review = api.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": attributes})
    except ApiError as error:
        if error.status == 401:  # the service account is not known yet
            return False
        raise
    return bool(review["status"]["allowed"])


def serve(api: Api, definitions: Sequence[Object]) -> None:
    """Install custom resource definitions and return when every way to see them does: discovery, both OpenAPIs."""
    for each in definitions:
        api.request("POST", kinds.CRD.path(""), each)
    served = [
        (each["spec"]["group"], version["name"], each["spec"]["names"])
        for each in definitions
        for version in each["spec"]["versions"]
    ]
    for each in definitions:
        path = kinds.CRD.path("", each["metadata"]["name"])
        wait_until(lambda: _established(api, path), f"{path} to be established", READY_WITHIN)  # noqa: B023
    for group, version, names in served:
        what = f"{names['plural']} in {group}/{version}"
        wait_until(lambda: _discovered(api, group, version, names["plural"]), f"{what} in discovery")  # noqa: B023
        pattern = f'"group":"{group}","kind":"{names["kind"]}","version":"{version}"'
        for document in (f"/openapi/v3/apis/{group}/{version}", "/openapi/v2"):
            wait_until(lambda: _describes(api, document, pattern), f"{what} in {document}")  # noqa: B023


def _established(api: Api, path: str) -> bool:
    # The server answers `conditions: null` until its controllers have seen the definition.
    conditions = (api.get(path) or {}).get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _discovered(api: Api, group: str, version: str, plural: str) -> bool:
    """Whether both ways to ask, one group or all of them at once, name the resource."""
    found = api.get(f"/apis/{group}/{version}") or {}
    if plural not in [each["name"] for each in found.get("resources") or []]:
        return False
    aggregated = json.loads(api.text("GET", "/apis", accept=_AGGREGATED))
    return any(
        plural in [each["resource"] for each in served.get("resources") or []]
        for item in aggregated["items"]
        if item["metadata"]["name"] == group
        for served in item.get("versions") or []
        if served["version"] == version
    )


def _describes(api: Api, document: str, pattern: str) -> bool:
    try:
        return pattern in api.text("GET", document)
    except ApiError as error:
        if error.status == 404:
            return False
        raise
