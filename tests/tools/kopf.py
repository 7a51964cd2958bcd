"""kopf, in an environment of its own in the cache folder, made once."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from tests.tools import assets

VERSION = "1.39.1"
NEEDED = (f"kopf=={VERSION}", "kubernetes<34", "pyyaml", "ruamel.yaml")
"""With what postrender itself needs: an operator imports it. This kopf, the newest for Python 3.10, finds no token in
the configuration of newer kubernetes packages."""


def program() -> Path:
    """The path of ``kopf``; raises CalledProcessError where pip cannot get it."""
    folder = assets.cache_folder() / f"kopf-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    whole = folder / "whole"
    with assets.lock("kopf", "kopf"):
        if not whole.is_file():
            print(f"making {folder} (once) ...", file=sys.stderr, flush=True)
            venv.create(folder, with_pip=True, clear=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", *NEEDED], check=True)
            whole.touch()
    return folder / "bin" / "kopf"
