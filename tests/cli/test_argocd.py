"""``postrender argocd`` as Argo CD's plugin server runs it: the commands of ``plugin.yaml`` in the chart's folder.

The environment is that of ``newEnv`` and ``getPluginEnvs`` (reposerver/repository/repository.go of 3.5.1).
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.tools import assets

EXAMPLE = Path(__file__).parents[2] / "examples" / "argocd"
PLUGIN = yaml.safe_load((EXAMPLE / "plugin.yaml").read_text())["spec"]
SHIRT = "stable.example.com/v1/Shirt"


class Ended(NamedTuple):
    code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the sidecar itself; nothing of ours but the programs is in it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "postrender").symlink_to(Path(sys.executable).with_name("postrender"))
    (folder / "helm").symlink_to(assets.helm("3.21.4"))
    return {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the example's chart in ``charts/shirts``."""
    root = tmp_path / "repository"
    (root / "charts").mkdir(parents=True)
    subprocess.run(["cp", "-r", EXAMPLE / "chart", root / "charts" / "shirts"], check=True)
    return root


def entries(parameters: list[dict[str, Any]], **plugin_env: str) -> dict[str, str]:
    """What Argo CD adds for an Application whose name is ``shirts``."""
    return {
        "ARGOCD_APP_NAME": "shirts",
        "ARGOCD_APP_NAMESPACE": "shop",
        "ARGOCD_APP_PROJECT_NAME": "default",
        "ARGOCD_APP_REVISION": "0123456789abcdef",
        "ARGOCD_APP_SOURCE_PATH": "charts/shirts",
        "ARGOCD_APP_SOURCE_REPO_URL": "https://git.example.com/shop.git",
        "KUBE_VERSION": "1.34.3",
        "KUBE_API_VERSIONS": f"apps/v1,apps/v1/Deployment,stable.example.com/v1,{SHIRT},v1,v1/ConfigMap",
        **{f"ARGOCD_ENV_{name}": value for name, value in plugin_env.items()},
        "ARGOCD_APP_PARAMETERS": json.dumps(parameters),
    }


