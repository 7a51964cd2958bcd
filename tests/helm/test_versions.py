"""The table of what depends on Helm's version."""

from __future__ import annotations

import pytest

from postrender.helm.versions import BEHAVIOUR_CHANGES, NEWEST_TESTED, HelmVersion, Matching, behaviour_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3.12.3", HelmVersion(3, 12, 3)),
        ("v3.12.3", HelmVersion(3, 12, 3)),
        ("v3.12.3+g3a31588", HelmVersion(3, 12, 3)),
        ("3.17.0-rc.1", HelmVersion(3, 17, 0)),
        ("v4.3\n", HelmVersion(4, 3, 0)),
        ("", None),
        ("3", None),
        ("latest", None),
    ],
)
def test_parse(text: str, expected: HelmVersion | None) -> None:
    assert HelmVersion.parse(text) == expected


@pytest.mark.parametrize(
    ("version", "matching"),
    [
        ("3.2.0", Matching.KIND),
        ("3.17.0", Matching.KIND),
        ("3.17.1", Matching.GROUP_KIND),
        ("3.21.4", Matching.GROUP_KIND),
        ("4.0.0", Matching.GROUP_VERSION_KIND),
        ("4.1.0", Matching.GROUP_VERSION_KIND),
        ("4.1.1", Matching.GROUP_KIND),
        ("4.3.1", Matching.GROUP_KIND),
    ],
)
def test_what_two_manifests_must_share(version: str, matching: Matching) -> None:
    parsed = HelmVersion.parse(version)
    assert parsed
    assert behaviour_of(parsed).matching is matching


def test_an_unknown_version_keeps_to_what_is_known() -> None:
    assert behaviour_of(HelmVersion(3, 0, 0)) == behaviour_of(HelmVersion(3, 2, 0))
    assert behaviour_of(HelmVersion(4, 99, 0)) == behaviour_of(NEWEST_TESTED[4])
    assert behaviour_of(HelmVersion(3, 99, 0)) == behaviour_of(NEWEST_TESTED[3])


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        *(("3.21.4", False), ("3.22.0", True)),
        *(("4.0.0", False), ("4.0.4", False), ("4.0.5", True)),
        *(("4.1.0", False), ("4.1.4", False), ("4.2.0", True), ("4.3.2", True)),
    ],
)
def test_an_object_that_is_in_no_stored_manifest_is_updated_from_its_live_state(version: str, expected: bool) -> None:
    parsed = HelmVersion.parse(version)
    assert parsed
    assert behaviour_of(parsed).updates_from_live is expected


def test_the_distinct_versions_behave_differently() -> None:
    ways = [behaviour_of(version) for version in BEHAVIOUR_CHANGES]
    assert len(set(ways)) == len(ways)
