"""``postrender lint OLD NEW`` as a subprocess: which inputs are two versions of one chart, and what it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from postrender.report.lint import FORMATS
from tests.cli.test_filter import refused, run
from tests.cli.test_lint import CLEAN, EVENT, SCHEMA, chart

CLAIM = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {{ .Release.Name }}-data\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  password: {{ RANDOM }}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\nspec:\n  selector: {app: %s}\n"
ABOUT = "apiVersion: v2\nname: %s\nversion: %s\n"
NONE = "1 object compared with {}, no findings\n"
LEFT = (
    "%s: error PL201\n"
    "%s"
    "  persistentvolumeclaims/default/data: is not in the new version: an upgrade deletes it with its volume, unless "
    "that is retained\n"
    "note: publish a version with metadata.annotations: {helm.sh/resource-policy: keep} first\n"
    "note: or write into the upgrade notes: kubectl annotate persistentvolumeclaims/data -n default "
    "helm.sh/resource-policy=keep\n"
    "\n"
    "%s\n"
)


def helm(folder: Path) -> str:
    """A program that takes Helm's place: it renders a chart's templates, and notes its calls."""
    path = folder / "helm"
    path.write_text(
        f"#!{sys.executable}\n"
        "import secrets, sys\n"
        "from pathlib import Path\n"
        "if sys.argv[1] == 'version':\n"
        "    print('v3.16.4'); sys.exit()\n"
        "chart = Path(sys.argv[3])\n"
        "with open(Path(__file__).with_name('calls'), 'a') as calls:\n"
        "    print(sys.argv[2], chart.name, *sys.argv[4:], file=calls)\n"
        "name = (chart / 'Chart.yaml').read_text().split()[3]\n"
        "for file in sorted([*chart.glob('crds/*'), *chart.glob('templates/*')]):\n"
        "    text = file.read_text().replace('{{ .Release.Name }}', sys.argv[2])\n"
        "    print(f'---\\n# Source: {name}/{file.parent.name}/{file.name}')\n"
        "    print(text.replace('{{ RANDOM }}', secrets.token_hex(8)))\n"
    )
    path.chmod(0o755)
    return str(path)


def versions(
    folder: Path, old: dict[str, str], new: dict[str, str], names: tuple[str, str] = ("shop", "shop")
) -> list[str]:
    return [
        str(chart(folder / place, {"Chart.yaml": ABOUT % (name, number), **files}))
        for place, name, number, files in (("old", names[0], 1, old), ("new", names[1], 2, new))
    ]


def streams(folder: Path, old: str, new: str) -> list[str]:
    paths = []
    for name, text in (("old.yaml", old), ("new.yaml", new)):
        (folder / name).write_text(text)
        paths.append(str(folder / name))
    return paths


def test_two_streams(tmp_path: Path) -> None:
    old, new = streams(tmp_path, CLAIM.replace("{{ .Release.Name }}-", ""), CLEAN.decode())
    done = run("lint", old, new)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode() == LEFT % (
        f"{old}:4:3",
        "      4 |   name: data\n",
        f"1 object compared with {old}, 1 finding",
    )


@pytest.mark.parametrize("arguments", [("--from", "{old}", "{new}"), ("{new}", "--from={old}"), ("--from={old}",)])
def test_the_old_version_as_a_flag(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    old, new = streams(tmp_path, CLAIM.replace("{{ .Release.Name }}-", ""), CLEAN.decode())
    done = run("lint", *(each.format(old=old, new=new) for each in arguments), stdin=CLEAN)
    assert done.stdout.decode() == LEFT % (
        f"{old}:4:3",
        "      4 |   name: data\n",
        f"1 object compared with {old}, 1 finding",
    )


def test_the_old_version_from_stdin(tmp_path: Path) -> None:
    _, new = streams(tmp_path, "", CLEAN.decode())
    done = run("lint", "--from", "-", new, stdin=CLAIM.replace("{{ .Release.Name }}-", "").encode())
    assert done.stdout.decode() == LEFT % (
        "stdin:4:3",
        "      4 |   name: data\n",
        "1 object compared with stdin, 1 finding",
    )


def test_two_charts(tmp_path: Path) -> None:
    old, new = versions(tmp_path, {"templates/a.yaml": CLAIM}, {"templates/b.yaml": CLEAN.decode()})
    done = run("lint", old, new, "--helm", helm(tmp_path), "--release", "shop", "--", "-f", "x.yaml")
    assert done.stdout.decode() == (
        LEFT.replace("/data", "/shop-data")
        % (
            f"{old}/templates/a.yaml:4:3",
            "      4 |   name: {{ .Release.Name }}-data\n",
            f"1 object compared with {old}, 1 finding",
        )
    )
    common = "--namespace default --include-crds"
    assert (tmp_path / "calls").read_text().splitlines() == [
        f"shop old {common} -f x.yaml",
        f"shop new {common} --is-upgrade -f x.yaml",
    ] * 2


def test_files_of_the_new_chart(tmp_path: Path) -> None:
    old, new = versions(tmp_path, {"templates/a.yaml": CLAIM}, {"templates/b.yaml": CLEAN.decode(), "values.yaml": ""})
    done = run("lint", "--from", old, f"{new}/templates/b.yaml", f"{new}/values.yaml", "--helm", helm(tmp_path))
    assert done.stdout.decode().splitlines()[-1] == f"1 object compared with {old}, 1 finding"


def test_a_generated_value_is_lost_and_not_shown(tmp_path: Path) -> None:
    old, new = versions(tmp_path, {"templates/a.yaml": SECRET}, {"templates/b.yaml": CLEAN.decode()})
    done = run("lint", old, new, "--helm", helm(tmp_path), "--release", "shop")
    assert done.stdout.decode().splitlines()[:3] == [
        f"{old}/templates/a.yaml:4:3: error PL201",
        "      4 |   name: {{ .Release.Name }}",
        "  secrets/default/shop: is not in the new version: an upgrade deletes it with the generated data.password",
    ]


def test_a_secret_that_is_not_generated_holds_nothing(tmp_path: Path) -> None:
    fixed = SECRET.replace("{{ RANDOM }}", "YQ==")
    old, new = versions(tmp_path, {"templates/a.yaml": fixed}, {"templates/b.yaml": CLEAN.decode()})
    assert run("lint", old, new, "--helm", helm(tmp_path)).stdout.decode() == NONE.format(old)


def test_the_new_version_is_not_judged_by_itself_unless_asked(tmp_path: Path) -> None:
    old, new = streams(tmp_path, EVENT.decode(), EVENT.decode())
    assert run("lint", old, new).stdout.decode() == NONE.format(old)
    assert run("lint", old, new, "--select", "PL").stdout.decode().startswith(f"{new}:1:1: warning PL108\n")
    assert run("lint", old, new, "--select", "PL1").returncode == 1
    assert run("lint", old, new, "--ignore", "PL2").stdout.decode() == NONE.format(old)


def test_each_by_itself(tmp_path: Path) -> None:
    old, new = streams(tmp_path, EVENT.decode(), EVENT.decode())
    done = run("lint", "--each", old, new)
    assert [line for line in done.stdout.decode().splitlines() if "PL108" in line] == [
        f"{old}:1:1: warning PL108",
        f"{new}:1:1: warning PL108",
    ]


def test_three_are_linted_each_by_itself(tmp_path: Path) -> None:
    old, new = streams(tmp_path, EVENT.decode(), EVENT.decode())
    (tmp_path / "third.yaml").write_bytes(EVENT)
    done = run("lint", old, new, str(tmp_path / "third.yaml"))
    assert done.stdout.decode().splitlines()[-1] == "3 objects, 3 findings"


def test_two_charts_that_are_not_one(tmp_path: Path) -> None:
    old, new = versions(tmp_path, {"templates/a.yaml": CLAIM}, {"templates/b.yaml": CLEAN.decode()}, ("shop", "db"))
    assert refused(run("lint", old, new, "--helm", helm(tmp_path)), 2) == (
        f"error: {old} is chart shop and {new} is chart db, not two versions of one chart\n"
        f"hint: postrender lint {old} {new} --helm {tmp_path}/helm --each\n"
        f"hint: postrender lint {new} --helm {tmp_path}/helm --from {old}\n"
    )
    done = run("lint", new, "--from", old, "--helm", helm(tmp_path))
    assert done.stdout.decode().splitlines()[-1] == f"1 object compared with {old}, 1 finding"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--each", "--from", "a.yaml", "b.yaml"),
            "error: --from: cannot be used with --each\n"
            "hint: postrender lint --each b.yaml\nhint: postrender lint --from a.yaml b.yaml\n",
        ),
        (
            ("--from", "a.yaml", "b.yaml", "c.yaml"),
            "error: --from: takes one new chart or stream, not 2\nhint: postrender lint --from a.yaml b.yaml\n",
        ),
        (
            ("--from", "-", "-"),
            "error: --from: only one version can be read from stdin\nhint: postrender lint --help\n",
        ),
        (
            ("--from", "no-such.yaml", "-"),
            "error: no-such.yaml: cannot be read: No such file or directory\nhint: postrender lint --help\n",
        ),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], message: str) -> None:
    assert refused(run("lint", *arguments, stdin=CLEAN), 2) == message


def test_every_format(tmp_path: Path) -> None:
    old, new = streams(tmp_path, CLAIM.replace("{{ .Release.Name }}-", "") + "---\n" + SERVICE % "a", SERVICE % "b")
    found = [("PL201", old, 4, "persistentvolumeclaims/default/data"), ("PL207", new, 6, "services/default/shop")]
    data = json.loads(run("lint", old, new, "-o", "json").stdout)
    assert [(each["code"], each["file"], each["line"], each["object"]) for each in data["findings"]] == sorted(
        found, key=lambda each: each[1]
    )
    assert yaml.safe_load(run("lint", old, new, "-o", "yaml").stdout) == data
    sarif = json.loads(run("lint", old, new, "-o", "sarif").stdout)
    jsonschema.validate(sarif, SCHEMA)
    (results,) = (each["results"] for each in sarif["runs"])
    assert sorted(
        (each["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for each in results
        for place in (each["locations"][0]["physicalLocation"],)
    ) == [(code, file, line) for code, file, line, _ in found]
    assert {each["id"] for each in sarif["runs"][0]["tool"]["driver"]["rules"]} >= {"PL201", "PL207"}
    github = run("lint", old, new, "-o", "github").stdout.decode()
    for code, file, line, name in found:
        severity = "error" if code == "PL201" else "warning"
        assert f"::{severity} file={file},line={line},col=3,title={code}::{name}: " in github
    for output in ("markdown", "html", "junit", "text"):
        shown = run("lint", old, new, "-o", output).stdout.decode()
        assert all(code in shown for code, *_ in found)


@pytest.mark.parametrize("output", FORMATS)
def test_no_format_shows_a_value_of_a_secret(tmp_path: Path, output: str) -> None:
    """What is found stands on the very line of the value."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\nimmutable: true\ntype: %s\nstringData:\n  key: %s\n"
    old, new = streams(tmp_path, secret % ("shop", "a/b", "hunter1-old"), secret % ("shop", "a/b", "hunter1-new"))
    done = run("lint", old, new, "-o", output)
    assert done.returncode == 1
    assert b"PL206" in done.stdout
    assert b"hunter1" not in done.stdout + done.stderr
