"""``postrender plan`` as a subprocess: every format, exit code and message."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.terminal import on_a_terminal
from tests.cli.test_filter import EXAMPLE, LIVE, RENDERED, refused, run
from tests.plans.test_plans import _secret as a_revision
from tests.plans.test_views import SCHEMA

DETAILED = "--detailed-exitcode"
STREAM = ("plan", "--manifests", "examples/shirts/rendered.yaml", *LIVE, DETAILED)
VERSION = (*STREAM, "--helm-version", "3.12.3")
KEY = {"POSTRENDER_DIGEST_KEY": "a key of these tests"}


NOTE = (
    "note: only an API server can distinguish fields that left the chart from defaults; file examples/shirts/live.yaml "
    "has none, so shirts.beta.example.com/default/shirt, shirts.stable.example.com/default/shirt may keep such fields "
    "without notice\n"
)

END = """\
2 objects: 2 to adopt.
hint: helm install shirts CHART -n default --post-renderer postrender
"""

TEXT = f"""\
postrender plan: helm 3.12.3 install, release default/shirts, file examples/shirts/live.yaml

adopt      shirts.beta.example.com/default/shirt    existing object, unchanged
adopt      shirts.stable.example.com/default/shirt  existing object, unchanged

{NOTE}{END}"""

VERBOSE = """\
postrender plan: helm 3.12.3 install, release default/shirts, file examples/shirts/live.yaml
  settings from --release, --namespace, --helm-version, the stored revisions (action)

adopt      shirts.beta.example.com/default/shirt    existing object, unchanged
  owner   kept by this release (default/shirts)
  filter  ownership metadata added, label added
  Helm    adopts it unchanged
  stored  the chart's manifest, 3 fields edited
  info: kept by an earlier run of release default/shirts; Helm adopts it (PR107)
  info: shares its Kind and name with shirts.stable.example.com/default/shirt (PR201)
  --- chart
  +++ stored
  @@ -4,6 +4,11 @@
     name: shirt
     annotations:
       helm.sh/resource-policy: keep
  +    meta.helm.sh/release-name: shirts
  +    meta.helm.sh/release-namespace: default
  +  labels:
  +    postrender/group-kind: Shirt.beta.example.com
  +    app.kubernetes.io/managed-by: Helm
   spec:
     color: blue
     size: M

"""


def stored(manifest: str, **fields: Any) -> str:
    """A document: the Secret of a deployed release ``shop/shop``."""
    return json.dumps(a_revision({"name": "shop", "namespace": "shop", "revision": 3, "manifest": manifest, **fields}))


def ours(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    """A live object of release ``shop/shop``."""
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "resourceVersion": "7",
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"},
        },
        **fields,
    }


def live_file(folder: Path, *documents: Any) -> str:
    """A file of live objects; its path."""
    path = folder / "live.yaml"
    texts = [each if isinstance(each, str) else json.dumps(each) for each in documents]
    path.write_text("\n---\n".join(texts or ["{apiVersion: v1, kind: List, items: []}"]))
    return str(path)


def plan(stdin: str, live: str, *further: str, **more: Any) -> Any:
    arguments = (
        "plan",
        "-",
        "--live",
        live,
        "--release",
        "shop",
        "-n",
        "shop",
        "--helm-version",
        "3.21.4",
        DETAILED,
        *further,
    )
    return run(*arguments, stdin=stdin.encode(), **more)


def test_the_text_of_the_example() -> None:
    done = run(*VERSION)
    assert (done.returncode, done.stderr) == (10, b"")
    assert done.stdout.decode() == TEXT


def test_the_details_of_the_example() -> None:
    text = run(*VERSION, "--verbose").stdout.decode()
    assert text.startswith(VERBOSE)
    assert text.count("(PR201)") == 1, "a pair is named once"
    assert text.endswith(NOTE + END)


def test_a_change_that_is_found_is_no_failure_unless_the_code_is_asked_for() -> None:
    assert run(*(each for each in VERSION if each != DETAILED)).returncode == 0


CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data:
  port: "8080"
"""


def test_nothing_to_do(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG, live)
    assert done.returncode == 0, done.stdout.decode()
    assert done.stdout.decode() == (
        f"postrender plan: helm 3.21.4 upgrade, release shop/shop, file {live}\n\n1 object: 1 unchanged.\n"
    )


