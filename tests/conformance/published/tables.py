"""The published tables, each with what it is compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.conformance.published import patches, releases, server_side, texts
from tests.conformance.published.result import Result, Table, compare
from tests.tools import gotables

CLI_UTILS = "0.37.2"


def _recorded(name: str, model: str, differs: Callable[[Any], str]) -> Table:
    return _table(name, model, lambda: compare(gotables.calls(name), differs))


def _text(name: str) -> Table:
    return _table(name, _READER, lambda: texts.recorded(name))


def _table(name: str, model: str, run: Callable[[], Result]) -> Table:
    module, version, package, *_ = gotables.RECORDINGS[name]
    return Table(f"{module}/{package}".rstrip("/"), version, model, run)


def _left_out(source: str, version: str, cases: int, reason: str) -> Table:
    return Table(source, version, "none", lambda: Result(excluded=Counter({reason: cases})))


_READER = "postrender/manifest"
_PATCH = "postrender/helm/patch"
_SERVER_SIDE = "postrender/helm/server_side"
_STORAGE = "postrender/helm/storage"
TABLES = (
    _table("strategicpatch", _PATCH, patches.strategic),
    _recorded("jsonmergepatch", _PATCH, patches.three_way_merge),
    _recorded("json-patch of the API server", _PATCH, patches.json_patch(applied=True, exact_numbers=False)),
    _recorded("json-patch of Helm 3", _PATCH, patches.json_patch(applied=False, exact_numbers=False)),
    _recorded("json-patch of Helm 4", _PATCH, patches.json_patch(applied=False, exact_numbers=True)),
    *(
        Table(
            "sigs.k8s.io/structured-merge-diff/v6/merge",
            version,
            _SERVER_SIDE,
            lambda version=version: server_side.applies(version),  # type: ignore[misc]
        )
        for version in gotables.STRUCTURED_MERGE_DIFF
    ),
    *(
        _table(f"typed values {version}", _SERVER_SIDE, lambda version=version: server_side.typed_values(version))  # type: ignore[misc]
        for version in gotables.STRUCTURED_MERGE_DIFF
    ),
    _recorded("sets of fields", "postrender/helm/field_set.py", server_side.sets_of_fields),
    Table(
        "k8s.io/client-go/util/csaupgrade",
        gotables.CLIENT_GO,
        _SERVER_SIDE,
        server_side.migrations,
    ),
    _text("sigs.k8s.io/yaml"),
    _text("go-yaml"),
    Table("YAML test suite", f"in {texts.SUITE[0]} {texts.SUITE[1]}", _READER, texts.suite),
    _text("decoder"),
    *(
        _recorded(f"Helm {major} {name}", model, differs)
        for major in sorted(gotables.HELMS)
        for name, model, differs in (
            ("patches", _PATCH, patches.of_helm(major)),
            ("owners", "postrender/helm/ownership.py", releases.owners(major)),
            ("manifests", "postrender/helm/objects.py", releases.manifests),
            ("records", _STORAGE, releases.records),
            ("revisions", _STORAGE, releases.revisions),
        )
    ),
    *(
        Table(
            f"charts of helm.sh/helm/v{major}",
            gotables.HELMS[major],
            f"{_READER}, {_READER}/edit",
            lambda major=major: texts.charts(major),  # type: ignore[misc]
        )
        for major in sorted(gotables.HELMS)
    ),
    _left_out(
        "sigs.k8s.io/cli-utils/pkg/inventory",
        CLI_UTILS,
        21,
        "policies of an inventory: Helm has none, and postrender keeps to Helm's check of the owner",
    ),
    _left_out(
        "github.com/rancher/fleet",
        "",
        7,
        "adoption by Fleet's own copy of Helm, which is not published as a Go module; it calls no post-renderer",
    ),
)
