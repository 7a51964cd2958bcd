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

STREAM = ("plan", "-f", "examples/shirts/rendered.yaml", *LIVE)
VERSION = (*STREAM, "--helm-version", "3.12.3")
KEY = {"POSTRENDER_DIGEST_KEY": "a key of these tests"}

TEXT = """\
postrender plan: helm 3.12.3 install, release default/shirts, file
  examples/shirts/live.yaml
  told by --release, --namespace, --helm-version, what is stored (action)

adopted   shirts.beta.example.com/default/shirt
  owner   kept by this release (default/shirts)
  filter  stamped, labelled
  Helm    adopts it as it is
  stored  the chart's, 3 fields edited
  - kept by an earlier run of release default/shirts; Helm adopts it (PR107)
  - shares its Kind and name with shirts.stable.example.com/default/shirt
    (PR201)
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

END = """\
2 objects: 2 adopted. Nothing was done yet.
  next: helm install shirts CHART -n default --post-renderer postrender
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
    arguments = ("plan", "-", "--live", live, "--release", "shop", "-n", "shop", "--helm-version", "3.21.4", *further)
    return run(*arguments, stdin=stdin.encode(), **more)


def test_the_text_of_the_example() -> None:
    done = run(*STREAM, "--helm-version", "3.12.3")
    assert done.returncode == 10
    assert done.stderr == b""
    text = done.stdout.decode()
    assert text.startswith(TEXT)
    assert text.endswith(END)
    assert max(map(len, text.splitlines())) <= 80


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
    text = done.stdout.decode()
    assert text.startswith("postrender plan: helm 3.21.4 upgrade, release shop/shop, file\n")
    assert text.endswith(
        "  told by --release, --namespace, --helm-version, what is stored (action)\n"
        "\n"
        "1 more stay as they are (--verbose shows them)\n"
        "1 object: 1 unchanged. There is nothing to do.\n"
    )


def test_a_change_of_a_live_object(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG.replace("8080", "9090"), live)
    assert done.returncode == 10
    assert (
        "changed   configmaps/shop/a\n"
        "  owner   in this release (shop/shop)\n"
        "  filter  as it was\n"
        "  Helm    patches it\n"
        "  stored  the chart's, as it is\n"
        "  --- live\n"
        "  +++ live afterwards\n"
        "  @@ -10,4 +10,4 @@\n"
        "       meta.helm.sh/release-name: shop\n"
        "       meta.helm.sh/release-namespace: shop\n"
        "   data:\n"
        "  -  port: '8080'\n"
        "  +  port: '9090'\n"
        "\n"
        "1 object: 1 changed. Nothing was done yet.\n"
        "  next: helm upgrade shop CHART -n shop --post-renderer postrender\n"
    ) in done.stdout.decode()


def test_what_is_new_is_shown_whole(tmp_path: Path) -> None:
    done = plan(CONFIG, live_file(tmp_path))
    assert done.returncode == 10
    text = done.stdout.decode()
    assert "created   configmaps/shop/a\n  owner   nobody: it is not live\n" in text
    assert "  --- nothing\n  +++ live afterwards\n  @@ -0,0 +1,12 @@\n  +apiVersion: v1\n" in text


def test_what_leaves_the_chart(tmp_path: Path) -> None:
    old = CONFIG + "---\n" + CONFIG.replace("name: a", "name: b") + "---\n" + CONFIG.replace("name: a", "name: c")
    kept = ours("ConfigMap", "c", data={"port": "8080"})
    kept["metadata"]["annotations"]["helm.sh/resource-policy"] = "keep"
    both = [ours("ConfigMap", name, data={"port": "8080"}) for name in "ab"]
    done = plan(CONFIG, live_file(tmp_path, *both, kept, stored(old)))
    assert done.returncode == 10
    text = done.stdout.decode()
    assert "deleted   configmaps/shop/b\n  owner   in this release (shop/shop)\n  filter  leaves the release\n" in text
    assert "  Helm    deletes it\n  stored  no longer\n" in text
    assert "  +++ deleted\n" in text
    assert "kept      configmaps/shop/c\n" in text
    assert "3 objects: 1 unchanged, 1 deleted, 1 kept. Nothing was done yet.\n" in text


