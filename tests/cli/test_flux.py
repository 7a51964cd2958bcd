"""``postrender flux`` as a subprocess: what becomes of a HelmRelease's file, and whole messages."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.test_filter import refused, run
from tests.tools import assets

KUSTOMIZE = ("sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1")
CHART = "examples/flux/chart"

STREAM = b"""\
apiVersion: stable.example.com/v1
kind: Shirt
metadata: {name: shirt, labels: {app: shirts}}
---
apiVersion: beta.example.com/v1
kind: Shirt
metadata: {name: shirt}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: sizes}
"""

RELEASE = """\
# The shirts of production.
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: shirts
  namespace: prod   # one namespace a team
spec:
  interval: "10m"

  # What we patch ourselves.
  postRenderers:
    - kustomize:
        # the mirror
        images:
          - {name: shirt, newName: mirror/shirt}   # until it is signed
        patches:
          - target: {kind: ConfigMap}
            patch: |
              - {op: add, path: /data, value: {a: b}}
  values:   # as agreed
    size:   L
# the end
"""

GIT = "{kind: GitRepository, name: shop}"
SOURCES = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: shop, namespace: prod}
spec: {url: "https://charts.example.com"}
---
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shirts.yaml"
    path.write_text(RELEASE)
    return path


@pytest.fixture(scope="session")
def helm() -> str:
    """A real Helm."""
    return str(assets.helm("3.21.4"))


def flux(file: Path, *arguments: str, stdin: bytes = STREAM) -> subprocess.CompletedProcess[bytes]:
    return run("flux", str(file), *arguments, stdin=stdin)


def done(file: Path, *arguments: str, stdin: bytes = STREAM) -> str:
    """The account of a run that succeeded."""
    ended = flux(file, *arguments, stdin=stdin)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stderr.decode()


def ours(label: str) -> str:
    return f"""\
          - target:
              group: {label}\\.example\\.com
              version: v1
              kind: Shirt
              name: shirt
            patch: |
              # made by postrender flux; run it again to update
              apiVersion: "{label}.example.com/v1"
              kind: "Shirt"
              metadata:
                name: "shirt"
                labels:
                  postrender/group-kind: "Shirt.{label}.example.com"