def test_a_change_of_a_live_object(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG.replace("8080", "9090"), live)
    assert done.returncode == 10
    assert (
        "change     configmaps/shop/a  1 field: data.port\n"
        "  @@ -10,4 +10,4 @@\n"
        "       meta.helm.sh/release-name: shop\n"
        "       meta.helm.sh/release-namespace: shop\n"
        "   data:\n"
        "  -  port: '8080'\n"
        "  +  port: '9090'\n"
        "\n"
        "1 object: 1 to change.\nhint: helm upgrade shop CHART -n shop --post-renderer postrender\n"
    ) in done.stdout.decode()


def test_what_is_new_is_shown_whole(tmp_path: Path) -> None:
    done = plan(CONFIG, live_file(tmp_path))
    assert done.returncode == 10
    assert "\ncreate     configmaps/shop/a  new object\n\n1 object: 1 to create.\n" in done.stdout.decode()
    text = plan(CONFIG, live_file(tmp_path), "--verbose").stdout.decode()
    assert "create     configmaps/shop/a  new object\n  owner   none (new object)\n" in text
    assert "  --- nothing\n  +++ live afterwards\n  @@ -0,0 +1,12 @@\n  +apiVersion: v1\n" in text


def test_what_leaves_the_chart(tmp_path: Path) -> None:
    old = CONFIG + "---\n" + CONFIG.replace("name: a", "name: b") + "---\n" + CONFIG.replace("name: a", "name: c")
    kept = ours("ConfigMap", "c", data={"port": "8080"})
    kept["metadata"]["annotations"]["helm.sh/resource-policy"] = "keep"
    both = [ours("ConfigMap", name, data={"port": "8080"}) for name in "ab"]
    done = plan(CONFIG, live_file(tmp_path, *both, kept, stored(old)))
    assert done.returncode == 10
    text = done.stdout.decode()
    assert (
        "\nkeep       configmaps/shop/c  no longer in the chart; stays in the cluster\n"
        "  warning: is kept, so that a rollback" in text
    )
    assert "\ndelete     configmaps/shop/b  no longer in the chart\n\n3 objects: 1 to delete, 1 to keep, " in text
    text = plan(CONFIG, live_file(tmp_path, *both, kept, stored(old)), "-v").stdout.decode()
    assert "  owner   in this release (shop/shop)\n  filter  removed from the release\n" in text
    assert "  Helm    deletes it\n  stored  removed\n" in text
    assert "  +++ deleted\n" in text


def test_a_refusal_says_what_to_type(tmp_path: Path) -> None:
    body = ours("ConfigMap", "a", data={"port": "1"})
    body["metadata"]["annotations"]["meta.helm.sh/release-name"] = "gone"
    live = live_file(tmp_path, body)
    done = plan(CONFIG, live)
    assert done.returncode == 4
    assert done.stdout.decode().partition("\n\n")[2] == (
        "blocked    configmaps/shop/a  owned by uninstalled release shop/gone; Helm won't adopt it into "
        "shop/shop (PR102)\n"
        "\n"
        "1 object: 1 blocked. Nothing is changed as long as an object is blocked.\n"
        "hint: helm install shop CHART -n shop --post-renderer postrender --post-renderer-args=--adopt=orphans\n"
        "hint: postrender explain PR102\n"
    )
    allowed = plan(CONFIG, live_file(tmp_path, body), "--adopt", "orphans")
    assert allowed.returncode == 10
    assert b"--post-renderer postrender --post-renderer-args=--adopt=orphans\n" in allowed.stdout


def test_json_holds_to_its_schema_and_yaml_is_the_same() -> None:
    import jsonschema

    done = run(*STREAM, "--helm-version", "3.12.3", "-o", "json")
    assert done.returncode == 10
    report = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert report["about"]["release"] == {"namespace": "default", "name": "shirts"}
    assert [each["actions"] for each in report["objects"]] == [["stamp", "label"], ["stamp", "label", "pin"]]
    assert {"op": "add", "path": ["metadata", "resourceVersion"], "after": "237"} in report["objects"][1]["edits"]
    other = run(*STREAM, "--helm-version", "3.12.3", "-o", "yaml")
    assert yaml.safe_load(other.stdout) == report


