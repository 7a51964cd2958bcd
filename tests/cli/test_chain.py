"""Another post-renderer before or after ours, through the executable."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_filter import EXAMPLE, LIVE, OFFLINE, RENDERED, refused, run

HELM = (*LIVE, "--helm-version", "3.12.3")


INSTEAD = "note: run it before postrender: give it with --first instead\n"
"""The arguments of the program, which may be secret, are left out."""


def test_what_changes_nothing_changes_nothing() -> None:
    plain = run(*HELM)
    for flags in (("--then", "cat"), ("--first", "cat"), ("--first=cat", "--then=cat -u")):
        through = run(*HELM, *flags)
        assert (through.returncode, through.stdout, through.stderr) == (0, plain.stdout, plain.stderr)


def test_first_goes_in_and_then_comes_out() -> None:
    first = run(*HELM, "--first", "sed s/green/black/").stdout
    assert first == run(*HELM, stdin=RENDERED.replace(b"green", b"black")).stdout
    then = run(*HELM, "--then", "sed 's/size: L/size: L  # checked/'").stdout
    assert then == run(*HELM).stdout.replace(b"size: L", b"size: L  # checked")


def test_no_shell_stands_between() -> None:
    done = run(*OFFLINE, "--then", "sed 's/color: blue/color: $HOME;ls/'")
    assert b"color: $HOME;ls\n" in done.stdout


def test_folder_and_environment_are_inherited() -> None:
    done = run(*OFFLINE, "--then", "sh -c 'pwd >&2; echo $MINE >&2; cat'", environ={"MINE": "here"})
    assert done.stderr.decode().startswith(f"--then sh: {EXAMPLE.parents[1]}\n--then sh: here\npostrender: ")


def test_settings_come_from_variables_too() -> None:
    done = run(*OFFLINE, environ={"POSTRENDER_THEN": "sed s/green/black/"})
    assert b"color: black" in done.stdout


def test_its_exit_code_and_its_words_are_ours() -> None:
    for flag in ("--first", "--then"):
        done = run(*OFFLINE, flag, "sh -c 'echo kustomization.yaml is missing >&2; exit 7'")
        assert refused(done, 7) == (
            f"error: {flag} sh: ended with exit code 7: kustomization.yaml is missing\n"
            "note: run it alone, with what helm template prints on its stdin\n"
        )


def test_one_that_was_killed() -> None:
    message = refused(run(*OFFLINE, "--then", "sh -c 'kill -9 $$'"), 137)
    assert message.startswith("error: --then sh: ended with exit code 137 without a message\n")


def test_one_that_does_not_exist() -> None:
    assert refused(run(*OFFLINE, "--then", "no-such-program --token s3cr3t"), 2) == (
        "error: --then no-such-program: cannot be run: No such file or directory\n"
        "note: give a program on PATH, or its path, and its arguments: 'kustomize build'\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sed 's/a",
            "--first: cannot be split into a program and its arguments: No closing quotation\n"
            "hint: postrender --help\n",
        ),
        (
            " ",
            "--first: names no program\n"
            "note: give a program on PATH, or its path, and its arguments: 'kustomize build'\n",
        ),
    ],
)
def test_what_names_no_program(text: str, message: str) -> None:
    assert refused(run(*OFFLINE, "--first", text), 2) == f"error: {message}"


def test_documents_that_it_loses_are_named() -> None:
    for flag in ("--first", "--then"):
        assert refused(run(*HELM, flag, "sed 's/name: shirt/name: other/'"), 4).startswith(
            f"error: {flag} sed: lost 2 objects, which Helm would delete or not create\n"
            "  Shirt.beta.example.com shirt (line 3)\n"
            "  Shirt.stable.example.com shirt (line "
        )
    assert "lost 2 objects" in refused(run(*OFFLINE, "--then", "true"), 4)
    cut = refused(run(*OFFLINE, "--first", "sed /stable.example.com/,$d"), 4)
    assert "Shirt.stable.example.com shirt (line " in cut
    assert "beta" not in cut


def test_a_namespace_that_it_fills_in_loses_nothing() -> None:
    done = run(*OFFLINE, "--then", r"sed 's/name: shirt/name: shirt\n  namespace: default/'")
    assert done.stdout.count(b"namespace: default\n") == 2


def test_output_that_cannot_be_read() -> None:
    message = refused(run(*OFFLINE, "--then", "echo 'kind: [' "), 3)
    assert message.startswith("error: --then echo, line ")
    assert ": what it wrote cannot be read: " in message


def test_a_pin_that_it_takes_out_is_missed() -> None:
    assert refused(run(*HELM, "--then", "sed /resourceVersion/d"), 4) == (
        "error: --then: the program reverted required changes, or added objects that need them:\n"
        f"  shirts.stable.example.com/default/shirt: metadata.resourceVersion\n{INSTEAD}"
    )


def test_a_label_that_it_takes_out_is_missed() -> None:
    assert "shirts.beta.example.com/default/shirt: metadata.labels.postrender/group-kind" in refused(
        run(*OFFLINE, "--then", "sed /group-kind/d"), 4
    )


def test_what_is_live_and_it_changes_back_is_missed(tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    live.write_text((EXAMPLE / "live.yaml").read_text().replace("color: green", "color: white"))
    flags = ("--live", str(live), *LIVE[2:], "--helm-version", "3.21.4")
    assert b'color: "white"' in run(*flags).stdout
    assert refused(run(*flags, "--then", "sed s/white/green/"), 4) == (
        "error: --then: the program reverted required changes, or added objects that need them:\n"
        f"  shirts.stable.example.com/default/shirt: spec.color\n{INSTEAD}"
    )


def test_an_object_that_it_adds_is_looked_up_too() -> None:
    more = (
        "sh -c 'cat; printf -- \"---\\napiVersion: gamma.example.com/v1\\nkind: Shirt\\nmetadata: {name: shirt}\\n\"'"
    )
    message = refused(run(*OFFLINE, "--then", more), 4)
    assert "shirts.gamma.example.com/default/shirt: metadata.labels" in message
    assert run(*OFFLINE, "--first", more).stdout.count(b"postrender/group-kind") == 3


def test_an_empty_stream_goes_through_nothing() -> None:
    assert run("--offline", "--first", "false", "--then", "false", stdin=b"").returncode == 0
