"""What an answer that is no clear answer means, for a reader, with the next command to type."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence

from postrender._record import Record
from postrender.cluster.http import RequestFailed, Response
from postrender.models import SECRET, Connection, Json, Resource, Unknown, unflagged
from postrender.text import AGAIN, Hint, with_command

_LONGEST, _LAST = 300, 100
_READS = frozenset({"get", "list", "watch"})
# Patterns are compiled when they are needed, which is when a request failed.
_DENIED = (
    r'the object has been modified|admission webhook "[^"]*" denied the request|ValidatingAdmissionPolicy \'[^\']*\'|'
    r'secrets? (?:"[^"]*" )?is forbidden: User "[^"]*" cannot \w+ resource "secrets"'
)
"""What may be shown of a message about a Secret: who objects, and not to what."""
_FIELD = r"(?:data|stringData|type|immutable|metadata|apiVersion|kind)\b[\w.\[\]/-]*"
_RULES = (
    r"field is immutable(?: when `immutable` is set)?|Required value|Unsupported value|Duplicate value|"
    r"a valid config key must consist of alphanumeric characters, '-', '_' or '\.'|"
    r"may not be (?:more|longer) than \d+(?: bytes)?|must be no more than \d+ characters|"
    r"must be specified for an update|"
    r"exceeded quota: [\w.-]+, requested: [\w./=-]+(?:,[\w./=-]+)*|because it is being terminated|"
    r"violates PodSecurity"
)
"""Rules as the API server words them, no part of which is a value: ``ValidateSecret`` and ``ValidateSecretUpdate``
(pkg/apis/core/validation/validation.go of Kubernetes 1.34.3), k8s.io/apimachinery/pkg/util/validation/field/errors.go,
``checkRequest`` (resourcequota/controller.go) and the namespace lifecycle plugin of k8s.io/apiserver.
"""

_OF_HELM = re.compile(
    r"helm (?:get|history|list|status|rollback|uninstall)\b|"
    r"postrender (?:adopt|doctor|move|orphans|rename|unpin|unserved|verify)\b"
)
"""Commands of Helm's and ours that ask a cluster."""


class Kubectl(Record):
    """How kubectl is called to reach the same cluster as the same user.

    ``flags`` are all of its flags, ``file_flag`` is the one that names the kubeconfig, ``helm_flags`` are the flags of
    Helm and ours that do the same; each flag with a blank before it.
    """

    program: str = "kubectl"
    flags: str = ""
    helm_flags: str = ""
    file_flag: str = ""

    @classmethod
    def of(cls, connection: Connection, helm_flags: str = "") -> Kubectl:
        """The flags of a connection, but for the token and a server's address, which may hold a password."""
        several = connection.kubeconfig is not None and os.pathsep in connection.kubeconfig
        file = "" if several or not connection.kubeconfig else f" --kubeconfig {shlex.quote(connection.kubeconfig)}"
        given = [
            ("--context", connection.context),
            ("--as", connection.as_user),
            *(("--as-group", group) for group in connection.as_groups),
            ("--as-uid", connection.as_uid),
        ]
        flags = "".join(f" {flag} {shlex.quote(value)}" for flag, value in given if value)
        program = f"KUBECONFIG={shlex.quote(str(connection.kubeconfig))} kubectl" if several else "kubectl"
        return cls(program, file + flags, helm_flags, file)

    def call(self, command: str, namespace: str = "") -> str:
        """``kubectl COMMAND -n NAMESPACE`` with the flags."""
        scope = f" -n {shlex.quote(namespace)}" if namespace else ""
        return f"{self.program} {command}{scope}{self.flags}"

    def completed(self, steps: Sequence[str]) -> tuple[str, ...]:
        """Advice from where the connection is not known, with the flags in each command about a cluster, once.

        ``kubectl config`` is about the file, and fails if the context is the very thing that is wrong. What has an
        ellipsis in it is the user's own command, which has its flags.
        """
        return tuple(map(self._completed, steps))

    def _completed(self, step: str) -> str:
        if " ... " in step or not (step.startswith("kubectl ") or _OF_HELM.match(step)):
            return step
        flags = self.flags if step.startswith("kubectl ") else self.helm_flags
        if step.startswith("kubectl config "):
            flags = self.file_flag
        if flags and flags in step:
            return step
        program = f"{self.program} {step[8:]}" if step.startswith("kubectl ") else step
        return with_command(step, f"{program}{flags}")

    def kubectl(self, command: str, namespace: str = "") -> str:
        """As ``call``."""
        return self.call(command, namespace)

    def typed(self, command: str, namespace: str) -> str:
        """``COMMAND -n NAMESPACE`` of Helm's or ours, with the flags that were given to reach this cluster."""
        return unflagged(command, namespace) + self.helm_flags


class RequestContext(Record):
    """What a request is about, for messages: one object, or all of a kind if ``name`` is ``""``."""

    verb: str
    resource: Resource
    namespace: str
    name: str = ""

    @property
    def writes_secret(self) -> bool:
        """Whether the request carries a Secret, whose values the server's answer may repeat."""
        return self.verb not in _READS and self.resource.gvk.group_kind == SECRET

    @property
    def selected(self) -> str:
        """The object for ``kubectl get``; one that could not be created may not exist, which is no error then."""
        name = shlex.quote(self.name)
        return " ".join(("--field-selector", f"metadata.name={name}")) if self.verb == "create" else name