def test_values_of_secrets_are_digests(tmp_path: Path) -> None:
    def secret(password: str) -> dict[str, Any]:
        return {"data": {"password": base64.b64encode(password.encode()).decode(), "same": "c2FtZS12YWx1ZQ=="}}

    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}
    live = live_file(
        tmp_path,
        ours("Secret", "db", **secret("live-password")),
        stored(json.dumps({**body, **secret("stored-password")})),
    )
    for output in ("text", "json", "yaml"):
        done = plan(json.dumps({**body, **secret("chart-password")}), live, "-o", output, "-v", environ=KEY)
        assert done.returncode == 10, done.stderr
        shown = (done.stdout + done.stderr).decode()
        for value in ("live-password", "stored-password", "chart-password", "same-value"):
            assert value not in shown
            assert base64.b64encode(value.encode()).decode() not in shown
    text = plan(json.dumps({**body, **secret("chart-password")}), live, environ=KEY).stdout.decode()
    assert re.search(r"\n  -  password: digest:(\w{8}):\w{16}\n  \+  password: digest:\1:\w{16}\n", text)
    assert re.search(r"\n     same: digest:\w{8}:\w{16}\n", text)


def a_helm(folder: Path, version: str = "v3.12.3", fails: str = "") -> str:
    """A program that prints the example's manifests, and on stderr how it was called."""
    path = folder / "helm"
    rest = f"echo '{fails}' >&2; exit 1" if fails else f'cat {EXAMPLE}/rendered.yaml; echo "$@" >{folder}/called'
    path.write_text(f'#!/bin/sh\nif [ "$1" = version ]; then echo {version}; exit; fi\n{rest}\n')
    path.chmod(0o755)
    return str(path)


WHERE = ("--live", "examples/shirts/live.yaml", "--namespace", "default")


def test_a_chart_is_planned_as_helm_is_called(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    done = run(
        *("plan", "--wait", "shirts", "./shirts", "--helm", helm, *WHERE, "-f", "a.yaml", "--set", "b=1,2"),
        *("--set", "c=2", "--version", "1.2.3", "--timeout", "5m", "--reuse-values", "--devel"),
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "called").read_text() == (
        "template shirts ./shirts --namespace default --values=a.yaml --set=b=1,2 --set=c=2 --version=1.2.3 --wait "
        "--timeout=5m --devel\n"
    )
    text = done.stdout.decode()
    assert text.startswith("postrender plan: helm 3.12.3 install, release default/shirts, file ")
    assert text.endswith(
        "hint: helm install shirts ./shirts -n default --values=a.yaml --set=b=1,2 --set=c=2 --version=1.2.3 --wait "
        "--timeout=5m --devel --post-renderer postrender\n"
    )


def test_the_older_form_works_with_a_warning(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    done = run("plan", "./shirts", "--helm", helm, *LIVE, "--set", "b=1", "--", "--version", "1.2.3")
    assert done.returncode == 0
    assert done.stderr.decode() == (
        "warning: postrender plan CHART --release NAME will not work in the next version; "
        "use postrender plan shirts ./shirts\n"
    )
    assert (tmp_path / "called").read_text() == (
        "template shirts ./shirts --namespace default --set=b=1 --version 1.2.3\n"
    )
    for flag in ("-f", "--file"):
        older = run("plan", flag, *VERSION[2:])
        assert older.returncode == 10
        assert older.stderr.decode().startswith(f"warning: postrender plan {flag}")
        assert older.stderr.decode().endswith("use postrender plan --manifests examples/shirts/rendered.yaml\n")
        assert older.stdout == run(*VERSION).stdout


@pytest.mark.parametrize("text", ["", "# nothing\n", "color: blue\nsize: M\n"])
def test_values_are_no_manifests(tmp_path: Path, text: str) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(text)
    for arguments in (("-f", str(values)), ("--manifests", str(values)), ("-",)):
        done = run("plan", *arguments, *LIVE, stdin=text.encode())
        assert done.returncode == 3, done.stdout
        assert done.stdout == b""
        where = "stdin" if arguments == ("-",) else str(values)
        assert done.stderr.decode().splitlines()[-2:][0].startswith(f"error: {where}") or "error: line" in (
            done.stderr.decode()
        )


def test_an_upgrade_is_rendered_as_one(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    live = live_file(tmp_path, stored(CONFIG))
    done = run("plan", "shop", "./shop", "--helm", helm, "--live", live, "-n", "shop")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "called").read_text() == "template shop ./shop --namespace shop --is-upgrade\n"


def test_a_chart_that_helm_cannot_render(tmp_path: Path) -> None:
    helm = a_helm(tmp_path, fails='Error: path "./shop" not found')
    assert refused(run("plan", "shirts", "./shop", "--helm", helm, *WHERE), 3) == (
        'error: the chart cannot be rendered: path "./shop" not found\n'
        f"hint: {helm} template shirts ./shop --namespace default --debug\n"
    )


def test_no_helm_to_render_with() -> None:
    assert refused(run("plan", "shirts", "./shop", *WHERE, environ={"PATH": ""}), 2) == (
        "error: helm: is not on PATH\nnote: install Helm, or give the path of its program\nhint: command -v helm\n"
    )


EITHER = "specify either RELEASE and CHART, or rendered manifests"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plan",), f"{EITHER}\nhint: postrender plan --help\n"),
        (("plan", "shop", "./shop", "--manifests", "x"), f"{EITHER}\nhint: postrender plan --help\n"),
        (("plan", "shop", "./shop", "more"), f"{EITHER}\nhint: postrender plan --help\n"),
        (
            ("plan", "./shop"),
            "release name or chart missing: specify RELEASE and CHART\nhint: postrender plan --help\n",
        ),
        (
            ("plan", "shop", "./shop", "--release", "x"),
            "--release: the release is called shop\nhint: postrender plan --help\n",
        ),
        (
            ("plan", "--manifests", "no-such", *LIVE),
            "no-such: cannot be read: No such file or directory\nhint: postrender plan --help\n",
        ),
        (
            ("plan", "-", *LIVE, "--wait", "--set", "password=secret", "--", "--version", "1"),
            "--set --wait --version 1: flags of helm need a chart, and rendered manifests are planned\n"
            "hint: postrender plan --help\n",
        ),
        (
            ("plan", "-", "--live", "examples/shirts/live.yaml", "-n", "default"),
            "release name required\nnote: add --release with the release's name\n",
        ),
    ],
)
def test_bad_calls(arguments: tuple[str, ...], message: str) -> None:
    assert refused(run(*arguments), 2) == f"error: {message}"


