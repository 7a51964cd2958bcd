"""A real Helm, run in a home of its own, with or without a post-renderer."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

Env: TypeAlias = Mapping[str, str]
"""More environment variables, which a post-renderer inherits."""

PLUGIN = "postrender"

RUN_WITHIN = 180
"""Seconds a Helm command may take."""


@dataclass(frozen=True, slots=True)
class Filter:
    """How Helm is to run a post-renderer: its ``--post-renderer-args``, and which one, ``None`` for the project's."""

    args: tuple[str, ...] = ()
    program: Path | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A finished Helm command."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether Helm ended with 0."""
        return self.exit_code == 0

    @property
    def error(self) -> str:
        """What Helm says went wrong: its stderr from ``Error: `` on; ``""`` where it says nothing of the kind."""
        start = f"\n{self.stderr}".find("\nError: ")
        return "" if start < 0 else self.stderr[start:].strip()

    def expect_ok(self) -> Run:
        """The same run; AssertionError with all that Helm said where it failed."""
        assert self.ok, f"{' '.join(self.command)}\nended with {self.exit_code}\n{self.stdout}{self.stderr}"
        return self


class Helm:
    """One version of Helm for one namespace, with HOME and every folder of Helm's below ``home``.

    ``cache`` may be shared between Helms that ask the same server: it takes what client-go remembers of discovery.
    """

    def __init__(self, binary: Path, version: str, home: Path, kubeconfig: Path, namespace: str, cache: Path) -> None:
        self.binary = binary
        self.version = version
        self.major = int(version.partition(".")[0])
        self.namespace = namespace
        self.home = home
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "TMPDIR": str(home / "tmp"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "HELM_CACHE_HOME": str(home / "cache/helm"),
            "HELM_CONFIG_HOME": str(home / "config/helm"),
            "HELM_DATA_HOME": str(home / "data/helm"),
            "HELM_PLUGINS": str(home / "plugins"),
            "KUBECACHEDIR": str(cache),
            "KUBECONFIG": str(kubeconfig),
            # Most tests read what was done to every object.
            "POSTRENDER_VERBOSE": "true",
        }
        for folder in ("tmp", "plugins"):
            (home / folder).mkdir(parents=True, exist_ok=True)

    def install(
        self,
        release: str,
        chart: Path,
        *flags: str,
        filter: Filter | bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Run:
        """``helm install``."""
        return self.run("install", release, str(chart), *flags, filter=filter, env=env)

    def upgrade(
        self,
        release: str,
        chart: Path,
        *flags: str,
        filter: Filter | bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Run:
        """``helm upgrade``."""
        return self.run("upgrade", release, str(chart), *flags, filter=filter, env=env)

    def template(
        self,
        release: str,
        chart: Path,
        *flags: str,
        filter: Filter | bool = False,
        env: Mapping[str, str] | None = None,
    ) -> Run:
        """``helm template``."""
        return self.run("template", release, str(chart), *flags, filter=filter, env=env)

    def rollback(self, release: str, revision: int, *flags: str, env: Env | None = None) -> Run:
        """``helm rollback``, which runs no post-renderer."""
        return self.run("rollback", release, str(revision), *flags, env=env)

    def uninstall(self, release: str, *flags: str, env: Env | None = None) -> Run:
        """``helm uninstall``, which runs no post-renderer."""
        return self.run("uninstall", release, *flags, env=env)

    def run(self, *arguments: str, filter: Filter | bool = False, env: Env | None = None) -> Run:
        """Any Helm command in the namespace; ``filter=True`` runs the project's post-renderer without arguments."""
        command, environment = self.command(*arguments, filter=filter, env=env)
        done = subprocess.run(
            command, env=environment, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, timeout=RUN_WITHIN
        )
        return Run(command, done.returncode, str(done.stdout, "utf-8"), str(done.stderr, "utf-8"))

    def command(
        self, *arguments: str, filter: Filter | bool = False, env: Env | None = None
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """The command line and the environment of ``run``, for whoever runs it otherwise."""
        chosen = Filter() if filter is True else filter
        command = (str(self.binary), *arguments, "--namespace", self.namespace)
        if chosen:
            command += self._post_renderer(chosen)
        return command, {**self.env, **(env or {})}

    def _post_renderer(self, chosen: Filter) -> tuple[str, ...]:
        """The flags for this Helm: 3.x runs a program by its path, 4.x a plugin by its name."""
        program = str(chosen.program or executable(self.home))
        if self.major >= 4:
            self._write_plugin(program)
            program = PLUGIN
        return ("--post-renderer", program, *(f"--post-renderer-args={each}" for each in chosen.args))

    def _write_plugin(self, program: str) -> None:
        assert " " not in program, f"Helm splits a plugin's command at spaces: {program}"
        place = self.home / "plugins" / PLUGIN
        place.mkdir(exist_ok=True)
        about = {
            "apiVersion": "v1",
            "type": "postrenderer/v1",
            "name": PLUGIN,
            "version": "0.1.0",
            "runtime": "subprocess",
            "runtimeConfig": {"platformCommand": [{"command": program}]},
        }
        (place / "plugin.yaml").write_text(yaml.safe_dump(about, sort_keys=False))


HelmFactory: TypeAlias = Callable[..., Helm]
"""The fixture ``helm``: ``helm("3.12.3")`` as the administrator, ``helm("3.12.3", user)`` as someone else."""


def executable(folder: Path) -> Path:
    """The project's program: ``postrender`` beside the running interpreter, else a script in ``folder`` for it."""
    installed = Path(sys.executable).with_name("postrender")
    if installed.is_file():
        return installed
    script = folder / "postrender"
    script.write_text(
        textwrap.dedent(f"""\
            #!/bin/sh
            PYTHONPATH='{Path(__file__).parents[2]}' exec '{sys.executable}' -m postrender "$@"
            """)
    )
    script.chmod(0o755)
    return script
