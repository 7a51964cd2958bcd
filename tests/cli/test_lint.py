"""``postrender lint`` as a subprocess: charts and streams, formats, exit codes, whole messages."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.cli.test_filter import EXAMPLE, RENDERED, ROOT, refused, run

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text())
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "templates/secret.yaml": (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\n"
        "  annotations:\n    helm.sh/resource-policy: keep\n"
        "data:\n  password: {{ randAlphaNum 8 | b64enc }}\n"
    ),
}
CLEAN = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n"
EVENT = b"apiVersion: v1\nkind: Event\nmetadata: {name: a}\n"


def chart(folder: Path, files: dict[str, str] = CHART) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def helm(folder: Path) -> str:
    """A program that takes Helm's place: it renders the one chart, another password each time, and notes its calls."""
    path = folder / "helm"
    path.write_text(
        f"#!{sys.executable}\n"
        "import secrets, sys\n"
        "from pathlib import Path\n"
        "if sys.argv[1] == 'version':\n"
        "    print('v3.16.4'); sys.exit()\n"
        "with open(Path(__file__).with_name('calls'), 'a') as calls:\n"
        "    print(*sys.argv[1:], file=calls)\n"
        "if not Path(sys.argv[3], 'templates').is_dir() and not sys.argv[3].endswith('.tgz'):\n"
        "    print('Error: no templates', file=sys.stderr); sys.exit(1)\n"
        "print('---\\n# Source: shop/templates/secret.yaml\\napiVersion: v1\\nkind: Secret\\nmetadata:')\n"
        "print(f'  name: {sys.argv[2]}\\n  annotations:\\n    helm.sh/resource-policy: keep')\n"
        "print(f'data:\\n  password: {secrets.token_hex(8)}')\n"
    )
    path.chmod(0o755)
    return str(path)


def test_a_clean_stream() -> None:
    done = run("lint", stdin=CLEAN)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1 object, no findings\n", b"")


def test_the_two_shirts() -> None:
    done = run("lint", "-")
    assert done.returncode == 1
    assert done.stdout.decode() == (
        "stdin:17:3: error PL101\n"
        "     17 |   name: shirt\n"
        "  shirts.stable.example.com/default/shirt: shares its Kind and name with "
        "shirts.beta.example.com/default/shirt (line 3 of the rendering, from shirts/templates/beta.yaml): "
        "Helm 3.17.0 and older cannot install the two again once an uninstall has kept them\n"
        "note: give one of them another name\n"
        "note: or use helm 3.17.1 or later, or --post-renderer postrender\n"
        "\n"
        "2 objects, 1 finding\n"
    )


def test_a_chart(tmp_path: Path) -> None:
    shop = chart(tmp_path / "shop")
    done = run("lint", str(shop), "--helm", helm(tmp_path), "--", "-f", "x.yaml")
    assert done.returncode == 1, done.stderr.decode()
    place, shown, *text = done.stdout.decode().splitlines()
    assert place == f"{shop}/templates/secret.yaml:8:3: error PL112"
    assert shown == "      8 |   password: …"
    assert text[0] == (
        "  secrets/default/release-name: is kept, and each rendering generates new data.password: "
        "the next installation locks out what the old value opens"
    )
    assert (tmp_path / "calls").read_text().splitlines() == [
        f"template {name} {shop} --namespace default --include-crds -f x.yaml"
        for name in ("release-name", "release-name", "release-name-other")
    ]


def test_what_is_told_of_the_cluster_is_told_to_helm(tmp_path: Path) -> None:
    shop = chart(tmp_path / "shop")
    told = ("--kube-version", "1.29", "--api-versions", "a/v1", "--release", "r", "-n", "ns")
    assert run("lint", str(shop), "--helm", helm(tmp_path), *told).returncode == 1
    assert (tmp_path / "calls").read_text().splitlines()[0] == (
        f"template r {shop} --namespace ns --include-crds --kube-version 1.29 --api-versions a/v1"
    )


def test_files_of_one_chart_are_one_chart(tmp_path: Path) -> None:
    shop = chart(tmp_path / "shop", {**CHART, "values.yaml": "", "charts/a/Chart.yaml": "", "charts/a/values.yaml": ""})
    files = ("templates/secret.yaml", "values.yaml", "Chart.yaml", "charts/a/values.yaml")
    done = run("lint", *(str(shop / file) for file in files), "--helm", helm(tmp_path))
    assert done.stdout.decode().splitlines()[-1] == "1 object, 1 finding"


