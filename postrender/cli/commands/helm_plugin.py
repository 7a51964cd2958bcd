"""``postrender helm-plugin install|uninstall|status``: this installation as a post-renderer of Helm 4."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Mapping

from postrender import __version__
from postrender._record import Record
from postrender.cli.output import write
from postrender.cli.parsers import command_parser
from postrender.errors import Refused, UsageError
from postrender.helm import binary, plugin
from postrender.helm.binary import HelmBinary
from postrender.helm.plugin import NAME, Plugin, claims, installed
from postrender.text import Advice, Hint

DESCRIPTION = """\
Helm 4 runs plugins as post-renderers, not programs. This makes one of the
postrender that you call: no network, and a second call changes nothing.

  postrender helm-plugin install
  helm install shop ./chart --post-renderer postrender

exit codes: 0 done, and for status: it works; 2 bad usage; 4 refused, or it
            does not work
"""


class Place(Record):
    """Where the plugin goes: the Helm, the folders it looks for plugins in, the plugin's own, and Helm's variables."""

    helm: HelmBinary
    folders: tuple[str, ...]
    folder: str
    environ: Mapping[str, str]


def main(arguments: list[str]) -> int:
    """Do one of the three; raises UsageError and Refused."""
    options = parser().parse_args(arguments)
    place = _place(options.helm, options.plugins_dir, os.environ)
    return {"install": _install, "uninstall": _uninstall, "status": _status}[options.what](place)


def parser() -> argparse.ArgumentParser:
    """What to do, and with which Helm."""
    made = command_parser("helm-plugin", DESCRIPTION)
    made.add_argument("what", choices=("install", "uninstall", "status"), help="write it, remove it, or look at it")
    made.add_argument("--helm", metavar="PATH", help="that Helm (default: the helm on PATH)")
    made.add_argument("--plugins-dir", metavar="DIR", help="that folder (default: the first of helm env HELM_PLUGINS)")
    return made


def _place(helm: str | None, folder: str | None, environ: Mapping[str, str]) -> Place:
    found = binary.locate(helm, environ)
    if folder is not None:
        environ = {**environ, "HELM_PLUGINS": os.path.abspath(folder)}
    folders = binary.plugin_folders(found, environ)
    return Place(found, folders, os.path.join(folders[0], NAME), environ)


def _install(place: Place) -> int:
    wanted = Plugin(place.folder, __version__, installed(sys.argv[0], sys.executable))
    _check(place, wanted)
    before = plugin.read(place.folder)
    _loads(place)
    try:
        changed = plugin.write(wanted)
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror}", where=error.filename or place.folder, next=_ELSEWHERE
        ) from error
    if NAME not in _loads(place):
        raise Refused(
            f"the plugin is written, and {place.helm.path} plugin list does not show it",
            where=place.folder,
            next=f"{place.helm.path} plugin list --debug",
        )
    moved = before is not None and before.program != wanted.program
    done = "already there" if not changed else "installed" if before is None else "brought up to date"
    _print(f"postrender {__version__}: the plugin is {done}", place, wanted)
    if moved and before is not None:
        write(f"  before   {before.program}\n")
    _print_variable(place)
    write(f"note: run helm install and helm upgrade with --post-renderer {NAME}\n")
    return 0


def _uninstall(place: Place) -> int:
    found = plugin.read(place.folder)
    if found is None:
        if place.folder in claims(place.folders, place.folder):
            raise Refused(
                "that plugin was not written by postrender helm-plugin", where=place.folder, next=_remove(place.folder)
            )
        write(f"there is no plugin {NAME} in {os.path.dirname(place.folder)}\n")
        return 0
    try:
        whole = plugin.remove(found)
    except OSError as error:
        raise UsageError(f"cannot be removed: {error.strerror}", where=error.filename or place.folder) from error
    left = "" if whole else "; other files in its folder stay"
    write(f"the plugin is removed from {place.folder}{left}\n")
    return 0


def _status(place: Place) -> int:
    found = plugin.read(place.folder)
    again = "postrender helm-plugin install"
    if place.helm.version.major < 4:
        _check(place, None)
    if found is None:
        _check(place, None)
        raise Refused(f"Helm {place.helm.version} has no plugin {NAME}", where=place.folder, next=again)
    _print(f"postrender {__version__}: the plugin is installed", place, found)
    _print_variable(place)
    if not found.works:
        raise Refused(f"its program {found.program or '(none)'} does not exist", where=place.folder, next=again)
    _check(place, None)
    if NAME not in _loads(place):
        raise Refused(f"{place.helm.path} plugin list does not show it", where=place.folder, next=again)
    if found.version != plugin.semver(__version__) or found.program != installed(sys.argv[0], sys.executable):
        write(f"  note: this is postrender {__version__}; {again} points the plugin to it\n")
    return 0


def _check(place: Place, wanted: Plugin | None) -> None:
    """Raises Refused where the plugin would do harm or be none; the other Helms are asked only before it is written."""
    helm = place.helm
    if helm.version.major < 4:
        runs = NAME if shutil.which(NAME) else shlex.quote(installed(sys.argv[0], sys.executable))
        raise Refused(
            f"Helm {helm.version} runs a post-renderer by its path and needs no plugin; it loads no plugin at all if a "
            "Helm 4 plugin is in its folder",
            where=helm.path,
            next=Advice(f"run helm install and helm upgrade with --post-renderer {runs}"),
        )
    in_the_way = claims(place.folders, place.folder)
    if in_the_way:
        raise Refused(
            f"claims the name {NAME} too, and was not written by postrender helm-plugin; Helm 4 loads no plugin at all "
            "if two have the same name",
            where=in_the_way[0],
            next=_remove(in_the_way[0]),
        )
    if wanted is not None and plugin.read(place.folder) is None:
        _spare_helm_3(place)


def _spare_helm_3(place: Place) -> None:
    """Raises Refused where a Helm 3 on PATH keeps its plugins in the same folder, as it does unless told otherwise.

    Helm 3 loads none of its plugins where there is one that it cannot read (``FindPlugins``, pkg/plugin/plugin.go of
    3.9.0 to 3.21.4).
    """
    folder = os.path.realpath(os.path.dirname(place.folder))
    for other in binary.on_path(os.environ):
        if other.version.major != 3:
            continue
        if folder in map(os.path.realpath, binary.plugin_folders(other, os.environ)):
            raise Refused(
                f"Helm {other.version} keeps its plugins in the same folder, {folder}, and loads none of them if a "
                "Helm 4 plugin is there",
                where=other.path,
                next=(
                    Advice("add --plugins-dir with another folder, and set HELM_PLUGINS to it for Helm 4"),
                    Advice(f"or take {other.path} from PATH, and add --helm {shlex.quote(place.helm.path)}"),
                ),
            )


def _loads(place: Place) -> list[str]:
    """The names of the plugins that this Helm loads; raises Refused, with its own words, where it loads none."""
    answer = binary.run(place.helm, ["plugin", "list"], place.environ)
    if answer.code:
        raise Refused(
            f"Helm {place.helm.version} cannot load its plugins: {' '.join(answer.stderr.split())}",
            where=place.helm.path,
            next=f"{place.helm.path} plugin list",
        )
    return [line.split()[0] for line in answer.stdout.splitlines()[1:] if line.split()]


def _print(what: str, place: Place, plugin: Plugin) -> None:
    write(
        f"{what}\n  helm     {place.helm.version} ({place.helm.path})\n"
        f"  plugin   {plugin.folder}\n  program  {plugin.program}\n"
    )


def _print_variable(place: Place) -> None:
    """Helm finds a folder that was chosen here only where it is told the same."""
    if os.path.dirname(place.folder) not in binary.plugin_folders(place.helm, os.environ):
        write(f"  note: Helm looks there only with HELM_PLUGINS={os.path.dirname(place.folder)}\n")


_ELSEWHERE = Advice("add --plugins-dir with a folder that can be written, and set HELM_PLUGINS to it for Helm 4")


def _remove(folder: str) -> tuple[str, ...]:
    if os.path.islink(folder):
        return (
            f"helm plugin uninstall {NAME}",
            Hint(f"rm {shlex.quote(folder)}", "if Helm cannot remove it: it is a link"),
        )
    return (
        f"helm plugin uninstall {NAME}",
        Hint(f"rm -r {shlex.quote(folder)}", "if Helm cannot remove it: look into the folder first"),
    )
