"""``examples/operator`` as a real operator: kopf runs its handlers against a cluster, and they run a real Helm."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.callers.operator import CHART, HELM, asked_for, start
from tests.e2e.api import Namespace, wait_until
from tests.e2e.charts import chart, manifest
from tests.e2e.controlplane import ControlPlane, serve
from tests.e2e.helm import HelmFactory
from tests.e2e.kinds import CONFIG_MAP, STABLE_SHIRT, definition


@contextmanager
def operator(control_plane: ControlPlane, namespace: Namespace, folder: Path) -> Iterator[None]:
    """The example's handlers under ``kopf run``, for one namespace."""
    running = start(control_plane, namespace, folder, {})
    try:
        yield
    except BaseException as error:
        log = (folder / "kopf.log").read_text()
        error.add_note(log) if hasattr(error, "add_note") else print(log)
        raise
    finally:
        running.terminate()
        running.wait(30)


@pytest.fixture(scope="module")
def charts_are_served(control_plane: ControlPlane) -> None:
    serve(control_plane.api, [definition(CHART)])


def shop(folder: Path, size: str) -> Path:
    return chart(
        folder,
        {
            "shirt": manifest(STABLE_SHIRT, "shirt", {"size": size}, keep=True),
            "sizes": manifest(CONFIG_MAP, "sizes", {"size": size}),
        },
    )


def status(namespace: Namespace, name: str) -> dict[str, Any]:
    return dict(namespace.found(CHART, name).get("status") or {})


@pytest.mark.usefixtures("charts_are_served")
def test_it_installs_takes_back_what_was_kept_and_refuses_what_another_release_owns(
    control_plane: ControlPlane, namespace: Namespace, helm: HelmFactory, tmp_path: Path
) -> None:
    it = helm(HELM)
    with operator(control_plane, namespace, tmp_path):
        namespace.create(asked_for("shop", shop(tmp_path, "M")), CHART)
        wait_until(lambda: status(namespace, "shop").get("ready") is True, "the status of shop")
        wait_until(lambda: len(namespace.releases("shop")) == 1, "release shop")
        wait_until(lambda: namespace.get(CONFIG_MAP, "sizes") is not None, "the objects of shop")
        assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M"}

        # What another installed release owns is not touched, and the status names the owner.
        namespace.create(asked_for("other", shop(tmp_path, "L")), CHART)
        wait_until(lambda: status(namespace, "other").get("reason") == "Refused", "the status of other")
        found = status(namespace, "other")
        assert found["ready"] is False
        refusals = [each["message"] for each in found["objects"] if each["code"] == "PR101"]
        assert len(refusals) == 2
        assert all(f"owned by installed release {namespace.name}/shop" in each for each in refusals)
        assert namespace.releases("other") == []
        assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M"}

        # The kept object comes back with the next change of the resource, the changed chart in it.
        wait_until(lambda: namespace.releases("shop")[0].status == "deployed", "release shop")
        uid = namespace.uid(STABLE_SHIRT, "shirt")
        it.uninstall("shop").expect_ok()
        namespace.patch(CHART, "shop", {"spec": {"chart": str(shop(tmp_path, "XL"))}})
        wait_until(lambda: len(namespace.releases("shop")) == 1, "release shop again")
        wait_until(lambda: namespace.releases("shop")[0].status == "deployed", "release shop again")
        assert namespace.uid(STABLE_SHIRT, "shirt") == uid
        assert namespace.content(STABLE_SHIRT, "shirt") == {"size": "M"}

        # What this install left out, the next event's upgrade applies.
        namespace.patch(CHART, "shop", {"metadata": {"labels": {"again": "true"}}})
        wait_until(lambda: namespace.content(STABLE_SHIRT, "shirt") == {"size": "XL"}, "the chart's size")
        assert namespace.uid(STABLE_SHIRT, "shirt") == uid
