"""Commands of several writes: the record that undoes them, and errors that say what was written."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import TypeVar

from postrender.cli.output import show, write
from postrender.cluster.interface import CommandHints
from postrender.errors import ClusterError, UsageError
from postrender.operations import state_files
from postrender.report.adopt import NoReport
from postrender.report.formats import Formats
from postrender.text import AGAIN, counted, hint_lines, joined, one_line, to_stderr

Record = TypeVar("Record")
Given = TypeVar("Given")


class Writing:
    """Counts the writes, and says in an error how many were made before it; ``back`` is the command that undoes them.

    A context manager. With ``--verbose``, each write is printed.
    """

    def __init__(self, options: argparse.Namespace, *back: str) -> None:
        self._shown = options.verbose and options.output == "text" and not options.quiet
        self._back = back
        self._count = 0

    def __enter__(self) -> Writing:
        return self

    def done(self, line: str) -> None:
        """Note a write."""
        self._count += 1
        if self._shown:
            write(f"{line}\n")

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ClusterError):
            before = f"{counted(self._count, 'write')} before it" if self._count else "nothing was written before it"
            raise ClusterError(
                f"{error.cause}; {before}; run the same command again to go on",
                where=error.where,
                next=(*(step for step in error.next if step != AGAIN), *(self._back if self._count else ())),
            ) from error


def keep_record(data: bytes, chosen: str, begun: str, command: str, name: str) -> str:
    """Write a record where only the user may read it, and return its path; raises UsageError.

    ``begun`` is the file of an interrupted command, which is replaced; else the file is ``chosen``, or one in the
    user's state folder.
    """
    path = begun or chosen or new_file(command, name)
    try:
        if begun:
            state_files.replace_private(path, data)
        else:
            state_files.write_private(path, data)
    except OSError as error:
        raise UsageError(
            f"the record cannot be kept there, so nothing was changed: {error.strerror or error}",
            where=path,
            next=state_files.again_with("--record", os.path.basename(path), (AGAIN,)),
        ) from error
    return path


def read_record(file: str, parse: Callable[[bytes], Record], command: str) -> Record:
    """The record in a file; raises UsageError."""
    try:
        with open(file, "rb") as handle:
            return parse(handle.read())
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror or error}", where=file) from error
    except NoReport as error:
        raise UsageError(
            str(error),
            where=file,
            next=f"postrender {command} --help",
        ) from error


def done_with(options: argparse.Namespace, formats: Formats[Given], report: Given) -> None:
    """Print what was done; the hints of a report for programs go to stderr."""
    hints = report.hints  # type: ignore[attr-defined]
    if options.output != "text":
        to_stderr(joined(hint_lines(hints)))
        show(options, formats, report)
    elif not options.quiet:
        show(options, formats, report)


def note_other_cluster(options: argparse.Namespace, cluster: CommandHints, recorded: str) -> None:
    """Say on stderr that a record is about another cluster."""
    if cluster.description != recorded and not options.yes:
        to_stderr(f"note: {one_line(f'the record is about {recorded}, and this is {cluster.description}')}\n")


def new_file(command: str, name: str) -> str:
    """A path in the user's state folder that no file has, for what a command is going to write."""
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return state_files.unused(os.path.join(state_files.folder(os.environ), command, f"{name}-{now}.json"))
