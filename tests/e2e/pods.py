"""A node on which Pods do as their label ``fate`` says: what a kubelet reports, without containers."""

from __future__ import annotations

import threading
from types import TracebackType

from tests.e2e.api import MERGE_PATCH, Api, ApiError, Object
from tests.e2e.kinds import Kind

NODE = Kind("", "v1", "Node", "nodes", namespaced=False)
NAME = "node"
_PHASES = {"runs": "Running", "succeeds": "Succeeded", "fails": "Failed"}
"""What becomes of a Pod; one with any other fate stays pending."""


class Node:
    """Looks after the Pods with ``nodeName: node`` for as long as it is open; a context manager."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        api.request("POST", NODE.path(""), {"metadata": {"name": NAME}})

    def __enter__(self) -> Node:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(0.2):
            pods = self._api.request("GET", "/api/v1/pods", query={"fieldSelector": f"spec.nodeName={NAME}"})["items"]
            for pod in pods:
                try:
                    self._look_after(pod)
                except ApiError as error:
                    if error.status not in (404, 409):  # Deleted, or changed, in the meantime.
                        raise

    def _look_after(self, pod: Object) -> None:
        about = pod["metadata"]
        path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}"
        phase = _PHASES.get(about["labels"].get("fate", ""))
        if "deletionTimestamp" in about:
            self._api.request("DELETE", path, {"gracePeriodSeconds": 0})
        elif phase and pod["status"]["phase"] != phase:
            ready = "True" if phase == "Running" else "False"
            conditions = [{"type": "Ready", "status": ready}]
            status = {"phase": phase, "conditions": conditions}
            self._api.request("PATCH", f"{path}/status", {"status": status}, content_type=MERGE_PATCH)
