"""Terraform with its provider ``hashicorp/helm``, and the files of the example."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.callers.driver import Driver
from tests.callers.world import Run, World
from tests.e2e.kinds import STABLE_SHIRT
from tests.tools import terraform

EXAMPLES = Path(__file__).parents[2] / "examples"
_SETTINGS = """\
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path = "{}"
  }}
}}
"""
EXPERIMENT = 'provider "helm" {\n  experiments = {\n    manifest = true\n  }\n'


class Terraform(Driver):
    """``terraform apply`` and ``terraform destroy``, with the example's ``main.tf`` for another release."""

    name = "Terraform"
    summary = "on failure"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        kubeconfig = world.folder / ".kube" / "config"
        kubeconfig.parent.mkdir()
        kubeconfig.symlink_to(world.control_plane.kubeconfig)
        settings = world.folder / "settings.tfrc"
        settings.write_text(_SETTINGS.format(terraform.mirror()))
        # The example reads ~/.kube/config, in Terraform and in postrender.
        self._env = {"TF_CLI_CONFIG_FILE": str(settings), "KUBECONFIG": "", "TF_IN_AUTOMATION": "1"}
        self.folder = world.folder / "terraform"
        self.folder.mkdir()
        self.main = (EXAMPLES / "terraform" / "main.tf").read_text()
        for old, new in (
            ('name      = "shirts"', 'name      = "shop"'),
            ("--release=shirts", "--release=shop"),
            ('namespace = "default"', f'namespace = "{world.namespace.name}"'),
            ("--namespace=default", f"--namespace={world.namespace.name}"),
            ("../shirts", "../shop"),
        ):
            assert self.main.count(old) == 1, old
            self.main = self.main.replace(old, new)

    @classmethod
    def version(cls) -> str:
        return f"{terraform.VERSION}, provider {terraform.PROVIDER}, Helm {terraform.PROVIDERS_HELM}"

    def apply(self, *, adopt: bool) -> Run:
        return self.applied(*(f'"--{name}={value}"' for name, value in self.settings(adopt=adopt).items()))

    def applied(self, *arguments: str, main: str | None = None) -> Run:
        """``terraform apply`` with more arguments for postrender, as they stand in ``main.tf``."""
        text = (main or self.main).replace("args = [", f"args = [{''.join(f'{each}, ' for each in arguments)}", 1)
        (self.folder / "main.tf").write_text(text)
        return self.run(self.folder, "apply", "-auto-approve")

    def delete(self) -> Run:
        return self.run(self.folder, "destroy", "-auto-approve")

    def run(self, folder: Path, *command: str) -> Run:
        """Terraform in a folder with a ``main.tf``."""
        if not (folder / ".terraform").is_dir():
            made = self.world.run(terraform.program(), "init", "-no-color", cwd=folder, env=self._env)
            if made.code:
                return made
        program = terraform.program()
        return self.world.run(program, *command, "-no-color", "-var=context=test", cwd=folder, env=self._env)


def _example(driver: Terraform) -> str:
    """The example's files as they are; what it installs is taken away again."""
    folder = driver.world.folder / "examples"
    shutil.copytree(EXAMPLES, folder)
    for command in ("apply", "apply", "destroy", "apply", "destroy"):
        ran = driver.run(folder / "terraform", command, "-auto-approve")
        if ran.code:
            return f"{command}: {ran.said}"
    return ""


def _manifest(driver: Terraform) -> str:
    """With the experiment ``manifest``, whose plan runs postrender too, as the page says."""
    world = driver.world
    main = driver.main.replace('provider "helm" {\n', EXPERIMENT).replace('      "--on-drift=apply",\n', "")
    assert main.count("manifest = true") == 1
    assert "on-drift" not in main
    world.write_chart("M")
    for wanted in ("1 added, 0 changed", "0 added, 0 changed"):
        ran = driver.applied('"--stamp=all"', main=main)
        if ran.code or wanted not in ran.said:
            return ran.said
    world.write_chart("L")
    ran = driver.applied('"--stamp=all"', main=main)
    if ran.code or "0 added, 1 changed" not in ran.said or world.state()["Shirt.stable.example.com"].size != "L":
        return ran.said
    before = world.namespace.resource_version(STABLE_SHIRT, "shirt")
    world.write_chart("M")
    ran = driver.applied('"--on-drift=apply", "--dry-run=server"', main=main)
    if "note: remove --on-drift=apply" not in " ".join(ran.said.split()):
        return ran.said
    return "" if world.namespace.resource_version(STABLE_SHIRT, "shirt") == before else "the plan wrote"


Terraform.own = {"examples/terraform": _example, "the experiment manifest": _manifest}