def test_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "shop-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(chart(tmp_path / "shop"), "shop")
    done = run("lint", str(archive), "--helm", helm(tmp_path))
    assert done.stdout.decode().startswith(f"{archive}!shop/templates/secret.yaml:8:3: error PL112\n")


def test_a_folder_without_a_chart(tmp_path: Path) -> None:
    assert refused(run("lint", str(tmp_path)), 2) == (
        f"error: {tmp_path}: is a folder without Chart.yaml\nhint: postrender lint --help\n"
    )


def test_a_chart_that_cannot_be_rendered(tmp_path: Path) -> None:
    shop = chart(tmp_path / "shop", {"Chart.yaml": CHART["Chart.yaml"]})
    assert refused(run("lint", str(shop), "--helm", helm(tmp_path)), 3) == (
        "error: the chart cannot be rendered: no templates\n"
        f"hint: {tmp_path}/helm template release-name {shop} --namespace default --include-crds --debug\n"
    )


def test_no_helm(tmp_path: Path) -> None:
    shop = chart(tmp_path / "shop")
    assert refused(run("lint", str(shop), environ={"PATH": str(tmp_path)}), 2) == (
        "error: helm: is not on PATH\nnote: install Helm, or give the path of its program\nhint: command -v helm\n"
    )


def test_a_stream_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rendered.yaml"
    path.write_bytes(EVENT)
    assert run("lint", str(path)).stdout.decode().startswith(f"{path}:1:1: warning PL108\n")


def test_a_stream_beside_a_chart_is_a_stream() -> None:
    done = run("lint", "examples/shirts/rendered.yaml")
    assert done.stdout.decode().startswith("examples/shirts/rendered.yaml:17:3: error PL101\n")


def test_a_stream_that_is_no_yaml() -> None:
    message = refused(run("lint", stdin=b"a: [\n"), 3)
    assert message.startswith("error: line ")
    assert message.endswith("\nnote: run helm template with --debug: to see the text in which this line stands\n")


def test_a_file_that_is_not_there() -> None:
    assert refused(run("lint", "no-such.yaml"), 2) == (
        "error: no-such.yaml: cannot be read: No such file or directory\nhint: postrender lint --help\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--select", "PL9"),
            "error: --select: no rule's code begins with 'PL9'\nhint: postrender explain\n",
        ),
        (
            ("--ignore", "PL101,xyz"),
            "error: --ignore: no rule's code begins with 'xyz'\nhint: postrender explain\n",
        ),
        (
            ("--kube-version", "soon"),
            "error: --kube-version: 'soon' is not a version of Kubernetes\nhint: postrender lint --kube-version 1.29\n",
        ),
        (
            ("-o", "xml"),
            "error: --output: invalid value 'xml'; choose text, json, yaml, markdown, html, github, junit, sarif\n"
            "hint: postrender lint --help\n",
        ),
    ],
)
def test_bad_values(arguments: tuple[str, ...], message: str) -> None:
    assert refused(run("lint", *arguments), 2) == message


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--select", "PL108"), 1),
        (("--select", "pl1"), 1),
        (("--select", "PL101,PL102"), 0),
        (("--ignore", "PL108"), 0),
        (("--ignore", "PL101"), 1),
        (("--select", "PL1", "--ignore", "PL108"), 0),
    ],
)
def test_rules_are_chosen(arguments: tuple[str, ...], code: int) -> None:
    assert run("lint", *arguments, stdin=EVENT).returncode == code


def test_rules_are_chosen_by_variables() -> None:
    assert run("lint", stdin=EVENT, environ={"POSTRENDER_IGNORE": "PL108"}).returncode == 0


def test_live_namesakes() -> None:
    beta = RENDERED.split(b"---\n")[1]
    done = run("lint", "--live", "examples/shirts/live.yaml", "--release", "shirts", stdin=beta)
    assert done.stdout.decode().splitlines()[0] == "stdin:5:3: warning PL101"
    assert (
        run("lint", "--live", "examples/shirts/live.yaml", "--release", "other", stdin=beta).stdout.count(b"PL101") == 0
    )