def describe_failure(
    outcome: Response | RequestFailed, kubectl: Kubectl, asked: RequestContext | str = "/apis"
) -> Unknown:
    """Why ``outcome`` settles nothing; ``asked`` is the path of a question about what the server serves."""
    if isinstance(outcome, RequestFailed) and outcome.waited:
        longer = f"{2 * outcome.waited:g}"
        steps = f"--request-timeout {longer}", f"{_again(kubectl, asked)} --request-timeout={longer}s"
        return Unknown(outcome.reason, steps)
    if isinstance(outcome, RequestFailed):
        return Unknown(outcome.reason, kubectl.completed(outcome.next) or (_again(kubectl, asked),))
    reported = message(outcome, secret=not isinstance(asked, str) and asked.writes_secret)
    if outcome.status == 401:
        return Unknown(f"the server does not accept our credentials (401): {reported}", (kubectl.call("auth whoami"),))
    if outcome.status == 403:
        what = f"to {asked.verb} {asked.resource.qualified}" if not isinstance(asked, str) else "to ask what is served"
        return Unknown(f"no right {what} (403): {reported}", (_rights(kubectl, asked),))
    if outcome.status == 429:
        asks = "" if outcome.retry_after is None else f", which asks for {outcome.retry_after:g} s of patience"
        # Not with kubectl, which waits as long as the server asks it to.
        return Unknown(f"too many requests for the server (429){asks}", (Hint(AGAIN, "wait, then run it again"),))
    if outcome.status >= 500:
        reads = isinstance(asked, str) or asked.verb in _READS
        step = _again(kubectl, asked) if reads else kubectl.call("get --raw '/readyz?verbose'")
        return Unknown(f"the server failed ({outcome.status}): {reported}", (step,))
    if 300 <= outcome.status < 400:
        return Unknown(
            f"the server redirects ({outcome.status}), which is not followed; check the server's address",
            (_again(kubectl, asked),),
        )
    return Unknown(f"the server answers {outcome.status}: {reported}", (_again(kubectl, asked),))


def unexpected_response(what: str, kubectl: Kubectl, asked: RequestContext | str = "/apis") -> Unknown:
    """Why a response with status 200 that is not what was asked for leaves the question open."""
    return Unknown(f"unexpected answer of the server: {what}", (_again(kubectl, asked),))


def causes(answer: Response) -> Sequence[Json]:
    """The causes that a ``Status`` gives, each with ``field``, ``reason`` and ``message``."""
    body = answer.json()
    details = body.get("details") if isinstance(body, dict) else None
    given = details.get("causes") if isinstance(details, dict) else None
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _about_secret(answer: Response, reported: str) -> str:
    """What is wrong with a Secret that was sent, without the values that the message may hold."""
    denied = re.search(_DENIED, reported)
    if denied:
        return f"{denied[0]} denied the request" if denied[0].startswith("Validating") else denied[0]
    fields = [_cause(cause) for cause in causes(answer) if re.fullmatch(_FIELD, str(cause.get("field")))]
    if fields:
        return "; ".join(fields)
    rules = list(dict.fromkeys(re.findall(_RULES, reported)))
    return ", ".join(rules) or ("not allowed" if answer.status == 403 else "it is not valid")


def _cause(cause: Mapping[str, Json]) -> str:
    """A field and the rule it breaks, without its value."""
    rules = re.findall(_RULES, str(cause.get("message")))
    reason = str(cause.get("reason"))
    rule = ", ".join(dict.fromkeys(rules)) or (reason if reason.startswith("FieldValue") else "not valid")
    return f"{cause['field']} ({rule})"


def message(answer: Response, *, secret: bool = False) -> str:
    """What the API server gives as its reason, in one line; for anything else, what kind of answer it is.

    ``secret`` tells that a Secret was sent: then only who objects and to which fields, for the message may hold values.
    """
    body = answer.json()
    reported = body.get("message") if isinstance(body, dict) and body.get("kind") == "Status" else None
    if isinstance(reported, str) and reported and secret:
        return _about_secret(answer, reported)
    if isinstance(reported, str) and reported:
        line = " ".join(reported.split())
        # What is wrong with a value comes behind it (``Error.ErrorBody``, k8s.io/apimachinery, util/validation/field).
        return line if len(line) <= _LONGEST else f"{line[: _LONGEST - _LAST]} ... {line[-_LAST:]}"
    return f"no word of an API server, but {answer.content_type.partition(';')[0] or 'nothing'}"


def _rights(kubectl: Kubectl, asked: RequestContext | str) -> str:
    if isinstance(asked, str):
        return kubectl.call(f"get --raw {shlex.quote(asked)}")
    name = f"/{asked.name}" if asked.name else ""
    return kubectl.call(f"auth can-i {asked.verb} {shlex.quote(asked.resource.qualified + name)}", asked.namespace)


def _again(kubectl: Kubectl, asked: RequestContext | str) -> str:
    if isinstance(asked, str):
        return kubectl.call(
            f"get --raw {shlex.quote(asked)} -v=6"
        )  # Prints the address and the status, whatever the body is.
    gvk = asked.resource.gvk
    kind = f"{asked.resource.plural}.{gvk.version}.{gvk.group}" if gvk.group else asked.resource.plural
    return kubectl.call(" ".join(["get", kind, *([asked.selected] if asked.name else [])]), asked.namespace)
