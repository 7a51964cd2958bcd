"""What Go libraries do in their own tests: each call with its result, printed by a copy that was made to record it.

Nothing of the libraries is kept here: their source comes from Go's module cache, and the record is made once, in the
cache folder of ``assets``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from postrender.helm.versions import NEWEST_TESTED
from tests.tools import assets

STRUCTURED_MERGE_DIFF = ("6.3.0", "6.3.2", "6.4.2")
"""The versions that Kubernetes 1.34, 1.36.0 and 1.37 are built from; 6.3.2 leaves something else of an emptied map."""
CLIENT_GO = "0.36.2"
"""Of this client-go the migration of field ownership."""
HELMS = {major: str(version) for major, version in NEWEST_TESTED.items()}

_SOURCES = Path(__file__).parent / "gotables"
_MARK = "@@"

Calls = dict[str, list[dict[str, Any]]]
"""Recorded calls by the Go test that made them, in order."""


class Recording(NamedTuple):
    """Which calls are recorded.

    ``texts`` are texts of the package's files, each there once, with what replaces them: mostly the name of a function,
    whose old name one of ``wrappers`` takes. ``words`` are filled into the wrappers. ``run`` chooses tests.
    """

    module: str
    version: str
    package: str
    texts: Mapping[str, Mapping[str, str]]
    wrappers: Sequence[str]
    words: Mapping[str, str] = {}
    run: str = "^Test"


def _function(old: str, new: str) -> tuple[str, str]:
    """The head of a function, with another name."""
    return f"func {old}(", f"func {new}("


def _helm(major: int) -> str:
    return f"helm.sh/helm/v{major}"


def _json_patch(module: str, version: str) -> Recording:
    names = dict([_function("CreateMergePatch", "madeMergePatch"), _function("MergePatch", "appliedMergePatch")])
    return Recording(module, version, "", {"merge.go": names}, ["jsonpatch"], run="Merge")


def _kube(major: int) -> Recording:
    calls = {
        "strategic": "strategicpatch.CreateThreeWayMergePatch(oldData, newData, currentData, patchMeta, true)",
        "three_way_merge": (
            "jsonmergepatch.CreateThreeWayJSONMergePatch(oldData, newData, currentData, preconditions...)"
        ),
        "merge": "jsonpatch.CreateMergePatch(oldData, newData)",
    }
    texts = {call: f'noted("{name}", oldData, newData, currentData)({call})' for name, call in calls.items()}
    run = "TestUpdate|TestCreatePatch|TestPatchResource|TestReplaceResource"
    return Recording(_helm(major), HELMS[major], "pkg/kube", {"client.go": texts}, ["kube"], run=run)


def _validate(major: int) -> Recording:
    texts = {
        "validate.go": dict(
            [_function("checkOwnership", "ownershipChecked"), _function("setMetadataVisitor", "metadataVisitor")]
        )
    }
    run = "TestCheckOwnership|TestSetMetadataVisitor|TestExistingResourceConflict|TestVerifyOwnership"
    if major < 4:
        return Recording(_helm(major), HELMS[major], "pkg/action", texts, ["validate"], run=run)
    texts["action.go"] = dict([_function("splitAndDeannotate", "deannotated")])
    run += "|Deannotate|TestRenderResources"
    return Recording(_helm(major), HELMS[major], "pkg/action", texts, ["validate", "filenames"], run=run)


def _sorter(major: int) -> Recording:
    package = "pkg/releaseutil" if major < 4 else "pkg/release/v1/util"
    texts = {
        "manifest.go": dict([_function("SplitManifests", "manifestsOf")]),
        "manifest_sorter.go": {"func (file *manifestFile) sort(": "func (file *manifestFile) sorted("},
    }
    words = {"PACKAGE": package.rpartition("/")[2]}
    return Recording(_helm(major), HELMS[major], package, texts, ["releaseutil"], words)


def _driver(major: int) -> Recording:
    texts = {
        "secrets.go": dict([_function("newSecretsObject", "madeSecretsObject")]),
        "cfgmaps.go": dict([_function("newConfigMapsObject", "madeConfigMapsObject")]),
        "util.go": dict([_function("decodeRelease", "decodedRelease")]),
    }
    words = {"RELEASE": f"{_helm(major)}/pkg/release{'/v1' if major >= 4 else ''}"}
    run = "^Test(Secret|UNcompressed|ConfigMap|Uncompressed)"  # not those of SQL, which need a database
    return Recording(_helm(major), HELMS[major], "pkg/storage/driver", texts, ["driver"], words, run)


def _storage(major: int) -> Recording:
    found = {"Deployed": "deployedOne", "Last": "lastOne"}
    names = {f"func (s *Storage) {name}(": f"func (s *Storage) {new}(" for name, new in found.items()}
    words = {
        "RELEASER": "found.Releaser" if major >= 4 else "*found.Release",
        "RELEASE": f"{_helm(major)}/pkg/release",
    }
    return Recording(_helm(major), HELMS[major], "pkg/storage", {"storage.go": names}, ["storage"], words)


_MERGE_DIFF = "sigs.k8s.io/structured-merge-diff/v6"


def _typed(version: str) -> Recording:
    heads = {"Validate": "validated", "ToFieldSet": "fieldSet", "Merge": "merged", "RemoveItems": "without"}
    texts = {
        "typed.go": {f"func (tv TypedValue) {old}(": f"func (tv TypedValue) {new}(" for old, new in heads.items()},
        "reconcile_schema.go": dict([_function("ReconcileFieldSetWithSchema", "reconciled")]),
    }
    return Recording(_MERGE_DIFF, version, "typed", texts, ["typed"])


def _field_sets(version: str) -> Recording:
    heads = {
        "Union": "united",
        "Intersection": "common",
        "Difference": "without",
        "RecursiveDifference": "withoutBelow",
        "Leaves": "ends",
        "EnsureNamedFieldsAreMembers": "named",
    }
    texts = {
        "set.go": {f"func (s *Set) {old}(": f"func (s *Set) {new}(" for old, new in heads.items()},
        "serialize.go": {"func (s *Set) FromJSON(": "func (s *Set) read("},
    }
    return Recording(_MERGE_DIFF, version, "fieldpath", texts, ["fieldpath"])


_APIMACHINERY = ("k8s.io/apimachinery", "0.37.1")
RECORDINGS = {
    "strategicpatch": Recording(
        *_APIMACHINERY,
        "pkg/util/strategicpatch",
        {
            "patch.go": dict(
                [
                    _function("CreateThreeWayMergePatch", "madeThreeWayMergePatch"),
                    _function("StrategicMergePatchUsingLookupPatchMeta", "strategicMergePatch"),
                ]
            )
        },
        ["strategicpatch"],
    ),
    "jsonmergepatch": Recording(
        *_APIMACHINERY,
        "pkg/util/jsonmergepatch",
        {
            "patch.go": dict(
                [
                    _function("CreateThreeWayJSONMergePatch", "madeThreeWay"),
                    _function("keepOrDeleteNullInObj", "nullsOnly"),
                ]
            )
        },
        ["jsonmergepatch"],
    ),
    "decoder": Recording(
        *_APIMACHINERY,
        "pkg/util/yaml",
        {
            "decoder.go": dict(
                [
                    _function("NewYAMLToJSONDecoder", "madeYAMLToJSONDecoder"),
                    _function("NewYAMLOrJSONDecoder", "madeYAMLOrJSONDecoder"),
                    _function("NewYAMLReader", "madeYAMLReader"),
                    _function("Unmarshal", "unmarshalled"),
                    _function("splitYAMLDocument", "split"),
                ]
            )
        },
        ["decoder"],
    ),
    "json-patch of the API server": _json_patch("gopkg.in/evanphx/json-patch.v4", "4.13.0"),
    "json-patch of Helm 3": _json_patch("github.com/evanphx/json-patch", "5.9.11+incompatible"),
    "json-patch of Helm 4": _json_patch("github.com/evanphx/json-patch/v5", "5.9.11"),
    "sigs.k8s.io/yaml": Recording(
        "sigs.k8s.io/yaml",
        "1.6.0",
        "",
        {"yaml.go": dict([_function("yamlToJSONTarget", "readToJSONTarget")])},
        ["sigsyaml"],
    ),
    "go-yaml": Recording(
        "go.yaml.in/yaml/v2",
        "2.4.4",
        "",
        {"yaml.go": dict([_function("unmarshal", "unmarshalled")])},
        ["goyaml"],
        run="^Test[^L]",  # not TestLimits, of texts that are megabytes long
    ),
    **{f"typed values {version}": _typed(version) for version in STRUCTURED_MERGE_DIFF},
    "sets of fields": _field_sets(STRUCTURED_MERGE_DIFF[-1]),
    **{f"Helm {major} patches": _kube(major) for major in HELMS},
    **{f"Helm {major} owners": _validate(major) for major in HELMS},
    **{f"Helm {major} manifests": _sorter(major) for major in HELMS},
    **{f"Helm {major} records": _driver(major) for major in HELMS},
    **{f"Helm {major} revisions": _storage(major) for major in HELMS},
}


def calls(name: str) -> Calls:
    """The calls of one of RECORDINGS; raises BuildError."""
    recording = RECORDINGS[name]
    wrappers = [_wrapper(each, recording.words) for each in recording.wrappers]
    mark = assets.digest(repr((recording, wrappers)).encode())
    file = f"recorded-{recording.module.replace('/', '+')}-{recording.version}-{mark}.json"
    return _calls(file, lambda target: _record(recording, "".join(wrappers), target))


def _wrapper(name: str, words: Mapping[str, str]) -> str:
    text = (_SOURCES / f"{name}.go.txt").read_text()
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


def _record(recording: Recording, wrapper: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "module"
        _copied(f"{recording.module}@v{recording.version}", "", place)
        package = place / recording.package
        for file, texts in recording.texts.items():
            for before, after in texts.items():
                _renamed(package / file, before, after)
        (package / "record.go").write_text(wrapper)
        if not (place / "go.mod").exists():
            (place / "go.mod").write_text(f"module {recording.module}\n")
            assets.go("mod", "tidy", cwd=place, GOFLAGS="-mod=mod")
        _recorded(place, f"./{recording.package}", target, recording.run)


def applies(version: str) -> Calls:
    """Each ``Updater.Apply`` by test of structured-merge-diff's package merge, in order."""
    return _calls(
        f"structured-merge-diff-{version}-{_digest('merge')}.json", lambda target: _record_applies(version, target)
    )