def test_colours_only_where_they_are_wanted() -> None:
    coloured = run(*STREAM, "-v", "--color", "always").stdout
    assert b"\x1b[32m+    meta.helm.sh/release-name: shirts\x1b[0m" in coloured
    plain = run(*STREAM, "-v").stdout
    assert b"\x1b" not in plain
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", coloured).replace(b" --color always", b"") == plain


def test_quiet_is_names_alone() -> None:
    for quiet in ("-q", "--quiet"):
        assert run(*VERSION, quiet).stdout.decode() == (
            "shirts.beta.example.com/default/shirt\nshirts.stable.example.com/default/shirt\n"
        )


def test_verbose_shows_what_stays(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG, live, "--verbose")
    assert b"unchanged  configmaps/shop/a\n  owner   in this release (shop/shop)\n" in done.stdout


def test_nothing_is_asked_offline() -> None:
    done = run("plan", "-", "--offline", "--release", "shirts", "-n", "default", "-v", stdin=RENDERED)
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "edit       shirts.beta.example.com/default/shirt    not looked up; 1 field added to the manifest\n" in text
    assert "  owner   not looked up\n" in text
    assert "  Helm    not looked up\n" in text


def test_markdown_for_a_comment(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG.replace("8080", "9090"), live, "-o", "markdown")
    assert done.returncode == 10
    head, _, rest = done.stdout.decode().partition("\n\n")
    assert head.startswith("### postrender plan: helm 3.21.4 upgrade, release shop/shop, file ")
    assert re.sub(r"file \S+ has", "file NAMED has", rest) == (
        "**1 object: 1 to change.**\n"
        "\n"
        "| | object | owner | filter | Helm |\n"
        "|---|---|---|---|---|\n"
        "| 🟣 change | `configmaps/shop/a` | in this release (shop/shop) | unchanged | patches it |\n"
        "\n"
        "<details>\n"
        "<summary>change: <code>configmaps/shop/a</code></summary>\n"
        "\n"
        "- stored: the chart's manifest\n"
        "\n"
        "```diff\n"
        "--- live\n"
        "+++ live afterwards\n"
        "@@ -10,4 +10,4 @@\n"
        "     meta.helm.sh/release-name: shop\n"
        "     meta.helm.sh/release-namespace: shop\n"
        " data:\n"
        "-  port: '8080'\n"
        "+  port: '9090'\n"
        "```\n"
        "\n"
        "</details>\n"
        "\n"
        "- hint: `helm upgrade shop CHART -n shop --post-renderer postrender`\n"
    )