def command(what: dict[str, list[str]], folder: Path, environ: Mapping[str, str]) -> Ended:
    """``runCommand`` (cmpserver/plugin/plugin.go): a process group of its own, both streams read to their end."""
    argv = [*what["command"], *what.get("args", [])]
    with subprocess.Popen(
        argv, cwd=folder, env=dict(environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out.decode(), err.decode())


def generated(folder: Path, environ: Mapping[str, str]) -> Ended:
    """``generateManifest``: init, then generate; what ends with anything but 0 ends it."""
    started = command(PLUGIN["init"], folder, environ)
    return started if started.code else command(PLUGIN["generate"], folder, environ)


def objects(ended: Ended) -> list[dict[str, Any]]:
    assert ended.code == 0, ended.stderr
    return list(yaml.safe_load_all(ended.stdout))


def failed(ended: Ended, code: int) -> str:
    """What Argo CD shows of a plugin that failed."""
    assert ended.code == code, ended.stderr
    assert ended.stdout == ""
    return ended.stderr


@pytest.fixture
def app(repository: Path) -> Path:
    return repository / "charts" / "shirts"


def test_the_chart_is_rendered_for_the_application(app: Path, sidecar: dict[str, str]) -> None:
    crd, shirt = objects(generated(app, {**sidecar, **entries([])}))
    assert crd["kind"] == "CustomResourceDefinition"
    assert shirt == {
        "apiVersion": "stable.example.com/v1",
        "kind": "Shirt",
        "metadata": {"name": "shirt", "annotations": {"helm.sh/resource-policy": "keep"}},
        "spec": {"size": "M"},
    }


def test_without_a_lookup_no_live_value_is_kept(app: Path, sidecar: dict[str, str]) -> None:
    (app / "templates" / "login.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\n  annotations:\n"
        "    postrender/keep-live: data.password\ndata:\n  password: bmV3\n"
    )
    ended = generated(app, {**sidecar, **entries([])})
    assert next(each for each in objects(ended) if each["kind"] == "Secret")["data"] == {"password": "bmV3"}
    said = " ".join(ended.stderr.split())
    text = "has the chart's value of data.password, not the live one: no live object is looked up (PR321)"
    assert said.count(f"warning: secrets/shop/login: {text}") == 1


def test_the_parameters_reach_helm(app: Path, sidecar: dict[str, str]) -> None:
    (app / "templates" / "all.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\ndata:\n"
        "  release: {{ .Release.Name }}/{{ .Release.Namespace }}\n"
        "  versions: {{ .Capabilities.KubeVersion.Version }} {{ .Capabilities.APIVersions.Has "
        f'"{SHIRT}" }}}} {{{{ .Capabilities.APIVersions.Has "other/v1" }}}}\n'
        "  values: {{ .Values.size }} {{ .Values.a | quote }} {{ kindOf .Values.n }} {{ kindOf .Values.s }}"
        " {{ .Values.l }}\n"
        "  inline: {{ .Values.inline }}\n"
    )
    given: list[dict[str, Any]] = [
        {"name": "values-files", "array": ["values-prod.yaml"]},
        {"name": "values", "string": "inline: yes-it-is\nsize: XS\n"},
        {"name": "parameters", "map": {"a": "x,y", "n": "1", "l": "{p,q}"}},
        {"name": "string-parameters", "map": {"s": "1"}},
        {"name": "skip-crds", "string": "true"},
    ]
    found = {each["kind"]: each for each in objects(generated(app, {**sidecar, **entries(given)}))}
    assert set(found) == {"Shirt", "ConfigMap"}
    assert found["ConfigMap"]["data"] == {
        "release": "shirts/shop",
        "versions": "v1.34.3 true false",
        "values": 'XS "x,y" int64 string [p q]',
        "inline": "yes-it-is",
    }


def test_names_and_versions_of_its_own(app: Path, sidecar: dict[str, str]) -> None:
    (app / "templates" / "all.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\ndata:\n"
        "  all: {{ .Release.Name }}/{{ .Release.Namespace }} {{ .Capabilities.KubeVersion.Version }}"
        ' {{ .Capabilities.APIVersions.Has "other/v1" }}\n'
    )
    given: list[dict[str, Any]] = [
        {"name": "release-name", "string": "other"},
        {"name": "namespace", "string": "there"},
        {"name": "kube-version", "string": "1.30.0"},
        {"name": "api-versions", "array": ["other/v1"]},
        {"name": "stamp", "string": "all"},
    ]
    found = {each["kind"]: each for each in objects(generated(app, {**sidecar, **entries(given)}))}
    assert found["ConfigMap"]["data"] == {"all": "other/there v1.30.0 true"}
    assert found["Shirt"]["metadata"]["annotations"]["meta.helm.sh/release-name"] == "other"


def test_an_application_of_another_namespace_has_its_name_alone(app: Path, sidecar: dict[str, str]) -> None:
    environ = {**sidecar, **entries([]), "ARGOCD_APP_NAME": "team_shirts", "POSTRENDER_STAMP": "all"}
    shirt = objects(generated(app, environ))[-1]
    assert shirt["metadata"]["annotations"]["meta.helm.sh/release-name"] == "shirts"


def test_stamps_and_labels_need_no_cluster(app: Path, sidecar: dict[str, str]) -> None:
    (app / "templates" / "beta.yaml").write_text(
        "apiVersion: beta.example.com/v1\nkind: Shirt\nmetadata: {name: shirt}\n"
    )
    done = generated(app, {**sidecar, **entries([], POSTRENDER_STAMP="all")})
    labels = [each["metadata"].get("labels") for each in objects(done)]
    helm = {"app.kubernetes.io/managed-by": "Helm"}
    # The definition is from the chart's folder crds/, to which Helm writes no ownership metadata.
    assert labels == [
        None,
        {**helm, "postrender/group-kind": "Shirt.beta.example.com"},
        {**helm, "postrender/group-kind": "Shirt.stable.example.com"},
    ]
    assert "argocd.argoproj.io/tracking-id" not in done.stdout
    said = " ".join(done.stderr.split())
    assert said.startswith(
        "postrender: Argo CD Application shirts, release shop/shirts, no cluster was asked: 2 of 3 objects modified "
    )
    assert "the destination does not serve beta.example.com/v1 Shirt, so that its sync will fail" in said
    # This one is defined by the chart itself.
    assert "stable.example.com/v1 Shirt, so" not in said


def test_keep_does_not_stop_pruning_and_can_be_made_to(app: Path, sidecar: dict[str, str]) -> None:
    done = generated(app, {**sidecar, **entries([])})
    assert "(PR602)" in done.stderr
    given = [{"name": "prune-false", "string": "true"}]
    asked = generated(app, {**sidecar, **entries(given), "POSTRENDER_VERBOSE": "true"})
    annotations = objects(asked)[-1]["metadata"]["annotations"]
    assert annotations == {"helm.sh/resource-policy": "keep", "argocd.argoproj.io/sync-options": "Prune=false"}
    assert "(PR602)" not in asked.stderr
    assert "pruning disabled" in asked.stderr


def test_who_goes_before_whom(app: Path, sidecar: dict[str, str]) -> None:
    """The operator's flag, the Application's parameter, its variable, the sidecar's variable."""

    def stamped(argument: str, parameter: str, plugin_env: str, own: str) -> bool:
        what = {"command": ["postrender", "argocd", "generate", *([f"--stamp={argument}"] if argument else [])]}
        given = [{"name": "stamp", "string": parameter}] if parameter else []
        environ = {**sidecar, **entries(given, **({"POSTRENDER_STAMP": plugin_env} if plugin_env else {}))}
        return "meta.helm.sh" in command(what, app, {**environ, **({"POSTRENDER_STAMP": own} if own else {})}).stdout

    assert stamped("all", "none", "none", "none")
    assert stamped("", "all", "none", "none")
    assert stamped("", "", "all", "none")
    assert stamped("", "", "", "all")
    assert not stamped("none", "all", "all", "all")


def test_an_application_cannot_send_the_sidecars_credentials_anywhere(app: Path, sidecar: dict[str, str]) -> None:
    own = {"POSTRENDER_KUBE_APISERVER": "https://127.0.0.1:9", "POSTRENDER_LOOK_UP": "true"}
    done = generated(app, {**sidecar, **entries([], **own)})
    assert "no cluster was asked" in " ".join(done.stderr.split())
    assert done.code == 0
    message = failed(command(PLUGIN["generate"], app, {**sidecar, **entries([]), **own}), 5)
    assert "127.0.0.1:9" in message


def test_nothing_rendered_is_an_error(app: Path, sidecar: dict[str, str]) -> None:
    (app / "templates" / "shirt.yaml").write_text("# nothing\n")
    given = [{"name": "skip-crds", "string": "true"}]
    assert failed(generated(app, {**sidecar, **entries(given)}), 3) == (
        "error: Application shirts: the chart renders to nothing, and Argo CD would prune all that it had\n"
        "note: with the same values\nhint: helm template shirts .\n"
    )


def test_a_chart_that_cannot_be_rendered(app: Path, sidecar: dict[str, str]) -> None:
    (app / "templates" / "shirt.yaml").write_text("{{ fail `not so` }}\n")
    assert failed(generated(app, {**sidecar, **entries([])}), 3) == (
        "error: the chart cannot be rendered: execution error at (shirts/templates/shirt.yaml:1:3): not so\n"
        "\nUse --debug flag to render out invalid YAML\n"
        "hint: helm template shirts . --namespace=shop --include-crds --debug\n"
    )


@pytest.mark.parametrize(
    ("path", "cause"),
    [
        ("../../../secret.yaml", "is not a file of the repository"),
        ("link.yaml", "is not a file of the repository"),
        ("https://example.com/values.yaml", "is not a file of the repository"),
        ("no-such.yaml", "is not there"),
        ("a,b.yaml", "has a comma in its path, where Helm splits it"),
    ],
)
def test_values_files_are_files_of_the_repository(
    path: str, cause: str, app: Path, tmp_path: Path, sidecar: dict[str, str]
) -> None:
    (tmp_path / "secret.yaml").write_text("size: stolen\n")
    (app / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (app / "a,b.yaml").write_text("size: M\n")
    given = [{"name": "values-files", "array": [path]}]
    assert failed(generated(app, {**sidecar, **entries(given)}), 2) == (
        f"error: values file {path}: {cause}\nhint: postrender argocd --help\n"
    )


def test_values_files_from_the_root_and_from_beside(repository: Path, app: Path, sidecar: dict[str, str]) -> None:
    (repository / "shared.yaml").write_text("size: S\n")
    for path in ("/shared.yaml", "../../shared.yaml"):
        given = [{"name": "values-files", "array": [path]}]
        assert objects(generated(app, {**sidecar, **entries(given)}))[-1]["spec"] == {"size": "S"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            '[{"name": "value-files", "array": []}]',
            "parameter value-files: unknown parameter\n"
            "note: did you mean values-files?\n"
            "note: did you mean values?\n"
            "hint: postrender argocd params\n",
        ),
        (
            '[{"name": "values-files", "string": "a"}]',
            "parameter values-files: takes an array of strings\n"
            "note: write it as spec.source.plugin.parameters: [{name: values-files, array: ...}]\n",
        ),
        ('[{"name": "skip-crds", "string": "maybe"}]', "parameter skip-crds: 'maybe' is neither true nor false\n"),
        ("{", "ARGOCD_APP_PARAMETERS: is not JSON\n"),
        ('{"name": "values"}', "ARGOCD_APP_PARAMETERS: is not a JSON list\n"),
        ('[{"name": "stamp", "string": "some"}]', "POSTRENDER_STAMP: invalid value 'some'; choose adopt, all, none\n"),
        (
            '[{"name": "release-name", "string": "A_b"}]',
            "the Application's release: 'A_b' is no release name: it takes lower-case letters, digits, - and ., "
            "at most 53 of them\n",
        ),
    ],
)
def test_parameters_that_make_no_sense(parameters: str, message: str, app: Path, sidecar: dict[str, str]) -> None:
    environ = {**sidecar, **entries([]), "ARGOCD_APP_PARAMETERS": parameters}
    hint = "" if "hint: " in message or "note: " in message else "hint: postrender argocd --help\n"
    assert failed(command(PLUGIN["generate"], app, environ), 2) == f"error: {message}{hint}"


