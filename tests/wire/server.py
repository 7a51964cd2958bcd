"""A server that speaks the Kubernetes API's wire format, counts what it is asked, and misbehaves on demand."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from postrender.models import Resource
from tests.wire.kinds import SERVED, SHORT

VERBS = ["create", "get", "list", "patch"]
"""What can be done with a resource, unless ``Server.verbs`` says otherwise."""

TLS = Path(__file__).parent / "tls"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in; ``path`` as it was sent, percent-encoding included, ``headers`` with lower-case names.

    ``client`` is the name in the client's certificate, ``server_name`` the one it asked for in the TLS handshake.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, tuple[str, ...]]
    body: bytes
    client: str = ""
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out. The last ``cut`` bytes of the body are kept back and the connection ends; with ``drip`` each byte
    is sent that many seconds after the one before.
    """

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    drip: float = 0.0


Behaviour = Callable[[Request], "Reply | None"]
"""What is done with a request; ``None`` leaves it to the next."""


class Server:
    """The server, its objects, and what it does besides answering well; a context manager."""

    def __init__(self, *, tls: bool = False) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.served: list[Resource] = list(SERVED)
        self.discovery = "v2"
        self.stale: set[str] = set()
        self.verbs: dict[str, list[str]] = {}
        self.page = 1000
        self.behaviours: list[Behaviour] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.cut_handshakes = 0
        self.handshake_alert: int | None = None
        self.in_flight = 0
        self.most_in_flight = 0
        self.turn = threading.Lock()
        self.over = threading.Event()
        self._http = _Http(("127.0.0.1", 0), self)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / "server.pem")
            context.load_verify_locations(TLS / "ca.pem")
            context.verify_mode = ssl.CERT_OPTIONAL
            context.sni_callback = _note_name
            self._http.context = context
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()

    def put(self, resource: Resource, *objects: dict[str, Any]) -> None:
        """Store objects under their exact paths."""
        for each in objects:
            metadata = each["metadata"]
            self.objects[resource.path(metadata.get("namespace", ""), metadata["name"])] = each

    def on(self, pattern: str, behave: Behaviour | Reply, *, times: int = 10**9) -> None:
        """Do ``behave`` instead for the first ``times`` requests whose ``METHOD PATH`` matches the whole pattern."""
        left = [times]

        def behaviour(request: Request) -> Reply | None:
            if not re.fullmatch(pattern, f"{request.method} {request.path}"):
                return None
            with self.turn:
                left[0] -= 1
                if left[0] < 0:
                    return None
            return behave if isinstance(behave, Reply) else behave(request)

        self.behaviours.append(behaviour)

    def asked(self, pattern: str = ".*") -> list[Request]:
        """The requests whose ``METHOD PATH`` matches the whole pattern, as they came."""
        return [each for each in self.requests if re.fullmatch(pattern, f"{each.method} {each.path}")]

    def answer(self, request: Request) -> Reply:
        """What a well-behaved API server says, unless a behaviour says something else."""
        for behaviour in self.behaviours:
            reply = behaviour(request)
            if reply is not None:
                return reply
        path = unquote(request.path)
        accept = ",".join(request.headers.get("accept", ()))
        if path in ("/api", "/apis"):
            return self._discover(path, accept)
        versions = {_root(resource) for resource in self.served}
        if path in versions:
            return self._describe(path)
        if request.method == "PATCH":
            return self._patch(path, request, accept)
        if request.method == "POST":
            return self._create(path, request)
        if path in self.objects:
            return ok(_partial(self.objects[path]) if "as=PartialObjectMetadata;" in accept else self.objects[path])
        for resource in self.served:
            match = re.fullmatch(
                re.escape(_root(resource)) + rf"(?:/namespaces/([^/]+))?/{resource.plural}(/.+)?", path
            )
            if match:
                if not match[2]:
                    return self._list(path, resource, request, accept)
                return not_found(resource, match[2][1:])
        return Reply(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def _discover(self, path: str, accept: str) -> Reply:
        core = path == "/api"
        groups: dict[str, dict[str, list[Resource]]] = {}
        for resource in self.served:
            if (resource.gvk.group == "") == core:
                groups.setdefault(resource.gvk.group, {}).setdefault(resource.gvk.version, []).append(resource)
        asked = f"application/json;g=apidiscovery.k8s.io;v={self.discovery};as=APIGroupDiscoveryList"
        if asked not in accept.split(","):
            if core:
                return ok({"kind": "APIVersions", "versions": ["v1"]})
            rows = [
                (name, [{"groupVersion": f"{name}/{each}", "version": each} for each in groups[name]])
                for name in groups
            ]
            listed = [{"name": name, "versions": found, "preferredVersion": found[0]} for name, found in rows]
            return ok({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})
        items = [
            {
                "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
                "versions": [
                    {"version": version, "freshness": "Stale"}
                    if f"{group}/{version}" in self.stale
                    else {
                        "version": version,
                        "resources": [_discovered(resource, self.verbs) for resource in found],
                        "freshness": "Current",
                    }
                    for version, found in versions.items()
                ],
            }
            for group, versions in groups.items()
        ]
        body = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{self.discovery}", "items": items}
        return Reply(200, json.dumps(body).encode(), asked)

    def _describe(self, path: str) -> Reply:
        resources = []
        for resource in self.served:
            if _root(resource) == path:
                row = {"name": resource.plural, "namespaced": resource.namespaced, "kind": resource.gvk.kind}
                names = {"singularName": resource.gvk.kind.lower(), "shortNames": SHORT.get(resource.plural, [])}
                resources.append({**row, **names, "verbs": self.verbs.get(resource.plural, VERBS)})
                if resource.status_apart:
                    resources.append({**row, "name": f"{resource.plural}/status", "verbs": ["get", "patch"]})
        version = path.partition("/apis/")[2] or path.rpartition("/")[2]
        return ok({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})

    def _list(self, path: str, resource: Resource, request: Request, accept: str) -> Reply:
        labels = dict(each.split("=") for each in request.query.get("labelSelector", "").split(",") if each)
        inside = re.compile(
            f"{re.escape(path)}/[^/]+"
            if "/namespaces/" in path
            else rf"{re.escape(_root(resource))}(/namespaces/[^/]+)?/{resource.plural}/[^/]+"
        )
        found = [
            each
            for place, each in sorted(self.objects.items())
            if inside.fullmatch(place) and labels.items() <= each["metadata"].get("labels", {}).items()
        ]
        start = int(request.query.get("continue", "0"))
        end = start + min(self.page, int(request.query.get("limit", "1000")))
        page = found[start:end]
        metadata = {"resourceVersion": "9", **({"continue": str(end)} if end < len(found) else {})}
        if "as=PartialObjectMetadataList;" in accept:
            items = [_partial(each) for each in page]
            kind = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            return ok({**kind, "metadata": metadata, "items": items or None})
        if not resource.gvk.group:  # Items of a built-in kind do not repeat what the list says.
            page = [{name: each[name] for name in each if name not in ("apiVersion", "kind")} for each in page]
        listed = {"kind": f"{resource.gvk.kind}List", "apiVersion": resource.gvk.api_version}
        return ok({**listed, "metadata": metadata, "items": page})

    def _patch(self, path: str, request: Request, accept: str) -> Reply:
        """A JSON merge patch, guarded by the resourceVersion in it; a dry run changes nothing."""
        patch = json.loads(request.body)
        found = self.objects[path]
        version = patch.get("metadata", {}).get("resourceVersion")
        if version is not None and version != found["metadata"]["resourceVersion"]:
            return status(
                409, "Conflict", "the object has been modified; please apply your changes to the latest version"
            )
        changed = _merged(found, patch)
        version = str(int(found["metadata"]["resourceVersion"]) + 1)
        changed = {**changed, "metadata": {**changed["metadata"], "resourceVersion": version}}
        if request.query.get("dryRun") != "All":
            self.objects[path] = changed
        return ok(_partial(changed) if "as=PartialObjectMetadata;" in accept else changed)

    def _create(self, path: str, request: Request) -> Reply:
        """A new object, with what a server adds; in a dry run it is not kept, and has no resourceVersion."""
        made = json.loads(request.body)
        metadata = {**made["metadata"], "uid": f"uid-of-{made['metadata']['name']}"}
        if found := re.search(r"/namespaces/([^/]+)/", path):
            metadata["namespace"] = found[1]
        if request.query.get("dryRun") != "All":
            metadata["resourceVersion"] = "1"
            self.objects[f"{path}/{metadata['name']}"] = {**made, "metadata": metadata}
        return Reply(201, json.dumps({**made, "metadata": metadata}).encode())

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request as under way."""
        with self.turn:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            yield
        finally:
            with self.turn:
                self.in_flight -= 1


def ok(body: object) -> Reply:
    """A 200 with JSON."""
    return Reply(200, json.dumps(body).encode())


def status(code: int, reason: str, message: str, **headers: str) -> Reply:
    """A failure as the API server words it; ``Retry_After`` becomes the header."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(code, json.dumps({**body, "code": code}).encode(), headers=sent)


def not_found(resource: Resource, name: str) -> Reply:
    """The API server's 404 for an object (``NewNotFound``, k8s.io/apimachinery, pkg/api/errors/errors.go)."""
    details = {"name": name, "kind": resource.plural, **({"group": resource.gvk.group} if resource.gvk.group else {})}
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
    return Reply(
        404, json.dumps({**body, "message": f'{resource.qualified} "{name}" not found', "details": details}).encode()
    )


def html(code: int) -> Reply:
    """What a proxy in between says."""
    return Reply(code, b"<html><h1>Not here</h1></html>", "text/html; charset=utf-8")


def gone(request: Request) -> Reply | None:
    """The connection ends without an answer."""
    raise ConnectionAbortedError(request.path)


def _root(resource: Resource) -> str:
    return resource.path("", "").rpartition("/")[0]


def _discovered(resource: Resource, verbs: Mapping[str, list[str]]) -> dict[str, Any]:
    inner = [{"subresource": "status", "responseKind": {"kind": resource.gvk.kind}, "verbs": ["get", "patch"]}]
    return {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.gvk.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "verbs": verbs.get(resource.plural, VERBS),
        "singularResource": resource.gvk.kind.lower(),
        **({"shortNames": SHORT[resource.plural]} if resource.plural in SHORT else {}),
        **({"subresources": inner} if resource.status_apart else {}),
    }


def _partial(body: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": body["metadata"]}


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    target = target if isinstance(target, dict) else {}
    changed = {key: _merged(target.get(key), value) for key, value in patch.items() if value is not None}
    return {**{key: value for key, value in target.items() if key not in patch}, **changed}


def _note_name(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
    connection.asked_for = name


def _names(connection: Any) -> tuple[str, str]:
    """The client's common name and the server name of its handshake; empty without TLS."""
    if not isinstance(connection, ssl.SSLSocket):
        return "", ""
    subject = dict(pair[0] for pair in (connection.getpeercert() or {}).get("subject", ()))  # type: ignore[misc]
    return subject.get("commonName", ""), getattr(connection, "asked_for", "") or ""


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    context: ssl.SSLContext | None = None

    def __init__(self, address: tuple[str, int], api: Server) -> None:
        super().__init__(address, _Handler)
        self.api = api

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread, so that a bad handshake holds up nobody."""
        if self.context is not None:
            with self.api.turn:
                self.api.cut_handshakes -= 1
                cut = self.api.cut_handshakes >= 0
            if cut:
                if self.api.handshake_alert is not None:
                    request.recv(16384)
                    request.sendall(bytes([21, 3, 3, 0, 2, 2, self.api.handshake_alert]))
                else:
                    request.recv(1)
                return
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        with self.api.turn:
            self.api.connections += 1
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Http

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        server = self.server.api
        with server.counted():
            parts = urlsplit(self.path)
            headers: dict[str, tuple[str, ...]] = {}
            for name, value in self.headers.items():
                headers[name.lower()] = (*headers.get(name.lower(), ()), value)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            names = _names(self.connection)
            request = Request(self.command, parts.path, query, headers, body, *names)
            with server.turn:
                server.requests.append(request)
            reply = server.answer(request)
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        body = reply.body[: len(reply.body) - reply.cut]
        pieces = [body[place : place + 1] for place in range(len(body))] if reply.drip else [body]
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
            if reply.drip and server.over.wait(reply.drip):
                break
        self.close_connection = self.close_connection or bool(reply.cut)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _serve