def test_a_comment_stays_below_what_a_comment_takes(tmp_path: Path) -> None:
    many = "---\n".join(
        f"{CONFIG.replace('name: a', f'name: a{number}')}  long: {'x' * 500}\n" for number in range(300)
    )
    done = plan(many, live_file(tmp_path), "-o", "markdown")
    text = done.stdout.decode()
    assert len(text) < 65_000
    assert "| | and 100 more | | | |\n" in text
    found = re.search(r"\n(\d+) more would make this too long for a comment: `-o html` shows all\.\n", text)
    assert found
    assert int(found[1]) + text.count("<details>") == 300


def test_markdown_does_not_take_names_and_values_for_its_own(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a|b`c"},
        "data": {"text": "```\n</details>\n"},
    }
    text = plan(json.dumps(config), live_file(tmp_path), "-o", "markdown").stdout.decode()
    assert "| ``configmaps/shop/a&#124;b`c`` |" in text
    assert "\n````diff\n" in text


def test_html_is_one_page_that_names_nothing_outside_of_it() -> None:
    done = run(*STREAM, "--helm-version", "3.12.3", "-o", "html")
    assert done.returncode == 10
    text = done.stdout.decode()
    assert text.startswith("<!doctype html>\n")
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)|url\(|@import""", text)
    assert "default-src &#x27;none&#x27;" in text


def test_a_stream_is_for_the_helm_on_path_unless_another_is_named(tmp_path: Path) -> None:
    a_helm(tmp_path)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    text = run(*STREAM, environ=path).stdout.decode()
    assert text.startswith("postrender plan: helm 3.12.3 install, ")
    assert f"{tmp_path}/helm" in run(*STREAM, "-v", environ=path).stdout.decode()
    named = run(*STREAM, "--helm-version", "3.21.4", environ=path).stdout.decode()
    assert named.startswith("postrender plan: helm 3.21.4 install, ")


def test_a_terminal_gets_colours_unless_it_wants_none() -> None:
    code, seen = on_a_terminal(*VERSION, "-v")
    assert code == 10
    assert b"\x1b[32m+    meta.helm.sh/release-name: shirts\x1b[0m" in seen
    assert b"\x1b" not in on_a_terminal(*VERSION, environ={"NO_COLOR": "1"})[1]
    assert b"\x1b" not in on_a_terminal(*VERSION, environ={"TERM": "dumb"})[1]
    assert b"\x1b[" in on_a_terminal(*VERSION, "--color", "always", environ={"NO_COLOR": "1"})[1]


def test_what_takes_long_is_said_on_a_terminal_and_wiped_away(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    Path(helm).write_text(Path(helm).read_text().replace("exit; fi\n", "exit; fi\nsleep 2\n"))
    arguments = ("plan", "shirts", "./shirts", "--helm", helm, *WHERE)
    code, seen = on_a_terminal(*arguments)
    assert code == 0
    assert b"postrender: rendering ./shirts ...\r\x1b[Kpostrender plan: " in re.sub(rb"\x1b\[1m", b"", seen)
    assert run(*arguments).stderr == b""


def test_a_name_cannot_command_a_terminal(tmp_path: Path) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a\x1b]0;title\x07\x9b2Jb"}}
    done = plan(json.dumps(config), live_file(tmp_path), "--color", "always")
    text = done.stdout.decode()
    assert "configmaps/shop/a\\x1b]0;title\\x07\\u009b2Jb  new object\n" in text
    assert set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)) == {"\x1b"}
    assert text.count("\x1b") == len(re.findall(r"\x1b\[[0-9;]*m", text))