def test_json() -> None:
    body = json.loads(run("lint", "-o", "json").stdout)
    assert (body["schemaVersion"], body["kind"], body["objects"]) == (2, "Lint", 2)
    (finding,) = body["findings"]
    assert {key: finding[key] for key in ("code", "severity", "object", "file", "line", "column", "shown")} == {
        "code": "PL101",
        "severity": "error",
        "object": "shirts.stable.example.com/default/shirt",
        "file": "stdin",
        "line": 17,
        "column": 3,
        "shown": "  name: shirt",
    }


@pytest.mark.parametrize("stdin", [RENDERED, CLEAN, EVENT])
def test_json_is_as_its_schema_says(stdin: bytes) -> None:
    schema = json.loads((ROOT / "postrender/report/schemas/lint.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(run("lint", "-o", "json", stdin=stdin).stdout), schema)


def test_github(tmp_path: Path) -> None:
    path = tmp_path / "a,b:100%.yaml"
    path.write_bytes(EVENT)
    assert run("lint", str(path), "-o", "github").stdout.decode() == (
        f"::warning file={tmp_path}/a%2Cb%3A100%25.yaml,line=1,col=1,title=PL108::events/default/a: "
        "is the same stored object as one of its kind in events.k8s.io: an upgrade that moves it there has Helm 3.17.1 "
        "and later delete it%0A"
        "note: before such an upgrade, annotate the live object with helm.sh/resource-policy=keep\n"
    )


@pytest.mark.parametrize("stdin", [RENDERED, CLEAN, EVENT])
def test_sarif_is_as_its_schema_says(stdin: bytes) -> None:
    body = json.loads(run("lint", "-o", "sarif", stdin=stdin).stdout)
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(body, SCHEMA, jsonschema.Draft7Validator)


def test_sarif_without_a_line_is_as_its_schema_says(tmp_path: Path) -> None:
    template = CHART["templates/secret.yaml"].replace(
        "password: {{ randAlphaNum 8 | b64enc }}", '{{ include "shop.password" . }}'
    )
    shop = chart(tmp_path / "sh op", {**CHART, "templates/secret.yaml": template})
    body = json.loads(run("lint", str(shop), "--helm", helm(tmp_path), "-o", "sarif").stdout)
    jsonschema.validate(body, SCHEMA, jsonschema.Draft7Validator)
    (result,) = body["runs"][0]["results"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": f"{tmp_path}/sh%20op/templates/secret.yaml"}}
    assert body["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "PL112"


def test_the_schema_refuses_what_is_no_sarif() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": "2.1.0", "runs": [{"results": []}]}, SCHEMA, jsonschema.Draft7Validator)


def test_explain_knows_the_rules() -> None:
    done = run("explain", "pl101")
    assert done.stdout.startswith(b"PL101: Kinds in several API groups share one name\n\nHelm 3.17.0 and older")
    assert max(len(line) for line in done.stdout.decode().splitlines()) <= 80


def test_the_pre_commit_hook_calls_a_command_that_exists() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"] == "postrender lint --each"
    assert hook["language"] == "python"


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        ("Chart.yaml", True),
        ("charts/shop/Chart.yaml", True),
        ("shop/values-prod.yaml", True),
        ("shop/templates/a/b.tpl", True),
        ("shop/crds/a.yaml", True),
        ("README.md", False),
        ("shop/other.yaml", False),
    ],
)
def test_the_pre_commit_hook_takes_the_files_of_charts(file: str, wanted: bool) -> None:
    import re

    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert bool(re.search(hook["files"], file)) is wanted


@pytest.mark.parametrize("version", ["3.12.3", "3.16.4", "4.3.1"])
def test_a_real_helm(tmp_path: Path, version: str) -> None:
    from tests.tools import assets

    shop = tmp_path / "shirts"
    shutil.copytree(EXAMPLE, shop)
    done = run("lint", str(shop), "--helm", str(assets.find(f"helm@{version}")))
    assert done.returncode == 1, done.stderr.decode()
    places = [line for line in done.stdout.decode().splitlines() if line.startswith(str(shop))]
    assert places == [
        f"{shop}/templates/beta.yaml:4:3: warning PL106",
        f"{shop}/templates/stable.yaml:4:3: error PL101",
        f"{shop}/templates/stable.yaml:4:3: warning PL106",
    ]
