"""``bin/pack``: build the packages of this clone for machines without pip."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import postrender
from tools.pack import onefile, plugin, selfcontained
from tools.release import build as build_wheel

ROOT = Path(__file__).parents[2]
WHAT = ("onefile", "plugin", "selfcontained")


def arguments(given: list[str]) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="bin/pack", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"{', '.join(WHAT)} (default: all)")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", metavar="FOLDER", help="default: dist")
    parser.add_argument("--key", metavar="KEY", help="sign the plugin with this key of gpg's keyring")
    chosen = parser.parse_args(given)
    if unknown := set(chosen.what) - set(WHAT):
        parser.error(f"no such package: {', '.join(sorted(unknown))}; there are {', '.join(WHAT)}")
    if chosen.key and chosen.what and "plugin" not in chosen.what:
        parser.error("--key signs the plugin, which is not built")
    return chosen


def main(given: list[str]) -> int:
    """Build what was asked for, and print the path of each file."""
    chosen = arguments(given)
    what, folder, version = chosen.what or WHAT, chosen.into, postrender.__version__
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    with tempfile.TemporaryDirectory() as temporary:
        (wheel,) = build_wheel(ROOT, Path(temporary), "--wheel")
        if "onefile" in what or "plugin" in what:
            one_file = onefile.build(wheel, (folder if "onefile" in what else Path(temporary)) / onefile.NAME)
            files += [one_file] if "onefile" in what else []
        if "plugin" in what:
            files.append(plugin.build(one_file, version, folder))
            if chosen.key:
                files.append(plugin.sign(files[-1], version, chosen.key))
        if "selfcontained" in what:
            files.append(selfcontained.build(wheel, version, folder, onefile.REQUIREMENTS))
    sys.stdout.write("".join(f"{path}\n" for path in files))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error.cmd[0]} ended with exit code {error.returncode}")
