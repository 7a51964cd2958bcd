"""``bin/release [--check] [FOLDER]``: build wheel, sdist, bill of materials and checksums into FOLDER (default: dist).

``--check`` builds twice, and a one-file program and a plugin too, of the packages that are installed here; it compares
the bytes, checks every file, and signs with a key made for it. It needs no network and leaves nothing behind. The
version is ``postrender.__version__``. A commit that is tagged has the tag ``v`` and that version, and a section of
that version in the changelog.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

import postrender
from postrender.helm.plugin import semver
from tools import logged
from tools.pack import onefile, plugin
from tools.pack.archive import archive_at
from tools.pack.gpg import Keyring

ROOT = Path(__file__).parents[1]
EPOCH = "315532800"
"""1980-01-01, the oldest time a zip file can hold: the time of every file in the wheel, for the same bytes always."""


class Unfit(Exception):
    """Something must not be published; the message says what."""


def agreed(version: str, tags: list[str], changelog: str) -> None:
    """Raises Unfit where a tagged commit says otherwise in its tag or its changelog."""
    if not tags:
        return
    if f"v{version}" not in tags:
        raise Unfit(f"the tag is {' '.join(tags)}, and postrender.__version__ is {version}")
    if not re.search(rf"^## \[?{re.escape(version)}\b", changelog, re.MULTILINE):
        raise Unfit(f"CHANGELOG.md has no section for {version}")


def tags() -> list[str]:
    """The tags of the commit that is checked out, those of versions; [] outside of git."""
    done = subprocess.run(["git", "tag", "--points-at", "HEAD", "v*"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else []


def build(source: Path, folder: Path, *kinds: str) -> list[Path]:
    """Wheel and sdist of a folder (``--wheel``, ``--sdist``; default: both), the same bytes for the same files."""
    logged.run(
        [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(folder), str(source)],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "PYTHONHASHSEED": "0", "TZ": "UTC"},
    )
    for sdist in folder.glob("postrender-*.tar.gz"):
        _repack(sdist)
    return sorted(folder.glob("postrender-*"))


def _repack(sdist: Path) -> None:
    """Write an sdist again without the times and owners of the files it was made from."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(sdist.read_bytes()))) as old, archive_at(sdist) as new:
        for entry in sorted(old, key=lambda each: each.name):
            content = old.extractfile(entry)
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = int(EPOCH), 0, 0, "", ""
            entry.mode, entry.pax_headers = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644, {}
            new.addfile(entry, content)


def checked(files: list[Path]) -> None:
    """Raises CalledProcessError where twine finds fault with a file."""
    logged.run([sys.executable, "-m", "twine", "check", "--strict", *map(str, files)])


def environment(folder: Path, wheel: Path) -> Path:
    """An environment with nothing in it but the wheel and what it needs; its Python."""
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    logged.run([*pip, str(wheel)], cwd=folder)
    return python


def offline_environment(folder: Path, wheel: Path) -> Path:
    """The same of the packages that are installed here, without a package index; the folder with its packages."""
    venv.create(folder, with_pip=False, clear=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    for installed in _needed("postrender"):
        for file in installed.files or ():
            source, target = Path(str(installed.locate_file(file))), packages / file
            if ".." not in file.parts and source.suffix != ".pyc" and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    return packages


def _needed(name: str) -> Iterator[Distribution]:
    """The installed packages that one needs, directly or not, without itself."""
    seen, pending = {name}, [name]
    while pending:
        for line in distribution(pending.pop()).requires or ():
            requirement = Requirement(line)
            wanted = requirement.name.lower().replace("_", "-")
            if wanted not in seen and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                seen.add(wanted)
                pending.append(wanted)
                yield distribution(wanted)


def bill(python: Path, path: Path) -> None:
    """Write a CycloneDX bill of what is installed in an environment."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    logged.run(
        [
            str(tool),
            "environment",
            "--output-reproducible",
            "--pyproject",
            str(ROOT / "pyproject.toml"),
            "--output-format",
            "JSON",
            "--output-file",
            str(path),
            str(python),
        ]
    )


def checksums(folder: Path) -> Path:
    """Write SHA256SUMS of the files in a folder, which ``sha256sum --check`` reads."""
    path = folder / "SHA256SUMS"
    files = sorted(file for file in folder.iterdir() if file != path)
    path.write_text("".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files))
    return path


def clone(folder: Path) -> Path:
    """The tracked files in another folder; as they are now, without git's metadata."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def check() -> Iterator[str]:
    """Build everything twice, check it and sign it; what was found, a line each. Raises Unfit, CalledProcessError."""
    version = postrender.__version__
    with tempfile.TemporaryDirectory(prefix="pr-") as name:
        work = Path(name)
        built = [_built(work / place) for place in ("a", "b")]
        first, second = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in built)
        different = sorted(file for file in first.keys() | second.keys() if first.get(file) != second.get(file))
        if different:
            raise Unfit(f"two builds differ in {', '.join(different)}")
        yield f"the same bytes twice: {', '.join(sorted(first))}"
        folder = built[0]
        checked([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])
        yield "twine finds no fault"
        archive = folder / f"postrender-{semver(version)}.tgz"
        keyring = Keyring(work / "k")
        try:
            provenance = plugin.sign(archive, version, keyring.KEY, "--quiet", "--homedir", str(keyring.home))
            keyring("--verify", str(provenance))
        finally:
            keyring.close()
        yield f"a signature by a key made for this: {provenance.name}"
        logged.run(["sha256sum", "--check", "--strict", str(checksums(folder))], cwd=folder)
        yield "the checksums match"


def _built(place: Path) -> Path:
    """Wheel, sdist, bill, one-file program and plugin, in a folder of ``place``."""
    folder = place / "dist"
    folder.mkdir(parents=True)
    build(clone(place / "source"), folder)
    (wheel,) = folder.glob("*.whl")
    packages = offline_environment(place / "env", wheel)
    bill(place / "env" / "bin" / "python", folder / f"postrender-{postrender.__version__}.cdx.json")
    program = onefile.write(packages, folder / onefile.NAME)
    plugin.build(program, postrender.__version__, folder)
    logged.run([sys.executable, "-I", "-S", str(program), "--version"], env={"HOME": str(place)})
    return folder


def publish(folder: Path) -> Iterator[str]:
    """Build what goes to a package index into the folder; the paths of the files. Raises CalledProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("postrender-*"):
        old.unlink()
    files = build(ROOT, folder)
    checked(files)
    (wheel,) = (file for file in files if file.suffix == ".whl")
    with tempfile.TemporaryDirectory() as temporary:
        bill(environment(Path(temporary) / "env", wheel), folder / f"postrender-{postrender.__version__}.cdx.json")
    yield from map(str, sorted(folder.glob("postrender-*")))


def main(arguments: list[str]) -> int:
    """Build everything into the folder, or check that it could be; 1 if something must not be published."""
    parser = argparse.ArgumentParser(prog="bin/release", description=__doc__)
    parser.add_argument("--check", action="store_true", help="build twice and check, without a network")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist", metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        agreed(postrender.__version__, tags(), (ROOT / "CHANGELOG.md").read_text())
        for line in check() if options.check else publish(options.folder):
            print(line, flush=True)
    except Unfit as error:
        sys.stderr.write(f"error: not released: {error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"error: {error.cmd[0]} ended with exit code {error.returncode}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
