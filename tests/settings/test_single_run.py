"""Which callers run no second upgrade."""

from __future__ import annotations

import pytest

from postrender.settings.single_run import runs_once
from tests.helm.processes import chain

HELM = ("/usr/bin/helm", "helm upgrade -i shop ./chart --post-renderer=postrender")
SHELL = ("/bin/sh", "sh -c helm")
ANSIBLE = ("/usr/bin/python3.11", "/usr/bin/python3 /root/.ansible/tmp/ansible-tmp-1-2/AnsiballZ_helm.py")
COMMAND = ("/usr/bin/python3.11", "/usr/bin/python3 /root/.ansible/tmp/ansible-tmp-1-2/AnsiballZ_command.py")


@pytest.mark.parametrize(
    ("above", "helm", "expected"),
    [
        ((("/usr/bin/terraform-provider-helm", "terraform-provider-helm"),), False, True),
        ((SHELL,), False, True),
        ((), False, True),
        ((HELM,), True, False),
        ((HELM, SHELL), True, False),
        ((HELM, ANSIBLE), True, True),
        ((HELM, SHELL, ANSIBLE), True, True),
        ((HELM, SHELL, COMMAND), True, False),
    ],
)
def test_who_runs_no_second_upgrade(above: tuple[tuple[str, str], ...], helm: bool, expected: bool) -> None:
    assert runs_once(0, chain(*above), helm=helm) is expected