def test_a_refusal_says_what_to_type(tmp_path: Path) -> None:
    body = ours("ConfigMap", "a", data={"port": "1"})
    body["metadata"]["annotations"]["meta.helm.sh/release-name"] = "gone"
    done = plan(CONFIG, live_file(tmp_path, body))
    assert done.returncode == 4
    assert done.stdout.decode().partition("\n\n")[2] == (
        "refused   configmaps/shop/a\n"
        "  owner   kept by a release that is gone (shop/gone)\n"
        "  filter  refused\n"
        "  Helm    would not import it, or take it with --take-ownership\n"
        "  stored  nothing new\n"
        "  - owned by uninstalled release shop/gone; Helm won't adopt it into\n"
        "    shop/shop (PR102)\n"
        "\n"
        "1 object: 1 refused. The run would be refused, and nothing done.\n"
        "  next: helm ... --post-renderer-args=--adopt=orphans   (or POSTRENDER_ADOPT=orphans)\n"
        "  next: helm ... --take-ownership\n"
        "  next: postrender explain PR102\n"
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
        done = plan(json.dumps({**body, **secret("chart-password")}), live, "-o", output, environ=KEY)
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


def test_a_chart_is_rendered_by_helm_itself(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    done = run(
        *("plan", "./shirts", "--helm", helm, *LIVE, "--values", "a.yaml", "--set", "b=1", "--set", "c=2"),
        *("--", "--version", "1.2.3"),
    )
    assert done.returncode == 10, done.stderr
    assert (tmp_path / "called").read_text() == (
        "template shirts ./shirts --namespace default --values=a.yaml --set=b=1 --set=c=2 --version 1.2.3\n"
    )
    text = done.stdout.decode()
    assert text.startswith("postrender plan: helm 3.12.3 install, release default/shirts, file\n")
    assert text.endswith(
        "  next: helm install shirts ./shirts -n default --post-renderer postrender   (with the same values)\n"
    )


def test_an_upgrade_is_rendered_as_one(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    live = live_file(tmp_path, stored(CONFIG))
    done = run("plan", "./shop", "--helm", helm, "--live", live, "--release", "shop", "-n", "shop")
    assert done.returncode == 10, done.stderr
    assert (tmp_path / "called").read_text() == "template shop ./shop --namespace shop --is-upgrade\n"


def test_a_chart_that_helm_cannot_render(tmp_path: Path) -> None:
    helm = a_helm(tmp_path, fails='Error: path "./shop" not found')
    assert refused(run("plan", "./shop", "--helm", helm, *LIVE), 3) == (
        'postrender: the chart cannot be rendered: path "./shop" not found\n'
        f"  next: {helm} template shirts ./shop --namespace default --debug\n"
    )


def test_no_helm_to_render_with() -> None:
    assert refused(run("plan", "./shop", *LIVE, environ={"PATH": ""}), 2) == (
        "postrender: helm: is not on PATH\n  next: --helm PATH\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("plan",), "one thing is planned: a chart, -f STREAM, or - for stdin\n  next: postrender plan --help\n"),
        (
            ("plan", "./shop", "-f", "x"),
            "one thing is planned: a chart, -f STREAM, or - for stdin\n  next: postrender plan --help\n",
        ),
        (
            ("plan", "-f", "no-such", *LIVE),
            "no-such: cannot be read: No such file or directory\n  next: postrender plan --help\n",
        ),
        (
            ("plan", "-", *LIVE, "--", "--version", "1"),
            "--version 1: flags behind -- are for helm template, and no chart is given\n"
            "  next: postrender plan --help\n",
        ),
        (
            ("plan", "-", "--live", "examples/shirts/live.yaml", "-n", "default"),
            "which release is installed cannot be told\n  next: --release NAME   (or POSTRENDER_RELEASE)\n",
        ),
    ],
)
def test_bad_calls(arguments: tuple[str, ...], message: str) -> None:
    assert refused(run(*arguments), 2) == f"postrender: {message}"


def test_colours_only_where_they_are_wanted() -> None:
    coloured = run(*STREAM, "--color", "always").stdout
    assert b"\x1b[32m+    meta.helm.sh/release-name: shirts\x1b[0m" in coloured
    plain = run(*STREAM).stdout
    assert b"\x1b" not in plain
    assert re.sub(rb"\x1b\[[0-9;]*m", b"", coloured) == plain


def test_quiet_is_one_line_an_object() -> None:
    assert run(*STREAM, "--helm-version", "3.12.3", "--quiet").stdout.decode() == (
        "postrender plan: helm 3.12.3 install, release default/shirts, file\n"
        "  examples/shirts/live.yaml\n"
        "adopted   shirts.beta.example.com/default/shirt\n"
        "adopted   shirts.stable.example.com/default/shirt\n"
        "note: only an API server can distinguish fields that left the chart from defaults;\n"
        "      file examples/shirts/live.yaml has none, so\n"
        "      shirts.beta.example.com/default/shirt,\n"
        "      shirts.stable.example.com/default/shirt may keep such fields without\n"
        "      notice\n" + END
    )


def test_verbose_shows_what_stays(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG, live, "--verbose")
    assert b"unchanged configmaps/shop/a\n  owner   in this release (shop/shop)\n" in done.stdout


def test_nothing_is_asked_offline() -> None:
    done = run("plan", "-", "--offline", "--release", "shirts", "-n", "default", stdin=RENDERED)
    assert done.returncode == 10
    text = done.stdout.decode()
    assert "edited    shirts.beta.example.com/default/shirt\n  owner   nobody looked\n" in text
    assert "  Helm    nobody looked what is live\n" in text


def test_markdown_for_a_comment(tmp_path: Path) -> None:
    live = live_file(tmp_path, ours("ConfigMap", "a", data={"port": "8080"}), stored(CONFIG))
    done = plan(CONFIG.replace("8080", "9090"), live, "-o", "markdown")
    assert done.returncode == 10
    head, _, rest = done.stdout.decode().partition("\n\n")
    assert head.startswith("### postrender plan: helm 3.21.4 upgrade, release shop/shop, file ")
    assert rest == (
        "**1 object: 1 changed. Nothing was done yet.**\n"
        "\n"
        "| | object | owner | filter | Helm |\n"
        "|---|---|---|---|---|\n"
        "| 🟣 changed | `configmaps/shop/a` | in this release (shop/shop) | as it was | patches it |\n"
        "\n"
        "<details>\n"
        "<summary>changed: <code>configmaps/shop/a</code></summary>\n"
        "\n"
        "- stored: the chart's, as it is\n"
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
        "- next: `helm upgrade shop CHART -n shop --post-renderer postrender`\n"
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
    assert f"{tmp_path}/helm" in text
    named = run(*STREAM, "--helm-version", "3.21.4", environ=path).stdout.decode()
    assert named.startswith("postrender plan: helm 3.21.4 install, ")


def test_a_terminal_gets_colours_unless_it_wants_none() -> None:
    code, seen = on_a_terminal(*VERSION)
    assert code == 10
    assert b"\x1b[32m+    meta.helm.sh/release-name: shirts\x1b[0m" in seen
    assert b"\x1b" not in on_a_terminal(*VERSION, environ={"NO_COLOR": "1"})[1]
    assert b"\x1b" not in on_a_terminal(*VERSION, environ={"TERM": "dumb"})[1]
    assert b"\x1b[" in on_a_terminal(*VERSION, "--color", "always", environ={"NO_COLOR": "1"})[1]


def test_what_takes_long_is_said_on_a_terminal_and_wiped_away(tmp_path: Path) -> None:
    helm = a_helm(tmp_path)
    Path(helm).write_text(Path(helm).read_text().replace("exit; fi\n", "exit; fi\nsleep 2\n"))
    arguments = ("plan", "./shirts", "--helm", helm, *LIVE)
    code, seen = on_a_terminal(*arguments)
    assert code == 10
    assert b"postrender: rendering ./shirts ...\r\x1b[Kpostrender plan: " in re.sub(rb"\x1b\[1m", b"", seen)
    assert run(*arguments).stderr == b""


def test_a_name_cannot_command_a_terminal(tmp_path: Path) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a\x1b]0;title\x07\x9b2Jb"}}
    done = plan(json.dumps(config), live_file(tmp_path), "--color", "always")
    text = done.stdout.decode()
    assert "configmaps/shop/a\\x1b]0;title\\x07\\u009b2Jb\n" in text
    assert set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)) == {"\x1b"}
    assert text.count("\x1b") == len(re.findall(r"\x1b\[[0-9;]*m", text))
