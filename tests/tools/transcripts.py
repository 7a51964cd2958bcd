"""What the pages of the documentation show of a terminal: each command and what it printed below it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tools.pages import DOCS, callers

PAGES = sorted({*DOCS.rglob("*.md")} - {DOCS / path for path in callers()})
"""The pages of the documentation, but for those that are an example's README once more."""
CLUSTER = ' title="with a cluster"'
"""What stands behind the language of a block whose commands need one; a reader sees it too."""
_BLOCK = re.compile(rf"^```console(?P<cluster>{CLUSTER})?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """One command and what is shown as its output; ``cluster`` where it needs one."""

    command: str
    shown: str
    cluster: bool


def steps(page: Path) -> Iterator[Step]:
    """Every command of a page, in order."""
    for block in _BLOCK.finditer(page.read_text()):
        for command, shown in parted(block["text"]):
            yield Step(command, shown, bool(block["cluster"]))


def parted(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a block with a prompt, each with what is shown below it."""
    for part in ("\n" + text).split("\n$ ")[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown.rstrip("\n")


def played(command: str, folder: Path, environ: Mapping[str, str]) -> str:
    """What a command prints, stdout and stderr as they come, whatever it ends with."""
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.stdout.rstrip("\n")


def with_outputs(page: Path, outputs: Iterator[str]) -> str:
    """The page's text with these outputs below its commands, in order."""

    def block(found: re.Match[str]) -> str:
        told = [f"$ {command}\n{next(outputs)}\n" for command, _ in parted(found["text"])]
        return f"```console{found['cluster'] or ''}\n{''.join(told)}```"

    return _BLOCK.sub(block, page.read_text())


def neutral(text: str) -> str:
    """The text without what only this machine has: a port, a process id, a folder, the first call in a new clone."""
    text = re.sub(r"postrender: first call: .*\n", "", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:6443", text)
    text = re.sub(r"\bpid \d+", "pid 4711", text)
    return re.sub(r"\S+/postrender/reports/", "~/.local/state/postrender/reports/", text)


def settled(text: str) -> str:
    """Neutral, and without what differs from run to run: times, versions of objects, and where lines are wrapped."""
    text = re.sub(r"LAST DEPLOYED: .*", "LAST DEPLOYED: (a time)", neutral(text))
    text = re.sub(r"resourceVersion(:?) (\(?)\"?\d+\"?", r"resourceVersion\1 \g<2>237", text)
    return " ".join(text.split())