"""


def test_its_patches_come_first_and_everything_else_stays(file: Path) -> None:
    done(file, "--stream", "-")
    text = file.read_text()
    inserted = f"    - kustomize:\n        patches:\n{ours('stable')}{ours('beta')}"
    assert inserted in text
    # ruamel.yaml puts one blank behind a colon, and keeps the column of the comment.
    assert text.replace(inserted, "") == RELEASE.replace("size:   L", "size: L")
    assert text.index("# What we patch") < text.index(inserted) < text.index("# the mirror")


def test_again_it_brings_its_own_up_to_date_and_leaves_the_users_alone(file: Path) -> None:
    done(file, "--stream", "-")
    first = file.read_text()
    done(file, "--stream", "-")
    assert file.read_text() == first
    done(file, "--stream", "-", "--stamp", "all")
    assert file.read_text().count("meta.helm.sh/release-name: ") == 3
    done(file, "--stream", "-")
    assert file.read_text() == first
    done(file, "--stream", "-", "--no-label")
    assert yaml.safe_load(file.read_text()) == yaml.safe_load(RELEASE)
    assert "# made by postrender" not in file.read_text()


def test_no_live_value_goes_in_a_patch(file: Path, tmp_path: Path) -> None:
    secret = (
        "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: login\n  annotations:\n"
        "    postrender/keep-live: data.password\ndata:\n  password: bmV3\n"
    )
    live = tmp_path / "live.yaml"
    live.write_text(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\n  namespace: prod\n  labels: "
        "{app.kubernetes.io/managed-by: Helm}\n  annotations: {meta.helm.sh/release-name: shirts, "
        "meta.helm.sh/release-namespace: prod}\ndata: {password: b2xk}\n"
    )
    said = done(file, "--stream", "-", "--live", str(live), stdin=STREAM + secret.encode())
    text = "has the chart's value of data.password, not the live one: the manifests go in Git (PR321)"
    assert " ".join(said.split()).count(f"warning: secrets/prod/login: {text}") == 1
    assert "b2xk" not in file.read_text()


def test_a_patch_of_its_own_that_was_moved_is_still_its_own(file: Path) -> None:
    done(file, "--stream", "-")
    body = yaml.safe_load(file.read_text())
    mine, theirs = body["spec"]["postRenderers"]
    theirs["kustomize"]["patches"] = [*mine["kustomize"]["patches"], *theirs["kustomize"]["patches"]]
    body["spec"]["postRenderers"] = [theirs]
    file.write_text(yaml.safe_dump(body))
    done(file, "--stream", "-", "--no-label")
    assert yaml.safe_load(file.read_text()) == yaml.safe_load(RELEASE)


def test_other_documents_of_the_file_keep_their_bytes(file: Path) -> None:
    before, after = '# a\nkind:   Thing\napiVersion:  "v1"\nmetadata: {name: a }\n', "kind: Other\napiVersion: v1\n"
    file.write_text(f"{before}---\n{RELEASE}---\n{after}")
    done(file, "--stream", "-")
    text = file.read_text()
    assert text.startswith(f"{before}---\n# The shirts")
    assert text.endswith(f"# the end\n---\n{after}")


@pytest.mark.parametrize(
    "spec",
    ["", "spec:\n", "spec: {}\n", "spec: {postRenderers: []}\n", "spec:\n  postRenderers: null\n", 'spec: {a: "b"}\n'],
)
def test_a_release_that_says_little(spec: str, file: Path) -> None:
    head = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shirts, namespace: prod}\n"
    file.write_text(head + spec)
    done(file, "--stream", "-")
    body = yaml.safe_load(file.read_text())
    assert len(body["spec"]["postRenderers"][0]["kustomize"]["patches"]) == 2
    done(file, "--stream", "-", "--no-label")
    assert not yaml.safe_load(file.read_text())["spec"].get("postRenderers")


def test_windows_line_ends_stay(file: Path) -> None:
    file.write_bytes(RELEASE.replace("\n", "\r\n").encode())
    done(file, "--stream", "-")
    data = file.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n")
    assert data.decode().count("postrender/group-kind") == 2


def test_the_account(file: Path) -> None:
    said = done(file, "--stream", "-", "--stamp", "all", "--verbose")
    assert " ".join(said.split()) == (
        "postrender: a helm-controller with a Helm of unknown version, release prod/shirts, no cluster was asked "
        f"settings from {file} (release, namespace) "
        "shirts.stable.example.com/prod/shirt: ownership metadata added, label added "
        "warning: ownership metadata, here and in 2 more objects, is written without a lookup: applied by any tool "
        "but Helm, it removes the object from the release that owns it"
        " (PR316) "
        "note: to look live objects up, add --kube-context with one of these hint: kubectl config get-contexts "
        "note: or add --live with a file that kubectl get -o yaml wrote note: add --stamp adopt "
        "- shares its Kind and name with shirts.beta.example.com/prod/shirt (PR201) "
        "shirts.beta.example.com/prod/shirt: ownership metadata added, label added "
        "- shares its Kind and name with shirts.stable.example.com/prod/shirt (PR201) "
        "configmaps/prod/sizes: ownership metadata added "
        "note: helm-controller takes over what it finds, including objects of installed releases, unless "
        "disableTakeOwnership is true in spec.install and spec.upgrade "
        "note: helm-controller before 1.5 may adopt a kept object and leave the chart's changes unapplied, without an "
        "error; --kube-context NAME checks that "
        f"3 objects, 3 patches in {file}, each checked against what was rendered"
    )


def test_check_writes_nothing_and_tells(file: Path) -> None:
    assert refused(flux(file, "--stream", "-", "--check"), 4) == (
        f"error: {file}: its patches are not what the chart needs now\nhint: postrender flux {file} --stream -\n"
    )
    assert file.read_text() == RELEASE
    done(file, "--stream", "-")
    done(file, "--stream", "-", "--check")


@pytest.mark.parametrize("entries", [RELEASE, RELEASE.split("\n  # What")[0] + "\n"])
def test_a_patch_to_include_does_the_same(entries: str, file: Path, tmp_path: Path) -> None:
    file.write_text(entries)
    target = tmp_path / "included"
    target.mkdir()
    done(file, "--stream", "-", "--patch-file", str(target / "postrender.yaml"))
    assert file.read_text() == entries
    (target / "release.yaml").write_text(entries)
    entry = (target / "postrender.yaml").read_text().splitlines()[1].removeprefix("# in kustomization.yaml: ")
    (target / "kustomization.yaml").write_text(f"resources: [release.yaml]\n{entry}\n")
    made = subprocess.run([assets.go_tool(*KUSTOMIZE), "build", target], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    done(file, "--stream", "-")
    assert yaml.safe_load(made.stdout) == yaml.safe_load(file.read_text())
    printed = flux(file, "--stream", "-", "--patch-file", "-").stdout
    assert printed.replace(b"FILE", b"postrender.yaml") == (target / "postrender.yaml").read_bytes()


def test_the_chart_is_rendered_with_the_releases_values(file: Path, helm: str) -> None:
    said = done(file, "--chart", CHART, "--helm", helm, "--verbose")
    assert "shirts.beta.example.com/prod/shirt: label added" in said


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ("valuesFrom: [{kind: ConfigMap, name: sizes}]", "ConfigMap sizes (values.yaml)"),
        ("valuesFrom: [{kind: Secret, name: sizes, valuesKey: a}]", "Secret sizes (a)"),
        ("chart: {spec: {chart: shirts, valuesFiles: [values-prod.yaml]}}", "values-prod.yaml"),
    ],
)
def test_values_from_elsewhere_must_be_told(field: str, named: str, file: Path, tmp_path: Path, helm: str) -> None:
    file.write_text(RELEASE.replace("  values:", f"  {field}\n  values:"))
    assert refused(flux(file, "--chart", CHART, "--helm", helm), 2) == (
        f"error: {file}: takes values from {named}, which it does not hold itself\n"
        "note: add --values with a file that holds these values\n"
        "note: or add --stream with a file that helm template wrote\n"
        "hint: postrender flux --help\n"
    )
    values = tmp_path / "values.yaml"
    values.write_text("size: S\n")
    done(file, "--chart", CHART, "--helm", helm, "--values", str(values))


@pytest.mark.parametrize(
    ("spec", "sources", "arguments"),
    [
        (
            {"chart": {"spec": {"chart": "shirts", "version": "1.x", "sourceRef": {"kind": "HelmRepository"}}}},
            SOURCES,
            ["shirts", "--repo=https://charts.example.com", "--version=1.x"],
        ),
        (
            {"chart": {"spec": {"chart": "shirts", "sourceRef": {"kind": "HelmRepository"}}}},
            SOURCES.replace('"https://charts.example.com"', '"oci://example.com/charts/", type: oci'),
            ["oci://example.com/charts/shirts"],
        ),
        (
            {"chartRef": {"kind": "OCIRepository"}},
            SOURCES.replace("HelmRepository", "OCIRepository").replace(
                '"https://charts.example.com"', '"oci://example.com/shirts", ref: {tag: 1.2.3}'
            ),
            ["oci://example.com/shirts", "--version=1.2.3"],
        ),
    ],
)
def test_the_chart_is_found_by_the_sources_of_the_file(
    spec: dict[str, dict[str, object]], sources: str, arguments: list[str], tmp_path: Path
) -> None:
    text = json.dumps(spec).replace('Repository"', 'Repository", "name": "shop"')
    file = tmp_path / "release.yaml"
    file.write_text(
        f"{sources}apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\n"
        f"metadata: {{name: shirts, namespace: prod}}\nspec: {text}\n"
    )
    fake = tmp_path / "helm"
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo v3.21.4 && exit\necho "$@" > {tmp_path}/called\necho "{manifest}"\n'
    )
    fake.chmod(0o755)
    done(file, "--helm", str(fake), "--", "--kube-version=1.34")
    called = (tmp_path / "called").read_text().split()
    assert called[:3] == ["template", "shirts", arguments[0]]
    assert set(arguments[1:]) <= set(called)
    assert called[-1] == "--kube-version=1.34"


def test_the_release_is_the_one_that_the_controller_installs(file: Path) -> None:
    def stamps(extra: str) -> set[str]:
        file.write_text(RELEASE.replace("  interval:", f"{extra}  interval:"))
        done(file, "--stream", "-", "--stamp", "all")
        return {line.split()[-1] for line in file.read_text().splitlines() if "meta.helm.sh" in line}

    assert stamps("") == {'"shirts"', '"prod"'}
    assert stamps("  targetNamespace: shop\n") == {'"shop-shirts"', '"shop"'}
    assert stamps("  releaseName: other\n  targetNamespace: shop\n") == {'"other"', '"shop"'}
    # ``ShortenName`` of helm-controller: 40 characters, a dash, the first 12 digits of the SHA-256.
    assert stamps(f"  releaseName: {'a' * 60}\n") == {f'"{"a" * 40}-11ee391211c6"', '"prod"'}


LIVE = """\
apiVersion: stable.example.com/v1
kind: Shirt
metadata:
  name: shirt
  namespace: prod
  resourceVersion: "7"
  labels: {app: shirts, app.kubernetes.io/managed-by: Helm}
  annotations: {meta.helm.sh/release-name: shirts, meta.helm.sh/release-namespace: prod}