def migrations() -> Calls:
    """Each ``upgradedManagedFields`` and ``FindFieldsOwners`` by test of client-go's package util/csaupgrade."""
    return _calls(f"csaupgrade-{CLIENT_GO}-{_digest('csaupgrade')}.json", _record_migrations)


def _digest(wrapper: str) -> str:
    return assets.digest((_SOURCES / f"{wrapper}.go.txt").read_bytes())


def _calls(file: str, how: Callable[[Path], None]) -> Calls:
    return json.loads(assets.made(file, how).read_text())  # type: ignore[no-any-return]


def _record_applies(version: str, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "module"
        _copied(f"{_MERGE_DIFF}@v{version}", "", place)
        _renamed(place / "merge" / "update.go", "func (s *Updater) Apply(", "func (s *Updater) applied(")
        shutil.copy(_SOURCES / "merge.go.txt", place / "merge" / "record.go")
        _recorded(place, "./merge", target)


def _record_migrations(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "module"
        _copied(f"k8s.io/client-go@v{CLIENT_GO}", "util/csaupgrade", place)
        _renamed(place / "upgrade.go", "func upgradedManagedFields(", "func migrated(")
        _renamed(place / "upgrade.go", "func FindFieldsOwners(", "func fieldsOwners(")
        _renamed(place / "upgrade_test.go", '"k8s.io/client-go/util/csaupgrade"', '"csaupgrade"')
        shutil.copy(_SOURCES / "csaupgrade.go.txt", place / "record.go")
        (place / "go.mod").write_text(f"module csaupgrade\nrequire k8s.io/client-go v{CLIENT_GO}\n")
        assets.go("mod", "tidy", cwd=place, GOFLAGS="-mod=mod")
        _recorded(place, ".", target)


def _copied(module: str, under: str, place: Path) -> None:
    found = json.loads(assets.go("mod", "download", "-json", module))
    shutil.copytree(Path(found["Dir"]) / under, place)
    for folder, _, names in os.walk(place):
        for each in (folder, *(os.path.join(folder, name) for name in names)):
            os.chmod(each, os.stat(each).st_mode | 0o200)


def _renamed(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, f"{before} is not once in {path}"
    path.write_text(text.replace(before, after))


def _recorded(place: Path, package: str, target: Path, run: str = "^Test") -> None:
    done = subprocess.run(
        ["go", "test", "-trimpath", "-vet=off", "-count=1", "-parallel=1", "-v", "-run", run, package],
        cwd=place,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=mod"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise assets.BuildError(f"go test {package} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    made: Calls = {}
    name = ""
    for line in done.stdout.splitlines():
        words = line.split()
        if words[:1] == ["==="] and words[1] in ("RUN", "CONT", "NAME"):
            name = words[2]
            made.setdefault(name, [])
        elif line.startswith(_MARK):
            made[name].append(json.loads(line.removeprefix(_MARK)))
    # A test that only runs others calls nothing itself.
    parents = {name for name in made if any(other.startswith(f"{name}/") for other in made)}
    target.write_text(json.dumps({name: each for name, each in made.items() if each or name not in parents}))
