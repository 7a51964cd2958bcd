"""The image: built by buildah on a Debian without anything but Python, and run as its own user without a shell."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_filter import RENDERED, ROOT
from tests.release.test_release import clone
from tests.tools.installed import needed

BASE, IMAGE = "localhost/base:test", "localhost/postrender:test"
INSIDE = """
mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount -o remount,bind,ro "$0" && cd / &&
exec /usr/sbin/chroot --userspec=$USER_IN_IMAGE "$0" "$@"
"""
"""A read-only root folder, as ``--read-only`` of a container runtime gives it."""


class Builder:
    """buildah with a store of its own."""

    def __init__(self, store: Path) -> None:
        self._command = [*become(), needed("buildah"), "--root", f"{store}/store", "--runroot", f"{store}/run"]

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, "--storage-driver", "vfs", *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


def become() -> list[str]:
    """Root, which an image is built as."""
    return [] if os.geteuid() == 0 else ["sudo", "-n"]


def pip_volumes(folder: Path) -> Iterator[str]:
    """How pip in the build reaches the package index that it reaches here."""
    (folder / "pip.conf").write_text(pip_settings())
    yield f"{folder}/pip.conf:/etc/pip.conf:ro"
    if "PIP_CERT" in os.environ:
        certificates = Path(os.environ["PIP_CERT"]).parent
        yield f"{certificates}:{certificates}:ro"


def pip_settings() -> str:
    """The text of a pip.conf with what pip reads from variables here."""
    settings = {name: text for name, text in os.environ.items() if name in ("PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY")}
    lines = [f"{name[4:].lower().replace('_', '-')} = {text}\n" for name, text in settings.items()]
    return "[global]\n" + "".join(lines)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """A builder with the image."""
    folder = tmp_path_factory.mktemp("image")
    made = Builder(folder)
    packages = "--include=python3,python3-venv,ca-certificates"
    bootstrap = [*become(), needed("mmdebstrap"), "--variant=essential", packages, "bookworm", f"{folder}/base.tar"]
    subprocess.run(bootstrap, check=True, capture_output=True)
    container = made("from", "scratch")
    made("add", container, f"{folder}/base.tar", "/")
    made("commit", "--quiet", container, BASE)
    volumes = [part for volume in pip_volumes(folder) for part in ("--volume", volume)]
    where = ("--isolation", "chroot", "--network", "host", *volumes, "--build-arg", f"BASE={BASE}")
    source = clone(folder / "source")
    made("bud", *where, "--tag", IMAGE, "--file", f"{source}/Containerfile", str(source))
    yield made
    made("rm", "--all")
    subprocess.run([*become(), "rm", "-rf", f"{folder}/store", f"{folder}/run"], check=True)


def test_the_image_runs_on_a_read_only_root_as_its_own_user(builder: Builder) -> None:
    config = json.loads(builder("inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    user, entry = config["User"], config["Entrypoint"]
    assert user == "65532:65532"
    root = builder("mount", builder("from", IMAGE))
    # Neither a shell nor any other program of the base, but Python.
    subprocess.run([*become(), "sh", "-c", 'rm -rf "$0"/bin/sh "$0"/bin/dash "$0"/bin/bash', f"{root}/usr"], check=True)
    command = ["unshare", "--mount", "--pid", "--fork", "env", "-i", f"USER_IN_IMAGE={user}", *config["Env"]]
    arguments = ["--release", "shirts", "--namespace", "default", "--helm-version", "3.12.3", "--offline"]
    done = subprocess.run(
        [*become(), *command, "/bin/sh", "-c", INSIDE, root, *entry, *arguments],
        input=RENDERED,
        capture_output=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.startswith(b"---\n# Source: shirts/templates/beta.yaml\n")
    assert b"2 of 2 objects modified" in done.stderr