spec: {size: S}
"""


def test_what_is_true_for_one_moment_only_is_refused(file: Path, tmp_path: Path) -> None:
    file.write_text(RELEASE.replace("  interval:", "  install: {disableTakeOwnership: true}\n  interval:"))
    before = file.read_text()
    live = tmp_path / "live.yaml"
    live.write_text(LIVE)
    stream = STREAM.split(b"---")[0] + b"spec: {size: L}\n"
    ended = flux(file, "--stream", "-", "--live", str(live), "--helm-version", "3.17.3", stdin=stream)
    assert refused(ended, 4) == (
        "error: shirts.stable.example.com/prod/shirt: needs its live spec stored instead of the chart's, "
        "which depends on the cluster's state and can't go in Git"
        " (PR311)\n"
        "note: use helm-controller 1.5.0 or later: its Helm 4 applies server-side (--controller-version 1.5.0)\n"
        "note: set spec.driftDetection.mode to enabled: the controller applies what Helm leaves unapplied\n"
        "note: or suspend the HelmRelease, run helm upgrade --install with postrender, and resume it\n"
        "hint: postrender explain PR311\n"
    )
    assert file.read_text() == before
    done(file, "--stream", "-", "--live", str(live), "--helm-version", "4.2.2", stdin=stream)


def test_a_pin_is_refused(file: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.yaml"
    live.write_text(f"{LIVE}---\n{LIVE.replace('stable', 'beta')}")
    stream = b"---\n".join(STREAM.split(b"---\n")[:2]).replace(b"}}\n", b"}}\nspec: {size: S}\n")
    stream = stream.replace(b"{name: shirt}", b"{name: shirt, labels: {app: shirts}}\nspec: {size: S}")
    ended = flux(file, "--stream", "-", "--live", str(live), "--helm-version", "3.16.4", stdin=stream)
    assert "needs its live resourceVersion, which depends on the cluster's state" in refused(ended, 4)


@pytest.mark.parametrize("flag", ["--adopt", "--on-drift"])
def test_nothing_that_writes_to_live_objects_is_taken(flag: str, file: Path) -> None:
    assert refused(flux(file, "--stream", "-", f"{flag}=orphans"), 2) == (
        f"error: unknown flag {flag}\nhint: postrender flux --help\n"
    )


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (
            STREAM + b"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: sizes, namespace: default}\n",
            "error: configmaps/default/sizes: is in the stream twice, in lines 9 and 13, "
            "which kustomize does not take\nnote: in the chart, rename one of them\n{again}",
        ),
        (
            b"apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n",
            "error: configmaps/prod/(generated): has no name, and kustomize takes no such object\n"
            "note: in the chart, give it a name\n{again}",
        ),
    ],
)
def test_a_stream_that_kustomize_would_not_take(stream: bytes, message: str, file: Path) -> None:
    again = f"hint: postrender flux {file} --stream - --stamp all\n"
    assert refused(flux(file, "--stream", "-", "--stamp", "all", stdin=stream), 4) == message.replace("{again}", again)
    assert file.read_text() == RELEASE


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("a: [\n", (), "error: {file}, line 2, column 1: cannot be read: not YAML: "),
        (
            "kind: ConfigMap\napiVersion: v1\n",
            (),
            "error: {file}: holds no HelmRelease of helm.toolkit.fluxcd.io\n",
        ),
        (RELEASE, ("--name", "a"), "error: {file}: holds no HelmRelease a of helm.toolkit.fluxcd.io\n"),
        (
            f"{RELEASE}---\n{RELEASE.replace('name: shirts', 'name: other')}",
            (),
            "error: {file}: holds 2 HelmReleases: shirts, other\nhint: postrender flux {file} --name shirts\n"
            "hint: postrender flux {file} --name other\n",
        ),
        (
            RELEASE.replace("  namespace: prod   # one namespace a team\n", ""),
            (),
            "error: {file}, line 2: the HelmRelease has no namespace\n"
            "note: add --namespace with the namespace of the HelmRelease\nhint: postrender flux --help\n",
        ),
        (
            RELEASE,
            (),
            "error: {file}: its chart can only be found in the cluster\n"
            "note: add --chart with the chart, as helm takes it\n"
            "note: or add --stream with a file that helm template wrote\nhint: postrender flux --help\n",
        ),
        (
            RELEASE.replace("  values:", f"  chart: {{spec: {{chart: {CHART}, sourceRef: {GIT}}}}}\n  values:"),
            (),
            "error: {file}: its chart can only be found in the cluster\n"
            f"note: with the folder of the same name\nhint: postrender flux {{file}} --chart {CHART}\n",
        ),
        (RELEASE, ("--stream", "no-such"), "error: no-such: cannot be read: No such file or directory\n"),
        (
            RELEASE,
            ("--stream", "-", "--", "--kube-version=1"),
            "error: --kube-version=1: flags behind -- are for helm template, and --stream is rendered\n",
        ),
    ],
)
def test_what_makes_no_sense(text: str, arguments: tuple[str, ...], message: str, file: Path) -> None:
    file.write_text(text)
    assert refused(flux(file, *arguments), 2).startswith(message.replace("{file}", str(file)))
    assert file.read_text() == text


def test_an_empty_stream_takes_no_patch_out(file: Path) -> None:
    done(file, "--stream", "-")
    before = file.read_text()
    for stdin in (b"", b"# nothing\n"):
        assert refused(flux(file, "--stream", "-", stdin=stdin), 3) == (
            "error: -: nothing was rendered, and all patches of postrender would be removed\n"
            "note: add --stream with a file that helm template wrote\n"
            f"hint: postrender flux {file} --stream -\n"
        )
    assert file.read_text() == before


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    assert refused(flux(file), 2) == (
        f"error: {file}: cannot be read: No such file or directory\nhint: postrender flux --help\n"
    )


def test_a_folder_that_cannot_be_written(file: Path) -> None:
    target = file.parent / "missing" / "patch.yaml"
    assert refused(flux(file, "--stream", "-", "--patch-file", str(target)), 2) == (
        f"error: {target}: cannot be written: No such file or directory\nhint: postrender flux --help\n"
    )


def test_a_chart_that_cannot_be_rendered(file: Path, tmp_path: Path, helm: str) -> None:
    message = refused(flux(file, "--chart", str(tmp_path / "none"), "--helm", helm), 3)
    assert message.startswith("error: the chart cannot be rendered: ")
    assert message.endswith(f"hint: {helm} template shirts {tmp_path}/none --namespace=prod --debug\n")
    assert os.listdir(tmp_path) == ["shirts.yaml"]
