"""Ansible's module ``kubernetes.core.helm``, with the task of the example."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.callers.driver import Driver
from tests.callers.world import HELM, Run
from tests.tools import ansible

EXAMPLES = Path(__file__).parents[2] / "examples"


class Ansible(Driver):
    """``ansible-playbook`` with one task."""

    name = "Ansible"

    @classmethod
    def version(cls) -> str:
        return f"ansible {ansible.VERSION}, Helm {HELM}"

    def apply(self, *, adopt: bool) -> Run:
        environment = {f"POSTRENDER_{name.upper()}": value for name, value in self.settings(adopt=adopt).items()}
        return self._play({"chart_ref": str(self.world.chart), "post_renderer": "postrender"}, environment)

    def delete(self) -> Run:
        return self._play({"state": "absent"}, {})

    def _play(self, module: dict[str, str], environment: dict[str, str]) -> Run:
        """The example's play, with another release and chart."""
        (play,) = yaml.safe_load((EXAMPLES / "ansible" / "playbook.yaml").read_text())
        task: dict[str, Any] = play["tasks"][0]
        task["kubernetes.core.helm"] = {"name": "shop", "release_namespace": self.world.namespace.name, **module}
        del task["environment"]["POSTRENDER_ADOPT"]
        task["environment"].update(environment)
        file = self.world.folder / "playbook.yaml"
        file.write_text(yaml.safe_dump([play]))
        return self.run(file)

    def run(self, file: Path) -> Run:
        """A playbook, with everything shown that a task returns."""
        return self.world.run(ansible.playbook(), "-v", file, env={"ANSIBLE_NOCOLOR": "1"})


def _example(driver: Ansible) -> str:
    """The example's playbook, as its page says; what it installs is taken away again."""
    folder = driver.world.folder / "examples"
    shutil.copytree(EXAMPLES, folder)
    uninstall = ("helm", "uninstall", "shirts", "--namespace", "shirts")
    for ran in (
        driver.run(folder / "ansible" / "playbook.yaml"),
        driver.world.run(*uninstall),
        driver.run(folder / "ansible" / "playbook.yaml"),
        driver.world.run(*uninstall),
    ):
        if ran.code:
            return ran.said
    return ""


Ansible.own = {"examples/ansible": _example}
