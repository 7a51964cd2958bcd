"""Flags read off the table are what argparse reads."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from postrender.cli.arguments import given
from postrender.cli.commands.filter import ALL_SETTINGS as ALL
from postrender.cli.commands.filter import parser

words = st.one_of(
    st.sampled_from([flag for setting in ALL for flag in setting.flags]),
    st.sampled_from(["--offline", "--quiet=false", "--adopt=orphans", "-n", "-nshop", "-n=shop", "--namespace="]),
    st.sampled_from(["shop", "true", "", "a=b", "-", "--", "-1", "-q", "--help", "--version", "--offlin", "--nothing"]),
)


def argparses(arguments: list[str]) -> dict[str, object] | None:
    """``None`` where argparse prints something instead."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            return vars(parser().parse_args(arguments))
        except SystemExit:
            return None


@drawn(st.lists(words, max_size=5))
def test_argparse_reads_the_same(arguments: list[str]) -> None:
    found = given(arguments, ALL)
    assert found is None or {**vars(found), "version": None} == {"version": None, **(argparses(arguments) or {})}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--offline", "--stamp", "all", "--release", "shop", "-n", "shop"],
        ["--live=live.yaml", "--adopt", "orphans", "--adopt=unmanaged", "--quiet", "true", "--force-replace"],
    ],
)
def test_the_usual_needs_no_argparse(arguments: list[str]) -> None:
    found = given(arguments, ALL)
    assert found is not None
    assert {**vars(found), "version": None} == {"version": None, **(argparses(arguments) or {})}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["--stamp"], ["--stamp", "--offline"], ["shop"], ["-nshop"], ["--nothing=1"], ["--"]],
)
def test_argparse_is_asked_about_the_rest(arguments: list[str]) -> None:
    assert given(arguments, ALL) is None