@pytest.mark.parametrize("parameters", ["null", "", "[]"])
def test_no_parameters(parameters: str, app: Path, sidecar: dict[str, str]) -> None:
    assert objects(command(PLUGIN["generate"], app, {**sidecar, **entries([]), "ARGOCD_APP_PARAMETERS": parameters}))


def test_outside_argo_cd(app: Path, sidecar: dict[str, str]) -> None:
    assert failed(command(PLUGIN["generate"], app, sidecar), 2) == (
        "error: ARGOCD_APP_NAME: is not set: Argo CD sets it for its plugins\nhint: postrender argocd --help\n"
    )


def test_the_parameters_are_announced_as_argo_cd_reads_them(app: Path, sidecar: dict[str, str]) -> None:
    done = command(PLUGIN["parameters"]["dynamic"], app, sidecar)
    announced = json.loads(done.stdout)
    assert {each["collectionType"] for each in announced} == {"string", "array", "map"}
    assert {key for each in announced for key in each} <= {"name", "title", "tooltip", "collectionType", "itemType"}
    assert [each["name"] for each in announced][:2] == ["values-files", "values"]


def test_the_time_limit_is_a_little_less_than_argo_cds(app: Path, sidecar: dict[str, str], tmp_path: Path) -> None:
    slow = tmp_path / "helm"
    slow.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.21.4 && exit\nexec sleep 60\n')
    slow.chmod(0o755)
    what = {"command": ["postrender", "argocd", "generate", "--helm", str(slow)]}
    started = time.monotonic()
    done = command(what, app, {**sidecar, **entries([]), "ARGOCD_EXEC_TIMEOUT": "4s"})
    assert time.monotonic() - started < 20
    assert failed(done, 3) == (
        "error: gave up after 2 s, before Argo CD would\n"
        "note: raise ARGOCD_EXEC_TIMEOUT of the sidecar and controller.repo.server.timeout.seconds\n"
    )
    bad = command(what, app, {**sidecar, **entries([]), "ARGOCD_EXEC_TIMEOUT": "4"})
    assert failed(bad, 2) == (
        "error: ARGOCD_EXEC_TIMEOUT: '4' is not a duration such as 2m30s\nhint: postrender argocd --help\n"
    )


