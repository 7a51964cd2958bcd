"""Strategic merge patches, as the API server applies them."""

from __future__ import annotations

from tests.helm.patchcases.case import DEPLOYMENT, POD, SERVICE, Case, Json, pod


def _apply(name: str, kind: str, live: Json, patch: Json, result: Json = None, error: str = "") -> Case:
    return Case(name, "apply_strategic", (live, patch), result, error, kind)


APPLY_STRATEGIC = (
    _apply(
        "a null deletes",
        DEPLOYMENT,
        {"spec": {"paused": True, "replicas": 1}},
        {"spec": {"paused": None, "minReadySeconds": None}},
        {"spec": {"replicas": 1}},
    ),
    _apply(
        "an element is changed where it stands",
        POD,
        pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "y", "tty": True}]),
        pod(
            **{
                "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
                "containers": [{"name": "b", "image": "z", "tty": None}],
            }
        ),
        pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "z"}]),
    ),
    _apply(
        "what the server has of its own keeps its place among the others",
        POD,
        pod(containers=[{"name": "s"}, {"name": "a"}, {"name": "t"}, {"name": "b"}]),
        pod(**{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
        pod(containers=[{"name": "s"}, {"name": "t"}, {"name": "b"}, {"name": "a"}]),
    ),
    _apply(
        "a new element after one that goes, with one of the server's own",
        POD,
        pod(containers=[{"name": "a"}, {"name": "b"}, {"name": "s"}]),
        pod(
            **{
                "$setElementOrder/containers": [{"name": "n"}, {"name": "b"}],
                "containers": [{"name": "n"}, {"$patch": "delete", "name": "a"}],
            }
        ),
        pod(containers=[{"name": "s"}, {"name": "n"}, {"name": "b"}]),
    ),
    _apply(
        "a new element, with one of the server's own",
        POD,
        pod(containers=[{"name": "b"}, {"name": "s"}]),
        pod(**{"$setElementOrder/containers": [{"name": "n"}, {"name": "b"}], "containers": [{"name": "n"}]}),
        pod(containers=[{"name": "n"}, {"name": "b"}, {"name": "s"}]),
    ),
    _apply(
        "a deletion from a list that is gone",
        POD,
        {"spec": {}},
        pod(
            **{
                "$setElementOrder/containers": [],
                "containers": [{"$patch": "delete", "name": "a"}],
                "volumes": [{"$patch": "delete", "name": "v"}],
            }
        ),
        pod(containers=[], volumes=[]),
    ),
    _apply(
        "keys that are not retained go",
        DEPLOYMENT,
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
        {"spec": {"strategy": {"type": "Recreate"}}},
    ),
    _apply(
        "a key that is sent and not retained",
        DEPLOYMENT,
        {"spec": {"strategy": {}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}},
        error="invalid patch format of retainKeys",
    ),
    _apply(
        "finalizers",
        SERVICE,
        {"metadata": {"finalizers": ["x", "a", "b"]}},
        {
            "metadata": {
                "$deleteFromPrimitiveList/finalizers": ["a"],
                "$setElementOrder/finalizers": ["c", "b"],
                "finalizers": ["c"],
            }
        },
        {"metadata": {"finalizers": ["c", "x", "b"]}},
    ),
    _apply(
        "nulls in what is new",
        POD,
        {"spec": {}},
        pod(securityContext={"runAsUser": None}, containers=[{"name": "a", "env": None}]),
        pod(securityContext={}, containers=[{"name": "a"}]),
    ),
    _apply(
        "a null in an element that is new",
        POD,
        pod(containers=[{"name": "a"}]),
        pod(containers=[{"name": "b", "env": None}]),
        pod(containers=[{"name": "b", "env": None}, {"name": "a"}]),
    ),
    _apply(
        "an object is replaced",
        DEPLOYMENT,
        {"spec": {"strategy": {"type": "Recreate"}}},
        {"spec": {"strategy": {"$patch": "replace", "rollingUpdate": {}}}},
        {"spec": {"strategy": {"rollingUpdate": {}}}},
    ),
    _apply(
        "an object is emptied",
        DEPLOYMENT,
        {"spec": {"strategy": {"type": "Recreate"}}},
        {"spec": {"strategy": {"$patch": "delete"}}},
        {"spec": {"strategy": {}}},
    ),
    _apply(
        "a list is replaced",
        POD,
        pod(containers=[{"name": "a"}]),
        pod(containers=[{"name": "b"}, {"$patch": "replace"}]),
        pod(containers=[{"name": "b"}]),
    ),
    _apply(
        "a directive nobody knows",
        POD,
        pod(containers=[{"name": "a"}]),
        pod(containers=[{"$patch": "odd", "name": "a"}]),
        error="unknown patch type: odd in map: map[$patch:odd name:a]",
    ),
    _apply(
        "a directive that is not a text",
        DEPLOYMENT,
        {"spec": {"strategy": {}}},
        {"spec": {"strategy": {"$patch": 1}}},
        error="unknown patch type: %!s(int64=1) in map: map[$patch:1]",
    ),
    _apply(
        "a list to be merged",
        POD,
        pod(containers=[{"name": "a"}]),
        pod(containers=[{"$patch": "merge", "name": "a"}]),
        error="merging lists cannot yet be specified in the patch",
    ),
    _apply(
        "an order that is not a list",
        POD,
        {"spec": {}},
        {"spec": {"$setElementOrder/containers": 1}},
        error="expected a []interface {}, but received a int64",
    ),
    _apply(
        "an order of nothing",
        POD,
        {"spec": {}},
        {"spec": {"$setElementOrder": [], "containers": []}},
        error="invalid patch format of setElementOrder list",
    ),
    _apply(
        "a deletion of nothing",
        SERVICE,
        {"metadata": {}},
        {"metadata": {"$deleteFromPrimitiveList": ["a"]}},
        error="invalid patch format of primitive list",
    ),
    _apply(
        "an order that lacks what is sent",
        POD,
        pod(containers=[{"name": "a"}]),
        pod(**{"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b"}]}),
        error="The order in patch list:\n[map[name:b]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
    ),
)
