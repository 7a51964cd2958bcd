"""Ansible with the collection ``kubernetes.core``, in an environment of its own in the cache folder, made once.

The collection comes out of the wheel ``ansible``, whose hundreds of other ones stay behind.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

from tests.tools import assets

VERSION = "10.7.0"
"""Of the wheel: the newest for Python 3.10, with kubernetes.core 3.2.0."""
COLLECTION = "ansible_collections/kubernetes/core/"


def playbook() -> Path:
    """The path of ``ansible-playbook``; raises CalledProcessError where pip cannot get what it is made of."""
    folder = assets.cache_folder() / f"ansible-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    whole = folder / "whole"
    with assets.lock("ansible", "ansible"):
        if not whole.is_file():
            _make(folder)
            whole.touch()
    return folder / "bin" / "ansible-playbook"


def _make(folder: Path) -> None:
    print(f"making {folder} (once) ...", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([*pip, "download", "--no-deps", "--dest", place, f"ansible=={VERSION}"], check=True)
        (file,) = Path(place).glob("*.whl")
        with zipfile.ZipFile(file) as wheel:
            about = wheel.read(f"ansible-{VERSION}.dist-info/METADATA").decode()
            needed = re.findall(r"^Requires-Dist: (.*)$", about, re.MULTILINE)
            subprocess.run([*pip, "install", *needed], check=True)
            (packages,) = folder.glob("lib/python*/site-packages")
            wheel.extractall(packages, [name for name in wheel.namelist() if name.startswith(COLLECTION)])
