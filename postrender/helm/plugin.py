"""Helm 4's plugin: ``plugin.yaml`` and a script that run this installation, and others that claim its name.

The filter calls ``refresh`` each time Helm runs it, so nothing here imports more than it needs. Two plugins of one
name, of whatever types, cost Helm 4 all of its plugins.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from postrender import manifest
from postrender._record import Record
from postrender.errors import ManifestError, UsageError
from postrender.text import Hint

NAME = "postrender"
DESCRIPTOR = "plugin.yaml"
SCRIPT = "postrender"

_MARK = "# Written by `postrender helm-plugin install`, and rewritten by a newer postrender: changes are lost.\n"
_PROGRAM = re.compile(r"^program=(.*)$", re.MULTILINE)
_VERSION = re.compile(r"^version: (.*)$", re.MULTILINE)


class Plugin(Record):
    """An installed plugin: its folder, its version, and the program it runs."""

    folder: str
    version: str
    program: str

    @property
    def works(self) -> bool:
        """True if the program exists."""
        return os.access(self.program, os.X_OK)


def descriptor(version: str, name: str = NAME) -> str:
    """The text of ``plugin.yaml`` for a plugin that this installation keeps up to date."""
    return _MARK + metadata(version, name)


def metadata(version: str, name: str = NAME) -> str:
    """The fields of ``plugin.yaml`` for Helm 4: name, version and command.

    Helm splits ``command`` at spaces before it expands the folder's name, which may therefore hold some
    (``PrepareCommands``, internal/plugin/subprocess_commands.go of 4.0.0 to 4.3.1).
    """
    return (
        f"apiVersion: v1\ntype: postrenderer/v1\nname: {name}\nversion: {semver(version)}\n"
        f"runtime: subprocess\nruntimeConfig:\n  platformCommand:\n  - command: ${{HELM_PLUGIN_DIR}}/{SCRIPT}\n"
    )


def script(program: str) -> str:
    """The script, which also writes to the terminal if the program is missing: Helm 4 hides a plugin's stderr."""
    return (
        f"#!/bin/sh\n{_MARK}program={shlex.quote(program)}\n"
        '[ -x "$program" ] && exec "$program" "$@"\n'
        'say() { printf "error: %s is gone\\nhint: install it again, then: postrender helm-plugin install\\n"'
        ' "$program"; }\n'
        "say >&2\n(say >/dev/tty) 2>/dev/null\nexit 1\n"
    )


def read(folder: str) -> Plugin | None:
    """The plugin in a folder; ``None`` if there is none, or one that postrender did not write."""
    about = _text(os.path.join(folder, DESCRIPTOR))
    if not about.startswith(_MARK):
        return None
    version, program = _VERSION.search(about), _PROGRAM.search(_text(os.path.join(folder, SCRIPT)))
    quoted = shlex.split(program[1]) if program else []
    return Plugin(folder, version[1] if version else "", quoted[0] if quoted else "")


def write(plugin: Plugin, name: str = NAME) -> bool:
    """Write the plugin, the file that makes Helm see it last; whether that changed anything. Raises OSError."""
    os.makedirs(plugin.folder, exist_ok=True)
    changed = _write(os.path.join(plugin.folder, SCRIPT), script(plugin.program), 0o755)
    return _write(os.path.join(plugin.folder, DESCRIPTOR), descriptor(plugin.version, name), 0o644) or changed


def remove(plugin: Plugin) -> bool:
    """Remove the plugin, that file first; whether the folder is gone too: others' files stay. Raises OSError."""
    for name in (DESCRIPTOR, SCRIPT):
        path = os.path.join(plugin.folder, name)
        if os.path.lexists(path):
            os.unlink(path)
    if os.listdir(plugin.folder):
        return False
    os.rmdir(plugin.folder)
    return True


def refresh(environ: Mapping[str, str], version: str) -> None:
    """Update the plugin as which Helm 4 runs this process to this version; a read-only folder stays as it is."""
    if environ.get("HELM_PLUGIN_NAME") != NAME or not environ.get("HELM_PLUGIN_DIR"):
        return
    found = read(environ["HELM_PLUGIN_DIR"])
    if found is None or not found.program:
        return
    try:
        write(Plugin(found.folder, version, found.program))
    except OSError:
        return


def semver(version: str) -> str:
    """A Python version as the strict semantic version that Helm wants: ``0.2.0rc1`` is ``0.2.0-rc1``."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+)[.-]?([0-9A-Za-z.-]*)(\+[0-9A-Za-z.-]+)?", version)
    if found is None:
        return "0.0.0"
    return f"{found[1]}{'-' if found[2] else ''}{found[2]}{found[3] or ''}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: str, text: str, mode: int) -> bool:
    """Write a file as a whole or not at all: somebody may be running the old one."""
    if _text(path) == text and os.access(path, os.X_OK) == bool(mode & 0o111):
        return False
    unfinished = f"{path}.{os.getpid()}"
    try:
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(unfinished, mode)
        os.replace(unfinished, path)
    finally:
        if os.path.lexists(unfinished):
            os.unlink(unfinished)
    return True


def claims(folders: Sequence[str], mine: str) -> list[str]:
    """The folders that conflict with a plugin in the folder ``mine``: they have its name, or are in its place.

    They are looked for where Helm looks: one level below each of ``folders`` (``LoadAllDir``, internal/plugin/loader.go
    of 4.0.0 to 4.3.1; ``detectDuplicates`` there compares names only). What cannot be read, Helm does not load either.
    """
    return [place for folder in folders for place in _below(folder) if _in_the_way(place, mine)]


def _in_the_way(place: str, mine: str) -> bool:
    if os.path.abspath(place) != os.path.abspath(mine):
        return _name(place) == NAME
    if os.path.islink(place):
        return True
    return os.path.lexists(os.path.join(place, DESCRIPTOR)) and read(place) is None


def _below(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    yield from (os.path.join(folder, name) for name in names)


def _name(place: str) -> str:
    try:
        with open(os.path.join(place, DESCRIPTOR), "rb") as file:
            about = manifest.load(file.read())
    except (OSError, ManifestError):
        return ""
    name = about.get("name") if isinstance(about, dict) else None
    return name if isinstance(name, str) else ""


def installed(called: str, interpreter: str) -> str:
    """The absolute path of the program that starts this installation, from ``sys.argv[0]`` and the interpreter.

    In a clone it is ``bin/postrender``, which makes the environment again where it has to, else the script that pip,
    pipx or uv made or the one-file program: the one that was called, or the one beside the interpreter. Raises
    UsageError where there is none.
    """
    for script in (Path(called), Path(interpreter).with_name(NAME)):
        if script.name in (NAME, f"{NAME}.pyz") and script.is_file() and os.access(script, os.X_OK):
            return str(_of_clone(script) or script.absolute())
    raise UsageError(
        "this postrender was not installed, so there is no program that Helm could run",
        where=interpreter,
        next=Hint("pipx install .", "in a clone; or run its bin/postrender"),
    )


def _of_clone(script: Path) -> Path | None:
    root = script.absolute().parent.parent.parent
    program = root / "bin" / NAME
    inside = script.absolute().parent.parent.name == ".venv" and (root / "pyproject.toml").is_file()
    return program if inside and os.access(program, os.X_OK) else None
