"""TLS with certificates and keys that never stand in a file of ours.

OpenSSL, as Python calls it, reads a client key from a path only. On Linux that is the path of a memory file, which is
in no folder and ends with the process. Elsewhere it is a private file that is gone as soon as it is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from postrender._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl


class Certificates(Record, hidden=("key", "key_file")):
    """What a connection trusts and how it identifies itself, each as a path or as PEM; data win over a path.

    Without an authority the system's own are trusted.
    """

    authority: bytes = b""
    authority_file: str = ""
    certificate: bytes = b""
    certificate_file: str = ""
    key: bytes = b""
    key_file: str = ""

    @property
    def identifies(self) -> bool:
        """Whether a client is identified (``HasCertAuth``, client-go 0.34.3, transport/config.go)."""
        return bool(self.certificate or self.certificate_file) and bool(self.key or self.key_file)


class Encrypted(Exception):
    """The client key needs a password."""


def context(certificates: Certificates, *, verify: bool) -> ssl.SSLContext:
    """A client's context; raises OSError, ValueError or Encrypted where a certificate or key cannot be used."""
    import ssl

    # As urllib3 sets it, without the strict checks of Python 3.13: old authorities fail them, and Go makes none.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    made.hostname_checks_common_name = False
    made.post_handshake_auth = True
    made.set_alpn_protocols(["http/1.1"])
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if certificates.authority:
        made.load_verify_locations(cadata=certificates.authority.decode("ascii", "ignore"))
    elif certificates.authority_file:
        made.load_verify_locations(cafile=certificates.authority_file)
    elif verify:
        made.load_default_certs()
    with (
        _path(certificates.certificate, certificates.certificate_file) as certificate,
        _path(certificates.key, certificates.key_file) as key,
    ):
        if certificate:
            # A password would be asked for on the terminal, in the middle of Helm's run.
            made.load_cert_chain(certificate, key or None, password=_no_password)
    return made


def _no_password() -> str:
    raise Encrypted


@contextmanager
def _path(data: bytes, path: str) -> Iterator[str]:
    """A path under which the data, or else the file, can be read."""
    if not data:
        yield path
        return
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        descriptor = os.memfd_create("postrender")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    import tempfile

    descriptor, name = tempfile.mkstemp(prefix="postrender-")
    try:
        os.write(descriptor, data)
        yield name
    finally:
        os.unlink(name)
        os.close(descriptor)
