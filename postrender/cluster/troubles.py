"""Why no answer came back, told from what the HTTP library raised."""

from __future__ import annotations

import re

from postrender.cluster.answer import NoAnswer
from postrender.errors import PostrenderError


class Unreadable(Exception):
    """An answer began, but cannot be taken; the message is a sentence without a full stop."""


class Unsendable(Exception):
    """A header's value holds a character that no header can; the message is the header's name, not its value."""


def told(error: Exception, timeout: float) -> NoAnswer:
    """One sentence, and what can be done; ``timeout`` is in seconds."""
    from urllib3 import exceptions

    if isinstance(error, Unsendable):
        return NoAnswer(
            f"the request could not be sent: the value for {error} holds a control character, such as a line break",
            ("kubectl config view",),
        )
    if isinstance(error, PostrenderError):
        return NoAnswer(error.cause, error.next)
    if isinstance(error, Unreadable):
        return NoAnswer(f"the server was reached, but {error}")
    if isinstance(error, exceptions.ProxyError):
        return NoAnswer(
            f"the proxy cannot be reached or does not let us through: {_cause(error)}", ("env | grep -i proxy",)
        )
    if isinstance(error, exceptions.SSLError):
        if _cut(error):
            return NoAnswer("the connection broke off during the TLS handshake", broken=True)
        return NoAnswer(
            f"the server's certificate or TLS is not accepted: {_cause(error)}",
            ("--kube-ca-file FILE", "--kube-tls-server-name NAME"),
        )
    if isinstance(error, exceptions.NewConnectionError):
        return NoAnswer(f"no connection to the server: {_cause(error)}", ("kubectl cluster-info",))
    if isinstance(error, exceptions.TimeoutError):
        return NoAnswer(f"no answer within {timeout:g} s", (f"--request-timeout {2 * timeout:g}",))
    if isinstance(error, exceptions.DecodeError):
        return NoAnswer("the answer cannot be unpacked")
    if isinstance(error, exceptions.ProtocolError):
        return NoAnswer(f"the connection broke off: {_cause(error)}", broken=True)
    # Not in its own words: an error of Python's or of a library's may repeat a header or an address.
    return NoAnswer(f"the request could not be sent: {getattr(error, 'strerror', None) or type(error).__name__}")


def _cut(error: BaseException) -> bool:
    """Whether the other side closed the connection inside TLS: an overloaded server or balancer, no bad certificate."""
    import ssl

    inner = [each for each in (error.__cause__, *error.args) if isinstance(each, BaseException)]
    return isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) or any(_cut(each) for each in inner)


def _cause(error: BaseException) -> str:
    """The innermost reason, as short as it comes."""
    inner = next((each for each in (error.__cause__, *error.args[::-1]) if isinstance(each, BaseException)), None)
    if inner is not None and inner is not error:
        return _cause(inner)
    said = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
    return re.sub(r"^.*\[Errno -?\d+\] ", "", str(said).replace("\n", " ")).rstrip(".")
