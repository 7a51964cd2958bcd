"""``postrender-VERSION.tgz``: the one-file program as a plugin that ``helm plugin install`` of Helm 4 takes."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from postrender.helm.plugin import DESCRIPTOR, NAME, SCRIPT, metadata, semver
from tools.pack.archive import archive_at
from tools.pack.onefile import NAME as ONE_FILE

ROOT = Path(__file__).parents[2]
_SCRIPT = f"""\
#!/bin/sh
# Runs the program beside this script; POSTRENDER_PYTHON names the Python, which is python3 otherwise.
here=$(cd -- "$(dirname -- "$0")" && pwd -P)
python=${{POSTRENDER_PYTHON:-python3}}
command -v "$python" >/dev/null && exec "$python" "$here/{ONE_FILE}" "$@"
say() {{ printf 'error: postrender needs Python 3.10 or later, and %s is not on PATH\\n' "$python"
    echo 'hint: export POSTRENDER_PYTHON=/path/to/python3'; }}
# Helm 4 shows nothing that a plugin writes to stderr.
say >&2
(say >/dev/tty) 2>/dev/null
exit 1
"""


def build(one_file: Path, version: str, folder: Path) -> Path:
    """Write the plugin's archive made from the one-file program; the same bytes for the same file.

    Helm 4 wants ``plugin.yaml`` in a folder of the plugin's name (``installFromArchive``,
    internal/plugin/installer/local_installer.go of 4.3.1) and a semantic version.
    """
    path = folder / f"{NAME}-{semver(version)}.tgz"
    with archive_at(path) as archive:
        for name, data, mode in _files(one_file, version):
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return path


def _files(one_file: Path, version: str) -> Iterator[tuple[str, bytes, int]]:
    yield DESCRIPTOR, metadata(version).encode(), 0o644
    yield SCRIPT, _SCRIPT.encode(), 0o755
    yield ONE_FILE, one_file.read_bytes(), 0o755
    yield "LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644


def sign(archive: Path, version: str, key: str, *gpg: str) -> Path:
    """Write the archive's provenance file, signed by gpg with a key; raises CalledProcessError.

    A clear-signed message of two YAML documents: what ``plugin.yaml`` says, and the archive's SHA-256
    (``messageBlock``, pkg/provenance/sign.go of 4.3.1).
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    message = f"{metadata(version)}\n...\nfiles:\n  {archive.name}: sha256:{digest}\n"
    path = archive.with_name(f"{archive.name}.prov")
    signing = ["gpg", "--batch", "--yes", *gpg, "--local-user", key, "--digest-algo", "SHA512"]
    subprocess.run([*signing, "--output", str(path), "--clear-sign"], input=message.encode(), check=True)
    return path