def test_ended_by_argo_cd_it_leaves_no_file(app: Path, sidecar: dict[str, str], tmp_path: Path) -> None:
    slow, temporary = tmp_path / "helm", tmp_path / "tmp"
    temporary.mkdir()
    slow.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v3.21.4 && exit\ntouch {tmp_path}/called\nexec sleep 60\n')
    slow.chmod(0o755)
    given = [{"name": "values", "string": "password: s3cr3t"}]
    process = subprocess.Popen(
        ["postrender", "argocd", "generate", "--helm", str(slow)],
        cwd=app,
        env={**sidecar, **entries(given), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        while not (tmp_path / "called").exists():
            time.sleep(0.05)
        assert os.listdir(temporary)
        os.killpg(process.pid, signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
    assert (process.returncode, out, os.listdir(temporary)) == (143, b"", [])


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def charts(tmp_path: Path) -> Iterator[str]:
    """The address of a chart repository that has the chart ``socks``."""
    folder = tmp_path / "charts"
    chart = folder / "socks"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: socks\nversion: 1.2.3\n")
    (chart / "templates" / "socks.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: socks}\n")
    with tarfile.open(folder / "socks-1.2.3.tgz", "w:gz") as archive:
        archive.add(chart, "socks")
    (folder / "index.yaml").write_text(
        "apiVersion: v1\nentries:\n  socks:\n"
        "  - {apiVersion: v2, name: socks, version: 1.2.3, urls: [socks-1.2.3.tgz]}\n"
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def depends(app: Path, repository: str) -> None:
    with (app / "Chart.yaml").open("a") as file:
        file.write(f"dependencies:\n- {{name: socks, version: 1.2.3, repository: {repository}}}\n")


def test_init_downloads_what_the_chart_depends_on(app: Path, sidecar: dict[str, str], charts: str) -> None:
    depends(app, charts)
    done = generated(app, {**sidecar, **entries([])})
    assert {each["metadata"]["name"] for each in objects(done)} >= {"socks", "shirt"}
    assert os.listdir(app / "charts") == ["socks-1.2.3.tgz"]


def test_init_with_a_lock_file_and_a_neighbour(app: Path, sidecar: dict[str, str]) -> None:
    socks = app.parent / "socks"
    (socks / "templates").mkdir(parents=True)
    (socks / "Chart.yaml").write_text("apiVersion: v2\nname: socks\nversion: 1.2.3\n")
    (socks / "templates" / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: socks}\n")
    depends(app, "file://../socks")
    assert {each["metadata"]["name"] for each in objects(generated(app, {**sidecar, **entries([])}))} >= {"socks"}
    for archive in (app / "charts").iterdir():
        archive.unlink()
    assert (app / "Chart.lock").exists()
    assert {each["metadata"]["name"] for each in objects(generated(app, {**sidecar, **entries([])}))} >= {"socks"}


def test_no_command_prints_nothing(app: Path, sidecar: dict[str, str], charts: str) -> None:
    """Argo CD logs a warning for one that does (``runCommand``)."""
    environ = {**sidecar, **entries([])}
    assert command(PLUGIN["init"], app, environ) == (0, "no dependencies to download\n", "")
    depends(app, charts)
    assert command(PLUGIN["init"], app, environ)[:2] == (0, "dependencies downloaded\n")
    assert command(PLUGIN["init"], app, environ) == (0, "no dependencies to download\n", "")


def test_init_that_fails_ends_it(app: Path, sidecar: dict[str, str]) -> None:
    depends(app, "http://127.0.0.1:9")
    message = failed(generated(app, {**sidecar, **entries([])}), 3)
    assert message.startswith("error: the chart's dependencies are not available: ")
    assert message.endswith(
        "\nhint: helm dependency build\nnote: or commit what helm dependency build puts into charts/\n"
    )


def test_init_of_a_folder_that_is_no_chart(tmp_path: Path, sidecar: dict[str, str]) -> None:
    assert failed(command(PLUGIN["init"], tmp_path, {**sidecar, **entries([])}), 3) == (
        f"error: {tmp_path}: is not a chart: Chart.yaml: No such file or directory\n"
        f"note: correct spec.source.path of the Application\n"
    )


def test_the_examples_are_what_argo_cd_takes() -> None:
    """As ``ValidatePluginConfig`` (cmpserver/plugin/config.go), and names that agree."""
    plugin = yaml.safe_load((EXAMPLE / "plugin.yaml").read_text())
    assert plugin["kind"] == "ConfigManagementPlugin"
    assert set(plugin["spec"]) <= {"version", "init", "generate", "discover", "parameters", "preserveFileMode"}
    patch = yaml.safe_load((EXAMPLE / "sidecar-patch.yaml").read_text())
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["command"][0] == "/var/run/argocd/argocd-cmp-server"
    assert container["securityContext"]["runAsUser"] == 999
    application = yaml.safe_load((EXAMPLE / "application.yaml").read_text())
    assert application["spec"]["source"]["plugin"]["name"] == plugin["metadata"]["name"]


def test_the_example_application_is_rendered(app: Path, sidecar: dict[str, str]) -> None:
    plugin = yaml.safe_load((EXAMPLE / "application.yaml").read_text())["spec"]["source"]["plugin"]
    shirt = objects(generated(app, {**sidecar, **entries(plugin["parameters"])}))[-1]
    assert shirt["spec"] == {"size": "XL"}
    assert shirt["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"
