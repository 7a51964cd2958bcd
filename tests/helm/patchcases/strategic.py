"""Strategic merge patches, as Helm makes them."""

from __future__ import annotations

from tests.helm.patchcases.case import BIG, DEPLOYMENT, POD, SERVICE, Case, Json, pod


def _ports(*ports: Json) -> Json:
    return {"spec": {"ports": [{"port": port, "protocol": protocol} for port, protocol in ports]}}


def _strategic(
    name: str, kind: str, original: Json, modified: Json, live: Json, result: Json = None, error: str = ""
) -> Case:
    return Case(name, "strategic", (original, modified, live), result, error, kind)


MANY_PORTS = [*((port, "TCP") for port in range(1, 8)), *((port, "UDP") for port in range(1, 8))]

STRATEGIC = (
    _strategic(
        "an element is gone after one that loses a field",
        POD,
        pod(containers=[{"name": "a", "tty": True}, {"name": "b"}]),
        pod(containers=[{"name": "a"}]),
        pod(containers=[{"name": "a"}]),
        {
            "spec": {
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [{"name": "a", "tty": None}, {"$patch": "delete", "name": "b"}],
            }
        },
    ),
    _strategic(
        "nothing differs",
        DEPLOYMENT,
        {"spec": {"replicas": 1}},
        {"spec": {"replicas": 1}},
        {"spec": {"replicas": 1, "paused": False}},
        {},
    ),
    _strategic(
        "changed, new and gone",
        DEPLOYMENT,
        {"spec": {"paused": True}},
        {"spec": {"replicas": 2}},
        {"spec": {"replicas": 1, "paused": True}},
        {"spec": {"paused": None, "replicas": 2}},
    ),
    _strategic(
        "nothing is live", SERVICE, None, {"spec": {"type": "ClusterIP"}}, None, {"spec": {"type": "ClusterIP"}}
    ),
    _strategic(
        "what nobody but the server has stays",
        "v1 ConfigMap",
        {"data": {"a": "1"}},
        {"data": {"a": "1"}},
        {"data": {"a": "1", "b": "2"}},
        {},
    ),
    _strategic(
        "a null in the chart deletes",
        SERVICE,
        {"metadata": {"creationTimestamp": None}},
        {"metadata": {"creationTimestamp": None}},
        {"metadata": {"creationTimestamp": "2024-01-01T00:00:00Z"}},
        {"metadata": {"creationTimestamp": None}},
    ),
    _strategic(
        "one container of two changes",
        POD,
        pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]),
        pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "z"}]),
        pod(containers=[{"name": "a", "image": "x"}, {"name": "b", "image": "y", "imagePullPolicy": "Always"}]),
        pod(
            **{
                "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
                "containers": [{"image": "z", "name": "b"}],
            }
        ),
    ),
    _strategic(
        "a container goes, a sidecar of the server stays",
        POD,
        pod(containers=[{"name": "a"}, {"name": "b"}]),
        pod(containers=[{"name": "a"}]),
        pod(containers=[{"name": "a"}, {"name": "b"}, {"name": "sidecar"}]),
        pod(**{"$setElementOrder/containers": [{"name": "a"}], "containers": [{"$patch": "delete", "name": "b"}]}),
    ),
    _strategic(
        "only the order of init containers changes",
        POD,
        pod(initContainers=[{"name": "a"}, {"name": "b"}]),
        pod(initContainers=[{"name": "b"}, {"name": "a"}]),
        pod(initContainers=[{"name": "a"}, {"name": "b"}]),
        pod(**{"$setElementOrder/initContainers": [{"name": "b"}, {"name": "a"}]}),
    ),
    _strategic(
        "a variable inside a container changes its value's source",
        POD,
        pod(containers=[{"name": "a", "env": [{"name": "E", "value": "1"}]}]),
        pod(
            containers=[{"name": "a", "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"key": "k", "name": "s"}}}]}]
        ),
        pod(containers=[{"name": "a", "env": [{"name": "E", "value": "1"}]}]),
        pod(
            **{
                "$setElementOrder/containers": [{"name": "a"}],
                "containers": [
                    {
                        "$setElementOrder/env": [{"name": "E"}],
                        "env": [{"name": "E", "value": None, "valueFrom": {"secretKeyRef": {"key": "k", "name": "s"}}}],
                        "name": "a",
                    }
                ],
            }
        ),
    ),
    _strategic(
        "tolerations are replaced as a whole",
        POD,
        pod(tolerations=[{"key": "a"}]),
        pod(tolerations=[{"key": "b"}]),
        pod(tolerations=[{"key": "a"}, {"key": "server"}]),
        pod(tolerations=[{"key": "b"}]),
    ),
    _strategic(
        "pull secrets of a pod by name",
        POD,
        pod(imagePullSecrets=[{"name": "a"}]),
        pod(imagePullSecrets=[{"name": "b"}]),
        pod(imagePullSecrets=[{"name": "a"}, {"name": "server"}]),
        pod(
            **{
                "$setElementOrder/imagePullSecrets": [{"name": "b"}],
                "imagePullSecrets": [{"name": "b"}, {"$patch": "delete", "name": "a"}],
            }
        ),
    ),
    _strategic(
        "pull secrets of a service account as a whole",
        "v1 ServiceAccount",
        {"imagePullSecrets": [{"name": "a"}]},
        {"imagePullSecrets": [{"name": "b"}]},
        {"imagePullSecrets": [{"name": "a"}, {"name": "server"}], "secrets": [{"name": "token"}]},
        {"imagePullSecrets": [{"name": "b"}]},
    ),
    _strategic(
        "owners by uid",
        SERVICE,
        {"metadata": {"ownerReferences": [{"uid": "1", "name": "a"}]}},
        {"metadata": {"ownerReferences": []}},
        {"metadata": {"ownerReferences": [{"uid": "1", "name": "a"}]}},
        {"metadata": {"ownerReferences": [{"$patch": "delete", "uid": "1"}]}},
    ),
    _strategic(
        "another deployment strategy",
        DEPLOYMENT,
        {"spec": {"strategy": {"type": "RollingUpdate"}}},
        {"spec": {"strategy": {"type": "Recreate"}}},
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    ),
    _strategic(
        "a null among the keys to retain",
        DEPLOYMENT,
        {},
        {"spec": {"strategy": {"rollingUpdate": None, "type": "Recreate"}}},
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": None, "type": "Recreate"}}},
    ),
    _strategic(
        "a volume from elsewhere",
        POD,
        pod(volumes=[{"name": "v", "emptyDir": {}}]),
        pod(volumes=[{"name": "v", "configMap": {"name": "c"}}]),
        pod(volumes=[{"name": "v", "emptyDir": {}}]),
        pod(
            **{
                "$setElementOrder/volumes": [{"name": "v"}],
                "volumes": [
                    {"$retainKeys": ["configMap", "name"], "configMap": {"name": "c"}, "emptyDir": None, "name": "v"}
                ],
            }
        ),
    ),
    _strategic(
        "a finalizer goes",
        SERVICE,
        {"metadata": {"finalizers": ["a", "b"]}},
        {"metadata": {"finalizers": ["a"]}},
        {"metadata": {"finalizers": ["a", "b", "c"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"], "$setElementOrder/finalizers": ["a"]}},
    ),
    _strategic(
        "finalizers that are not sorted are sent although nothing differs",
        SERVICE,
        {"metadata": {"finalizers": ["b", "a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
        {"metadata": {"finalizers": ["b", "a"]}},
        {"metadata": {"$setElementOrder/finalizers": ["b", "a"]}},
    ),
    _strategic(
        "finalizers that are there twice",
        SERVICE,
        {"metadata": {"finalizers": ["a", "a", "b", "c"]}},
        {"metadata": {"finalizers": ["z"]}},
        {"metadata": {"finalizers": ["z"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a", "c", "b"], "$setElementOrder/finalizers": ["z"]}},
    ),
    _strategic(
        "one port over two protocols: Go pairs them crosswise",
        SERVICE,
        _ports((53, "TCP"), (53, "UDP")),
        _ports((53, "TCP"), (53, "UDP"), (80, "TCP")),
        _ports((53, "TCP"), (53, "UDP")),
        {
            "spec": {
                "$setElementOrder/ports": [{"port": 53}, {"port": 53}, {"port": 80}],
                "ports": [{"port": 80, "protocol": "TCP"}],
            }
        },
    ),
    _strategic(
        "a port twice that was there once",
        SERVICE,
        _ports((53, "TCP")),
        _ports((53, "UDP"), (53, "TCP")),
        _ports((53, "TCP")),
        {"spec": {"$setElementOrder/ports": [{"port": 53}, {"port": 53}], "ports": [{"port": 53, "protocol": "UDP"}]}},
    ),
    _strategic(
        "more ports over two protocols than an insertion sort is used for",
        SERVICE,
        _ports(*MANY_PORTS),
        _ports(*MANY_PORTS),
        _ports(*MANY_PORTS[::-1]),
        {
            "spec": {
                "$setElementOrder/ports": [{"port": port} for port, _ in MANY_PORTS],
                **_ports((1, "TCP"), (1, "UDP"), (4, "UDP"), (4, "TCP"))["spec"],
            }
        },
    ),
    _strategic(
        "a selector that is replaced as a whole is sent although nothing differs",
        "policy/v1 PodDisruptionBudget",
        {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
        {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
        {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
        {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
    ),
    _strategic(
        "true is not 1", DEPLOYMENT, {}, {"spec": {"paused": 1}}, {"spec": {"paused": True}}, {"spec": {"paused": 1}}
    ),
    _strategic(
        "numbers stay exact",
        DEPLOYMENT,
        {},
        {"metadata": {"generation": BIG}},
        {"metadata": {"generation": BIG - 1}},
        {"metadata": {"generation": BIG}},
    ),
    _strategic(
        "a field that differs only in case",
        DEPLOYMENT,
        {},
        {"SPEC": {"Template": {"Spec": {"nodeSelector": {"a": "1"}}}}},
        {"SPEC": {"Template": {"Spec": {"nodeSelector": {"a": "2"}}}}},
        {"SPEC": {"Template": {"Spec": {"nodeSelector": {"a": "1"}}}}},
    ),
    _strategic(
        "a field nobody knows, the same",
        DEPLOYMENT,
        {},
        {"spec": {"odd": {"a": [1]}}},
        {"spec": {"odd": {"a": [1]}}},
        {},
    ),
    _strategic(
        "a scalar field nobody knows", DEPLOYMENT, {}, {"spec": {"odd": 1}}, {"spec": {"odd": 2}}, {"spec": {"odd": 1}}
    ),
    _strategic(
        "an object nobody knows",
        DEPLOYMENT,
        {},
        {"spec": {"odd": {"a": 1}}},
        {"spec": {"odd": {"a": 2}}},
        error='unable to find api field in struct DeploymentSpec for the json field "odd"',
    ),
    _strategic(
        "an object for a label",
        "v1 ConfigMap",
        {},
        {"metadata": {"labels": {"a": {"b": 1}}}},
        {"metadata": {"labels": {"a": {"b": 2}}}},
        error="merging an object in json but data type is not struct, instead is: map",
    ),
    _strategic(
        "a list for an object",
        DEPLOYMENT,
        {},
        {"spec": {"template": [1]}},
        {"spec": {"template": [2]}},
        error="expected slice or array type, but got: struct",
    ),
    _strategic(
        "a list for an object that may be left out",
        DEPLOYMENT,
        {},
        {"spec": {"selector": [1]}},
        {"spec": {"selector": [2]}},
        {"spec": {"selector": [1]}},
    ),
    _strategic(
        "lists that are empty",
        POD,
        pod(containers=[], volumes=[{"name": "v"}]),
        pod(containers=[], volumes=[]),
        pod(containers=[], volumes=[]),
        pod(volumes=[{"$patch": "delete", "name": "v"}]),
    ),
    _strategic(
        "a container without a name",
        POD,
        {},
        pod(containers=[{"image": "x", "args": [], "tty": True, "stdin": None}]),
        pod(containers=[{"name": "a"}]),
        error="map: map[args:[] image:x stdin:<nil> tty:true] does not contain declared merge key: name",
    ),
    _strategic(
        "a list of this and that",
        POD,
        {},
        pod(containers=[{"name": "a"}, "b"]),
        pod(containers=[{"name": "a"}]),
        error="list element types are not identical: [[map[name:a]] [map[name:a] b]]",
    ),
    _strategic(
        "a list of lists",
        SERVICE,
        {},
        {"metadata": {"finalizers": [["a"]]}},
        {"metadata": {"finalizers": [["b"]]}},
        error="lists of lists are not supported",
    ),
    _strategic(
        "a null where the first element should be",
        POD,
        pod(containers=[None]),
        pod(containers=[None]),
        pod(containers=[None]),
        error="runtime error: invalid memory address or nil pointer dereference",
    ),
    _strategic(
        "a variable that is there twice and changes",
        POD,
        pod(
            containers=[{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]}]
        ),
        pod(
            containers=[{"name": "c", "env": [{"name": "A", "value": "3"}, {"name": "B"}, {"name": "A", "value": "4"}]}]
        ),
        pod(
            containers=[{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}]}]
        ),
        pod(
            **{
                "$setElementOrder/containers": [{"name": "c"}],
                "containers": [
                    {
                        "$setElementOrder/env": [{"name": "A"}, {"name": "B"}, {"name": "A"}],
                        "env": [{"name": "A", "value": "4"}, {"name": "A", "value": "3"}],
                        "name": "c",
                    }
                ],
            }
        ),
    ),
    _strategic(
        "a variable that is there twice and goes once",
        POD,
        pod(containers=[{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]),
        pod(containers=[{"name": "c", "env": [{"name": "A", "value": "1"}]}]),
        pod(containers=[{"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]),
        pod(
            **{
                "$setElementOrder/containers": [{"name": "c"}],
                "containers": [
                    {
                        "$setElementOrder/env": [{"name": "A"}],
                        "env": [{"$patch": "delete", "name": "A", "value": "1"}],
                        "name": "c",
                    }
                ],
            }
        ),
    ),
)
