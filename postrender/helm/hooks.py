"""A hook as Helm reads its annotations.

``SortManifests`` (pkg/releaseutil/manifest_sorter.go of 3.2 to 3.22, pkg/release/v1/util/manifest_sorter.go of 4.0 to
4.3) trims and lower-cases events and policies.
"""

from __future__ import annotations

from collections.abc import Mapping

HOOK = "helm.sh/hook"
DELETE_POLICY = "helm.sh/hook-delete-policy"

_EVENTS = frozenset(
    f"{when}-{what}" for when in ("pre", "post") for what in ("install", "upgrade", "rollback", "delete")
) | {"test", "test-success"}


def events(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The events a hook names, in order; ``()`` for an object that is no hook."""
    return _words(annotations[HOOK]) if HOOK in annotations else ()


def unknown_events(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """The events that Helm does not know; with a single one it skips the object, whatever else it names."""
    return tuple(event for event in events(annotations) if event not in _EVENTS)


def deleted_before(annotations: Mapping[str, str]) -> bool:
    """Whether Helm deletes what is live under the hook's name before it runs the hook.

    That is the policy where none is written (``hookSetDeletePolicy``, pkg/action/hooks.go); an empty annotation is one
    that names no policy Helm knows, and nothing is deleted.
    """
    return DELETE_POLICY not in annotations or "before-hook-creation" in _words(annotations[DELETE_POLICY])


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in text.split(","))
