"""arm64: the one file and the self-contained folder on a Debian of that processor, which qemu runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import postrender
from tests.cli.test_filter import EXAMPLE, RENDERED, ROOT
from tests.release.every_image import become, pip_settings
from tests.release.test_pack import ARGUMENTS, expected, one_file, wheel
from tests.tools.installed import needed

__all__ = ["expected", "one_file", "wheel"]

VERSION = postrender.__version__
BINFMT = Path("/proc/sys/fs/binfmt_misc")
HANDLER = (
    r":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:{}:F"
)
"""Which programs the kernel hands to qemu (scripts/qemu-binfmt-conf.sh, QEMU 7.2), opened once for all roots."""
INSIDE = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'
BUILD = """
import sys
from pathlib import Path
from tools.pack import selfcontained
wheel, requirements, version = sys.argv[1:]
selfcontained.build(Path(wheel), version, Path("/home"), Path(requirements))
"""


@contextmanager
def emulated() -> Iterator[None]:
    """The kernel runs programs for arm64; as before afterwards."""
    qemu = needed("qemu-aarch64-static")
    if not (BINFMT / "register").exists():
        subprocess.run([*become(), "mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
    if (BINFMT / "qemu-aarch64").exists():
        yield
        return
    register = 'printf "%s" "$0" >"$1"'
    subprocess.run([*become(), "sh", "-c", register, HANDLER.format(qemu), f"{BINFMT}/register"], check=True)
    yield
    subprocess.run([*become(), "sh", "-c", register, "-1", f"{BINFMT}/qemu-aarch64"], check=True)


def debian(folder: Path, *packages: str) -> Path:
    """A root folder with these packages for arm64, unpacked."""
    command = [needed("mmdebstrap"), "--variant=extract", "--architectures=arm64", f"--include={','.join(packages)}"]
    subprocess.run([*become(), *command, "bookworm", str(folder)], check=True, capture_output=True)
    for name in ("proc", "dev", "tmp", "home", "etc"):
        subprocess.run([*become(), "mkdir", "-p", f"{folder}/{name}"], check=True)
    subprocess.run([*become(), "chmod", "-R", "a+rwX", f"{folder}/home", f"{folder}/etc", f"{folder}/tmp"], check=True)
    shutil.copytree(EXAMPLE, folder / "home" / "shirts")
    return folder


def ran(root: Path, *command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A program of the root folder, with nothing but HOME and PATH in its environment."""
    inside = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", INSIDE, str(root)]
    environ = ["/usr/bin/env", "-i", "HOME=/home", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    done = subprocess.run([*become(), *inside, *command_in(root, environ), *command], input=stdin, capture_output=True)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done


def command_in(root: Path, environ: Sequence[str]) -> Sequence[str]:
    """The command for a clean environment, where the root has one; the smallest root has no program at all."""
    return environ if (root / environ[0][1:]).exists() else ()


@pytest.fixture(scope="module")
def python(wheel: Path, one_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root folder with Python, the one file, the wheel and what packs it."""
    with emulated():
        packages = (
            "python3",
            "python3-venv",
            "python3-pip-whl",
            "python3-setuptools-whl",
            "binutils",
            "coreutils",
            "bash",
            "libc-bin",
            "libpython3.11",
        )
        root = debian(tmp_path_factory.mktemp("arm64") / "root", *packages)
        shutil.copytree(ROOT / "tools", root / "home" / "tools")
        for path in (wheel, one_file):
            shutil.copy(path, root / "home")
        (root / "etc" / "pip.conf").write_text(pip_settings())
        certificates = Path(os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt"))
        (root / certificates.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(certificates, root / certificates.relative_to("/"))
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", root / "etc")
        yield root
        subprocess.run([*become(), "rm", "-rf", str(root)], check=True)


def test_the_one_file_reads_with_libyaml_on_arm64(python: Path, expected: bytes) -> None:
    arguments = ("--live", "/home/shirts/live.yaml", *ARGUMENTS)
    for _ in range(2):
        assert ran(python, "python3", "/home/postrender.pyz", *arguments, stdin=RENDERED).stdout == expected
    (folder,) = (python / "home" / ".cache" / "postrender").glob("pyz-*")
    unpacked = f"/home/.cache/postrender/{folder.name}"
    asked = f"import platform, sys; sys.path.insert(0, '{unpacked}'); import yaml"
    told = "print(platform.machine(), yaml.__with_libyaml__)"
    assert ran(python, "python3", "-c", f"{asked}; {told}").stdout == b"aarch64 True\n"


def test_the_self_contained_program_runs_on_arm64_without_python(
    python: Path, wheel: Path, expected: bytes, tmp_path: Path
) -> None:
    requirements = "/home/tools/pack/requirements.txt"
    ran(python, "ldconfig")
    ran(
        python, "/usr/bin/env", "PYTHONPATH=/home", "python3", "-c", BUILD, f"/home/{wheel.name}", requirements, VERSION
    )
    root = debian(tmp_path / "root", "libc6")
    with tarfile.open(python / "home" / f"postrender-{VERSION}-linux-aarch64.tar.gz") as packed:
        packed.extractall(root / "home", filter="tar")
    arguments = ("--live", "/home/shirts/live.yaml", *ARGUMENTS)
    assert ran(root, "/home/postrender/postrender", *arguments, stdin=RENDERED).stdout == expected
