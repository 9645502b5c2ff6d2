"""The requests, in order, by group. A group leaves nothing behind that another needs but the namespace and its account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from orchestrator.api.schema import Resource, schema

HERE = Path(__file__).parent
NAMESPACE = "oracle"
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
PARTIAL = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
PARTIAL_LIST = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
JANE = {"Impersonate-User": "jane"}
JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """One request. ``body`` is sent as JSON unless it is bytes; ``watch`` reads the answer as lines of events.

    ``{continue}`` in the path and ``{etag}`` in a header stand for those of the last answer that had one; ``first`` is
    a path to get before. ``during`` is sent while the watch is open.
    """

    name: str
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    watch: bool = False
    during: tuple[Case, ...] = ()
    first: str = ""

    def payload(self) -> bytes | None:
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


def typed(content_type: str, **more: str) -> dict[str, str]:
    return {"Content-Type": content_type, **more}


def manifests() -> list[dict[str, Any]]:
    return [doc for doc in yaml.safe_load_all((HERE / "manifests.yaml").read_text()) if doc]


def resource_of(manifest: dict[str, Any]) -> Resource:
    group, _, version = manifest["apiVersion"].rpartition("/")
    found = schema().kind(group, version, manifest["kind"])
    assert found is not None, manifest["kind"]
    return found


def collection(resource: Resource, namespace: str = NAMESPACE) -> str:
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return f"{root}/namespaces/{namespace}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"


def setup() -> list[Case]:
    return [
        Case("namespace", "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
        Case("account", "POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}}),
    ]


def kinds() -> Iterator[Case]:
    """Every kind: create, get, table, patches, update conflict, delete."""
    for manifest in manifests():
        resource = resource_of(manifest)
        where, name = collection(resource), manifest["metadata"]["name"]
        label = f"{resource.plural}.{resource.group or 'core'}/{resource.version}/{name}"
        one = f"{where}/{name}"
        yield Case(f"{label} create", "POST", where, manifest)
        yield Case(f"{label} create again", "POST", where, manifest)
        yield Case(f"{label} get", "GET", one)
        yield Case(f"{label} table", "GET", one, headers=TABLE)
        yield Case(f"{label} label by merge patch", "PATCH", one, {"metadata": {"labels": {"x": "y"}}}, typed(MERGE))
        yield Case(
            f"{label} annotate by json patch",
            "PATCH",
            one,
            [{"op": "add", "path": "/metadata/annotations", "value": {"p": "q"}}],
            typed(JSON_PATCH),
        )
        yield Case(
            f"{label} strategic patch", "PATCH", one, {"metadata": {"labels": {"x": None, "z": "1"}}}, typed(STRATEGIC)
        )
        yield Case(
            f"{label} update with an old revision",
            "PUT",
            one,
            {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": "1"}},
        )
        yield Case(f"{label} delete", "DELETE", one + ("?gracePeriodSeconds=0" if resource.plural == "pods" else ""))
        yield Case(f"{label} get after delete", "GET", one)


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "busybox"}], **spec},
    }


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"a": name}},
            "template": {
                "metadata": {"labels": {"a": name}},
                "spec": {"containers": [{"name": "c", "image": "busybox"}]},
            },
            **spec,
        },
    }


PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
CONFIGMAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"


def invalid_objects() -> Iterator[Case]:
    """What validation says: one flaw each."""
    flaws: list[tuple[str, str, dict[str, Any]]] = [
        ("no containers", PODS, pod("x", containers=[])),
        ("container without a name", PODS, pod("x", containers=[{"image": "a"}])),
        ("container without an image", PODS, pod("x", containers=[{"name": "c"}])),
        (
            "two containers of one name",
            PODS,
            pod("x", containers=[{"name": "c", "image": "a"}, {"name": "c", "image": "a"}]),
        ),
        ("container name in capitals", PODS, pod("x", containers=[{"name": "C", "image": "a"}])),
        ("unknown restart policy", PODS, pod("x", restartPolicy="Sometimes")),
        ("unknown dns policy", PODS, pod("x", dnsPolicy="Maybe")),
        ("negative grace", PODS, pod("x", terminationGracePeriodSeconds=-1)),
        ("pod name in capitals", PODS, pod("UPPER")),
        ("pod name with underscore", PODS, pod("a_b")),
        ("pod name too long", PODS, pod("a" * 254)),
        (
            "port out of range",
            PODS,
            pod("x", containers=[{"name": "c", "image": "a", "ports": [{"containerPort": 70000}]}]),
        ),
        (
            "unknown protocol",
            PODS,
            pod("x", containers=[{"name": "c", "image": "a", "ports": [{"containerPort": 1, "protocol": "X"}]}]),
        ),
        (
            "mount without a volume",
            PODS,
            pod("x", containers=[{"name": "c", "image": "a", "volumeMounts": [{"name": "v", "mountPath": "/a"}]}]),
        ),
        ("two sources in a volume", PODS, pod("x", volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}])),
        ("volume without a name", PODS, pod("x", volumes=[{"emptyDir": {}}])),
        (
            "request above limit",
            PODS,
            pod(
                "x",
                containers=[
                    {"name": "c", "image": "a", "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}
                ],
            ),
        ),
        (
            "bad env name",
            PODS,
            pod("x", containers=[{"name": "c", "image": "a", "env": [{"name": "a=b", "value": "c"}]}]),
        ),
        ("probe without handler", PODS, pod("x", containers=[{"name": "c", "image": "a", "livenessProbe": {}}])),
        ("bad pull policy", PODS, pod("x", containers=[{"name": "c", "image": "a", "imagePullPolicy": "Now"}])),
        ("bad toleration", PODS, pod("x", tolerations=[{"key": "a", "operator": "Near"}])),
        ("bad node selector", PODS, pod("x", nodeSelector={"a b": "c"})),
        ("negative deadline", PODS, pod("x", activeDeadlineSeconds=-5)),
        ("unknown service account", PODS, pod("x", serviceAccountName="nobody")),
        ("unknown priority class", PODS, pod("x", priorityClassName="nothing")),
        ("bad label value", PODS, {**pod("x"), "metadata": {"name": "x", "labels": {"a": "b c"}}}),
        ("bad label key", PODS, {**pod("x"), "metadata": {"name": "x", "labels": {"a b": "c"}}}),
        ("bad annotation key", PODS, {**pod("x"), "metadata": {"name": "x", "annotations": {"a b": "c"}}}),
        ("no name", PODS, {**pod("x"), "metadata": {}}),
        ("namespace of another place", PODS, {**pod("x"), "metadata": {"name": "x", "namespace": "elsewhere"}}),
        ("wrong kind", PODS, {**pod("x"), "kind": "Service"}),
        ("wrong version", PODS, {**pod("x"), "apiVersion": "v2"}),
        ("replicas below zero", DEPLOYMENTS, deployment("x", replicas=-1)),
        ("no selector", DEPLOYMENTS, deployment("x", selector=None)),
        ("empty selector", DEPLOYMENTS, deployment("x", selector={})),
        ("selector without match", DEPLOYMENTS, deployment("x", selector={"matchLabels": {"no": "match"}})),
        ("unknown strategy", DEPLOYMENTS, deployment("x", strategy={"type": "Fast"})),
        (
            "recreate with parameters",
            DEPLOYMENTS,
            deployment("x", strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
        ),
        (
            "no surge and no unavailable",
            DEPLOYMENTS,
            deployment("x", strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
        ),
        ("surge in wrong form", DEPLOYMENTS, deployment("x", strategy={"rollingUpdate": {"maxSurge": "many"}})),
        (
            "template that never restarts",
            DEPLOYMENTS,
            deployment(
                "x",
                template={
                    "metadata": {"labels": {"a": "x"}},
                    "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}]},
                },
            ),
        ),
        ("progress deadline too short", DEPLOYMENTS, deployment("x", progressDeadlineSeconds=5, minReadySeconds=10)),
        ("config key with space", CONFIGMAPS, {"metadata": {"name": "x"}, "data": {"a b": "c"}}),
        ("config key twice", CONFIGMAPS, {"metadata": {"name": "x"}, "data": {"a": "c"}, "binaryData": {"a": "YQ=="}}),
        ("service without ports", SERVICES, {"metadata": {"name": "x"}, "spec": {"selector": {"a": "b"}}}),
        ("service port out of range", SERVICES, {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 0}]}}),
        ("service name begins with digit", SERVICES, {"metadata": {"name": "1x"}, "spec": {"ports": [{"port": 80}]}}),
        (
            "service ports without names",
            SERVICES,
            {"metadata": {"name": "x"}, "spec": {"ports": [{"port": 80}, {"port": 81}]}},
        ),
        (
            "service ports of one name",
            SERVICES,
            {"metadata": {"name": "x"}, "spec": {"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}},
        ),
        (
            "unknown service type",
            SERVICES,
            {"metadata": {"name": "x"}, "spec": {"type": "Magic", "ports": [{"port": 80}]}},
        ),
        (
            "node port out of range",
            SERVICES,
            {"metadata": {"name": "x"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}},
        ),
        (
            "cluster ip out of range",
            SERVICES,
            {"metadata": {"name": "x"}, "spec": {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]}},
        ),
        ("external name missing", SERVICES, {"metadata": {"name": "x"}, "spec": {"type": "ExternalName"}}),
        (
            "bad cluster ip",
            SERVICES,
            {"metadata": {"name": "x"}, "spec": {"clusterIP": "nope", "ports": [{"port": 80}]}},
        ),
        (
            "secret with bad base64",
            f"/api/v1/namespaces/{NAMESPACE}/secrets",
            {"metadata": {"name": "x"}, "data": {"a": "???"}},
        ),
        (
            "docker secret without its key",
            f"/api/v1/namespaces/{NAMESPACE}/secrets",
            {"metadata": {"name": "x"}, "type": "kubernetes.io/dockerconfigjson"},
        ),
        (
            "job that always restarts",
            f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
            {"metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a"}]}}}},
        ),
        (
            "job with negative parallelism",
            f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
            {
                "metadata": {"name": "x"},
                "spec": {
                    "parallelism": -1,
                    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}]}},
                },
            },
        ),
        (
            "indexed job without completions",
            f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
            {
                "metadata": {"name": "x"},
                "spec": {
                    "completionMode": "Indexed",
                    "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}]}},
                },
            },
        ),
        (
            "cron schedule in wrong form",
            f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs",
            {
                "metadata": {"name": "x"},
                "spec": {
                    "schedule": "often",
                    "jobTemplate": {
                        "spec": {
                            "template": {
                                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}]}
                            }
                        }
                    },
                },
            },
        ),
        (
            "cron in an unknown time zone",
            f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs",
            {
                "metadata": {"name": "x"},
                "spec": {
                    "schedule": "* * * * *",
                    "timeZone": "Mars/Base",
                    "jobTemplate": {
                        "spec": {
                            "template": {
                                "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}]}
                            }
                        }
                    },
                },
            },
        ),
        (
            "autoscaler without maximum",
            f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers",
            {"metadata": {"name": "x"}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "a"}}},
        ),
        (
            "autoscaler with minimum above maximum",
            f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers",
            {
                "metadata": {"name": "x"},
                "spec": {"minReplicas": 5, "maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "a"}},
            },
        ),
        (
            "budget with both bounds",
            f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets",
            {"metadata": {"name": "x"}, "spec": {"minAvailable": 1, "maxUnavailable": 1}},
        ),
        (
            "claim without access mode",
            f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims",
            {"metadata": {"name": "x"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}},
        ),
        (
            "claim without size",
            f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims",
            {"metadata": {"name": "x"}, "spec": {"accessModes": ["ReadWriteOnce"]}},
        ),
        (
            "volume without source",
            "/api/v1/persistentvolumes",
            {"metadata": {"name": "x"}, "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}},
        ),
        (
            "role binding without role",
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings",
            {"metadata": {"name": "x"}, "roleRef": {}},
        ),
        (
            "role without verbs",
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles",
            {"metadata": {"name": "x"}, "rules": [{"apiGroups": [""], "resources": ["pods"]}]},
        ),
        ("class without provisioner", "/apis/storage.k8s.io/v1/storageclasses", {"metadata": {"name": "x"}}),
        (
            "priority above the users' bound",
            "/apis/scheduling.k8s.io/v1/priorityclasses",
            {"metadata": {"name": "x"}, "value": 2000000000},
        ),
        (
            "stateful set without selector",
            f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets",
            {"metadata": {"name": "x"}, "spec": {"template": {"spec": {"containers": []}}}},
        ),
        (
            "ingress without rules",
            f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses",
            {"metadata": {"name": "x"}, "spec": {}},
        ),
        ("namespace name with dot", "/api/v1/namespaces", {"metadata": {"name": "a.b"}}),
    ]
    for name, where, body in flaws:
        yield Case(name, "POST", f"{where}?dryRun=All", body)


def decoding() -> Iterator[Case]:
    """Bodies that are no object, and fields that are none of the kind's."""
    strict = "?fieldValidation=Strict"
    unknown = pod("x", nonsense=1)
    text = json.dumps(pod("twice"))
    yield Case("malformed json", "POST", PODS, b"{")
    yield Case("empty body", "POST", PODS, b"")
    yield Case("json that is a list", "POST", PODS, b"[]")
    yield Case("json that is a number", "POST", PODS, b"1")
    yield Case("malformed yaml", "POST", PODS, b"a: [", typed("application/yaml"))
    yield Case(
        "yaml pod dry run",
        "POST",
        PODS + "?dryRun=All",
        yaml.safe_dump(pod("yaml")).encode(),
        typed("application/yaml"),
    )
    yield Case("malformed protobuf", "POST", PODS, b"k8s\x00\xff\xff\xff", typed("application/vnd.kubernetes.protobuf"))
    yield Case("protobuf without magic", "POST", PODS, b"nothing", typed("application/vnd.kubernetes.protobuf"))
    yield Case("unknown content type", "POST", PODS, b"x", typed("text/plain"))
    yield Case("unknown accept", "GET", PODS, headers={"Accept": "image/png"})
    yield Case("no kind", "POST", PODS + "?dryRun=All", {"metadata": {"name": "x"}, "spec": pod("x")["spec"]})
    yield Case("unknown field strict", "POST", PODS + strict, unknown)
    yield Case("unknown field warn", "POST", PODS + "?fieldValidation=Warn&dryRun=All", unknown)
    yield Case("unknown field ignored", "POST", PODS + "?fieldValidation=Ignore&dryRun=All", unknown)
    yield Case("two unknown fields strict", "POST", PODS + strict, {**unknown, "extra": {}})
    yield Case(
        "unknown field in a list strict",
        "POST",
        PODS + strict,
        pod("x", containers=[{"name": "c", "image": "a", "imagee": "b"}]),
    )
    yield Case(
        "unknown metadata field strict", "POST", PODS + strict, {**pod("x"), "metadata": {"name": "x", "color": "red"}}
    )
    yield Case(
        "duplicate field strict",
        "POST",
        PODS + strict,
        text.replace('"kind": "Pod"', '"kind": "Pod", "kind": "Pod"').encode(),
    )
    yield Case("bad field validation", "POST", PODS + "?fieldValidation=Perhaps", pod("x"))
    yield Case("text for a number", "POST", DEPLOYMENTS, deployment("x", replicas="three"))
    yield Case("fraction for an integer", "POST", DEPLOYMENTS, deployment("x", replicas=1.5))
    yield Case("number for text", "POST", PODS, pod("x", nodeName=5))
    yield Case("text for a list", "POST", PODS, pod("x", containers="c"))
    yield Case("list for an object", "POST", PODS, {**pod("x"), "spec": []})
    yield Case("text for a boolean", "POST", PODS, pod("x", hostNetwork="yes"))
    yield Case("number for a label", "POST", PODS, {**pod("x"), "metadata": {"name": "x", "labels": {"a": 1}}})
    yield Case(
        "bad quantity",
        "POST",
        PODS,
        pod("x", containers=[{"name": "c", "image": "a", "resources": {"limits": {"cpu": "lots"}}}]),
    )
    yield Case("bad time", "POST", PODS, {**pod("x"), "metadata": {"name": "x", "deletionTimestamp": "soon"}})
    yield Case("number beyond int32", "POST", DEPLOYMENTS, deployment("x", replicas=3000000000))
    yield Case(
        "a body of four megabytes", "POST", CONFIGMAPS, {"metadata": {"name": "x"}, "data": {"a": "b" * 4_000_000}}
    )
    yield Case(
        "a map over one megabyte", "POST", CONFIGMAPS, {"metadata": {"name": "x"}, "data": {"a": "b" * 1_100_000}}
    )


def paths() -> Iterator[Case]:
    """What the URL can get wrong, and the documents outside of resources."""
    for name, method, path in (
        ("unknown resource", "GET", f"/api/v1/namespaces/{NAMESPACE}/things"),
        ("unknown group", "GET", "/apis/nothing.example.com/v1/things"),
        ("unknown version", "GET", "/apis/apps/v9/deployments"),
        ("unknown subresource", "GET", f"{PODS}/x/nothing"),
        ("method not allowed on a collection", "PUT", PODS),
        ("method not allowed on a name", "POST", f"{PODS}/x"),
        ("root path that is none", "GET", "/nothing"),
        ("get what is not there", "GET", f"{PODS}/none"),
        ("delete what is not there", "DELETE", f"{PODS}/none"),
        ("status of what is not there", "GET", f"{PODS}/none/status"),
        ("scale of what is not there", "GET", f"{DEPLOYMENTS}/none/scale"),
        ("log of what is not there", "GET", f"{PODS}/none/log"),
        ("get a cluster resource that is not there", "GET", "/api/v1/nodes/none"),
        ("get in a namespace that is not there", "GET", "/api/v1/namespaces/none/pods/x"),
        ("list in a namespace that is not there", "GET", "/api/v1/namespaces/none/pods"),
        ("create in a namespace that is not there", "POST", "/api/v1/namespaces/none/configmaps"),
        ("delete a protected namespace", "DELETE", "/api/v1/namespaces/default"),
        ("version", "GET", "/version"),
        ("healthz", "GET", "/healthz"),
        ("livez", "GET", "/livez"),
        ("readyz", "GET", "/readyz"),
        ("ping", "GET", "/livez/ping"),
        ("legacy core versions", "GET", "/api"),
        ("core resources", "GET", "/api/v1"),
        ("apps group", "GET", "/apis/apps"),
        ("apps resources", "GET", "/apis/apps/v1"),
        ("batch resources", "GET", "/apis/batch/v1"),
        ("rbac resources", "GET", "/apis/rbac.authorization.k8s.io/v1"),
        ("autoscaling group", "GET", "/apis/autoscaling"),
        ("autoscaling v2 resources", "GET", "/apis/autoscaling/v2"),
        ("policy resources", "GET", "/apis/policy/v1"),
        ("networking resources", "GET", "/apis/networking.k8s.io/v1"),
        ("storage resources", "GET", "/apis/storage.k8s.io/v1"),
        ("unknown group document", "GET", "/apis/nothing.example.com"),
    ):
        body = {"metadata": {"name": "x"}} if method in ("POST", "PUT") else None
        yield Case(name, method, path, body)


def lists() -> Iterator[Case]:
    """Selectors, limits, continues, revisions, tables and partial objects."""
    for index in range(5):
        labels = {"n": str(index), "even": str(index % 2 == 0).lower()}
        yield Case(
            f"create {index}",
            "POST",
            CONFIGMAPS,
            {"metadata": {"name": f"c{index}", "labels": labels}, "data": {"i": str(index)}},
        )
    yield Case("create pod", "POST", PODS, pod("p0"))
    for query in (
        "labelSelector=n%3D1",
        "labelSelector=n+in+(1,2)",
        "labelSelector=n+notin+(1,2),even",
        "labelSelector=!even",
        "labelSelector=n!%3D1",
        "labelSelector=even%3Dtrue,n%3D2",
        "labelSelector=n%3E1,even",
        "labelSelector=a+b+c",
        "labelSelector=%3D",
        "labelSelector=n+in",
        "fieldSelector=metadata.name%3Dc1",
        "fieldSelector=metadata.name!%3Dc1",
        f"fieldSelector=metadata.namespace%3D{NAMESPACE}",
        "fieldSelector=nothing%3D1",
        "fieldSelector=metadata.name",
        "limit=2",
        "limit=2&labelSelector=even",
        "limit=-1",
        "limit=x",
        "continue=nonsense",
        "resourceVersion=0",
        "resourceVersion=x",
        "resourceVersion=99999999",
        "resourceVersionMatch=Exact",
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersion=1&resourceVersionMatch=Never",
        "sendInitialEvents=true",
        "pretty=false",
    ):
        yield Case(f"list {query}", "GET", f"{CONFIGMAPS}?{query}")
    for query in (
        "status.phase%3DPending",
        "spec.nodeName%3D",
        "spec.restartPolicy%3DAlways",
        "status.phase!%3DPending",
        "spec.nothing%3D1",
    ):
        yield Case(f"pods {query}", "GET", f"{PODS}?fieldSelector={query}")
    yield Case("table of configmaps", "GET", CONFIGMAPS, headers=TABLE)
    yield Case("table of pods", "GET", PODS, headers=TABLE)
    yield Case("table with whole objects", "GET", f"{CONFIGMAPS}?includeObject=Object&limit=1", headers=TABLE)
    yield Case("table without objects", "GET", f"{CONFIGMAPS}?includeObject=None", headers=TABLE)
    yield Case("table with a strange include", "GET", f"{CONFIGMAPS}?includeObject=Some", headers=TABLE)
    yield Case("partial object", "GET", f"{CONFIGMAPS}/c0", headers=PARTIAL)
    yield Case("partial list", "GET", CONFIGMAPS, headers=PARTIAL_LIST)
    yield Case(
        "table of a review",
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}},
        {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
    )
    yield Case("list across namespaces", "GET", "/api/v1/configmaps?labelSelector=n")
    yield Case(
        "watch from the start", "GET", f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&labelSelector=even%3Dtrue", watch=True
    )
    yield Case(
        "watch list",
        "GET",
        f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=n",
        watch=True,
    )
    yield Case(
        "watch by name", "GET", f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dc3", watch=True
    )
    yield Case(
        "watch as table",
        "GET",
        f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&labelSelector=n%3D1",
        headers=TABLE,
        watch=True,
    )
    yield Case("watch list without match", "GET", f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&sendInitialEvents=true")
    yield Case("watch with bad revision", "GET", f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&resourceVersion=x")
    yield Case(
        "watch from a revision long gone",
        "GET",
        f"{CONFIGMAPS}?watch=true&timeoutSeconds=1&resourceVersion=1",
        watch=True,
    )
    yield Case("delete a collection", "DELETE", f"{CONFIGMAPS}?labelSelector=even%3Dtrue")
    yield Case("what is left", "GET", f"{CONFIGMAPS}?labelSelector=n")
    yield Case("delete the rest", "DELETE", CONFIGMAPS)
    yield Case("delete the pod", "DELETE", f"{PODS}/p0?gracePeriodSeconds=0")


def patches() -> Iterator[Case]:
    """Merge rules of every patch type on a deployment, and what they refuse."""
    one = f"{DEPLOYMENTS}/patched"
    yield Case("create", "POST", DEPLOYMENTS, deployment("patched"))
    steps: list[tuple[str, str, Any]] = [
        ("scale by merge", MERGE, {"spec": {"replicas": 2}}),
        (
            "add a container by name",
            STRATEGIC,
            {"spec": {"template": {"spec": {"containers": [{"name": "d", "image": "b"}]}}}},
        ),
        (
            "change a container by name",
            STRATEGIC,
            {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "new"}]}}}},
        ),
        (
            "add env",
            STRATEGIC,
            {
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [
                                {"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
                            ]
                        }
                    }
                }
            },
        ),
        (
            "delete env",
            STRATEGIC,
            {
                "spec": {
                    "template": {"spec": {"containers": [{"name": "c", "env": [{"name": "A", "$patch": "delete"}]}]}}
                }
            },
        ),
        (
            "delete a container",
            STRATEGIC,
            {"spec": {"template": {"spec": {"containers": [{"name": "d", "$patch": "delete"}]}}}},
        ),
        (
            "order of containers",
            STRATEGIC,
            {
                "spec": {
                    "template": {
                        "spec": {
                            "$setElementOrder/containers": [{"name": "z"}, {"name": "c"}],
                            "containers": [{"name": "z", "image": "z"}],
                        }
                    }
                }
            },
        ),
        (
            "replace containers",
            STRATEGIC,
            {"spec": {"template": {"spec": {"containers": [{"name": "only", "image": "o"}, {"$patch": "replace"}]}}}},
        ),
        ("retain keys", STRATEGIC, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}),
        (
            "replace containers by merge",
            MERGE,
            {"spec": {"template": {"spec": {"containers": [{"name": "m", "image": "m"}]}}}},
        ),
        ("null removes", MERGE, {"spec": {"template": {"metadata": {"annotations": None}}}}),
        ("unknown directive", STRATEGIC, {"metadata": {"$patch": "twist"}}),
        ("strategic with wrong type", STRATEGIC, {"spec": {"template": {"spec": {"containers": "none"}}}}),
        ("json replace", JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 3}]),
        ("json test holds", JSON_PATCH, [{"op": "test", "path": "/spec/replicas", "value": 3}]),
        ("json test fails", JSON_PATCH, [{"op": "test", "path": "/spec/replicas", "value": 4}]),
        ("json remove what is not there", JSON_PATCH, [{"op": "remove", "path": "/spec/nothing"}]),
        (
            "json append",
            JSON_PATCH,
            [{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "j", "image": "j"}}],
        ),
        (
            "json move and copy",
            JSON_PATCH,
            [{"op": "copy", "from": "/spec/template/metadata/labels/a", "path": "/spec/template/metadata/labels/b"}],
        ),
        ("json unknown op", JSON_PATCH, [{"op": "twist", "path": "/a"}]),
        ("json patch that is an object", JSON_PATCH, {"a": "b"}),
        ("merge patch that is a list", MERGE, ["a"]),
        ("merge patch with unknown field", MERGE, {"spec": {"colour": "red"}}),
        ("merge makes it invalid", MERGE, {"spec": {"replicas": -3}}),
        ("merge changes the selector", MERGE, {"spec": {"selector": {"matchLabels": {"a": "other"}}}}),
        ("merge changes the name", MERGE, {"metadata": {"name": "other"}}),
        ("merge with an old revision", MERGE, {"metadata": {"resourceVersion": "1"}}),
        ("merge with another uid", MERGE, {"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}}),
        ("patch without a known type", "application/json", {"spec": {}}),
        ("malformed patch", MERGE, b"{"),
    ]
    for name, content_type, body in steps:
        yield Case(name, "PATCH", one, body, typed(content_type))
    yield Case(
        "strict merge with unknown field",
        "PATCH",
        f"{one}?fieldValidation=Strict",
        {"spec": {"colour": "red"}},
        typed(MERGE),
    )
    yield Case("dry run patch", "PATCH", f"{one}?dryRun=All", {"spec": {"replicas": 9}}, typed(MERGE))
    yield Case("bad dry run", "PATCH", f"{one}?dryRun=Some", {"spec": {"replicas": 9}}, typed(MERGE))
    yield Case("patch what is not there", "PATCH", f"{DEPLOYMENTS}/none", {"spec": {}}, typed(MERGE))
    yield Case("read the scale", "GET", f"{one}/scale")
    yield Case("patch the scale", "PATCH", f"{one}/scale", {"spec": {"replicas": 7}}, typed(MERGE))
    yield Case(
        "put a bad scale",
        "PUT",
        f"{one}/scale",
        {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": "patched", "namespace": NAMESPACE},
            "spec": {"replicas": -1},
        },
    )
    yield Case(
        "status patch keeps the spec",
        "PATCH",
        f"{one}/status",
        {"spec": {"replicas": 1}, "status": {"replicas": 5, "observedGeneration": 2}},
        typed(MERGE),
    )
    yield Case("after all", "GET", one)
    yield Case(
        "delete with another uid", "DELETE", one, {"preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}
    )
    yield Case("delete with a bad policy", "DELETE", f"{one}?propagationPolicy=Sometimes")
    yield Case("delete in the foreground", "DELETE", f"{one}?propagationPolicy=Foreground")
    yield Case("it waits for its finalizer", "GET", one)
    yield Case("remove the finalizer", "PATCH", one, {"metadata": {"finalizers": None}}, typed(MERGE))
    yield Case("now it is gone", "GET", one)


def server_side_apply() -> Iterator[Case]:
    """Owners, conflicts, force, removal."""
    one = f"{DEPLOYMENTS}/applied"
    manifest = deployment("applied", replicas=2)

    def applied(name: str, body: Any, query: str) -> Case:
        return Case(name, "PATCH", f"{one}?{query}", body, typed(APPLY))

    yield applied("apply creates", manifest, "fieldManager=first")
    yield applied("apply again changes nothing", manifest, "fieldManager=first")
    yield applied("no manager", manifest, "force=false")
    other = deployment("applied", replicas=5)
    yield applied("conflict", other, "fieldManager=second")
    yield applied("force", other, "fieldManager=second&force=true")
    without = deployment("applied")
    yield applied("first gives up replicas", without, "fieldManager=first&force=true")
    ported = deployment("applied")
    ported["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 80}]
    yield applied("adds a port", ported, "fieldManager=first")
    yield applied("takes the port away", without, "fieldManager=first")
    yield applied(
        "with managed fields",
        {**manifest, "metadata": {"name": "applied", "managedFields": [{"manager": "x"}]}},
        "fieldManager=first",
    )
    yield applied("unknown field", deployment("applied", colour="red"), "fieldManager=first")
    yield applied(
        "unknown field strict", deployment("applied", colour="red"), "fieldManager=first&fieldValidation=Strict"
    )
    yield applied("malformed", b"a: [", "fieldManager=first")
    yield applied("dry run", manifest, "fieldManager=third&dryRun=All&force=true")
    yield Case(
        "merge by another", "PATCH", f"{one}?fieldManager=merger", {"spec": {"minReadySeconds": 3}}, typed(MERGE)
    )
    yield applied("conflict with a merger", deployment("applied", minReadySeconds=4), "fieldManager=first")
    yield Case("delete", "DELETE", one)
    yield Case(
        "apply a config map",
        "PATCH",
        f"{CONFIGMAPS}/applied?fieldManager=first",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1", "b": "2"}},
        typed(APPLY),
    )
    yield Case(
        "apply without a key",
        "PATCH",
        f"{CONFIGMAPS}/applied?fieldManager=first",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}},
        typed(APPLY),
    )
    yield Case("delete the map", "DELETE", f"{CONFIGMAPS}/applied")


def updates() -> Iterator[Case]:
    """What may not change, and what an update needs."""
    yield Case("create pod", "POST", PODS, pod("fixed"))
    yield Case(
        "change the image",
        "PATCH",
        f"{PODS}/fixed",
        {"spec": {"containers": [{"name": "c", "image": "other"}]}},
        typed(STRATEGIC),
    )
    yield Case(
        "change the restart policy", "PATCH", f"{PODS}/fixed", {"spec": {"restartPolicy": "Never"}}, typed(MERGE)
    )
    yield Case(
        "add a container to a pod",
        "PATCH",
        f"{PODS}/fixed",
        {"spec": {"containers": [{"name": "d", "image": "d"}]}},
        typed(STRATEGIC),
    )
    yield Case("name a node", "PATCH", f"{PODS}/fixed", {"spec": {"nodeName": "n"}}, typed(MERGE))
    yield Case("bind", "POST", f"{PODS}/fixed/binding", {"target": {"kind": "Node", "name": "n1"}})
    yield Case("bind twice", "POST", f"{PODS}/fixed/binding", {"target": {"kind": "Node", "name": "n2"}})
    yield Case("bind to nothing", "POST", f"{PODS}/fixed/binding", {"target": {"kind": "Node"}})
    yield Case("bind what is not there", "POST", f"{PODS}/none/binding", {"target": {"kind": "Node", "name": "n2"}})
    yield Case("status", "PATCH", f"{PODS}/fixed/status", {"status": {"phase": "Running"}}, typed(MERGE))
    yield Case("graceful delete", "DELETE", f"{PODS}/fixed")
    yield Case("it is on its way", "GET", f"{PODS}/fixed")
    yield Case("delete now", "DELETE", f"{PODS}/fixed?gracePeriodSeconds=0")
    yield Case("evict what is not there", "POST", f"{PODS}/none/eviction", {"metadata": {"name": "none"}})
    yield Case("generated name", "POST", f"{PODS}?dryRun=All", {**pod("x"), "metadata": {"generateName": "gen-"}})
    yield Case(
        "create service",
        "POST",
        SERVICES,
        {"metadata": {"name": "s"}, "spec": {"clusterIP": "10.96.77.77", "ports": [{"port": 80}]}},
    )
    yield Case(
        "the same address",
        "POST",
        SERVICES,
        {"metadata": {"name": "t"}, "spec": {"clusterIP": "10.96.77.77", "ports": [{"port": 80}]}},
    )
    yield Case("change the address", "PATCH", f"{SERVICES}/s", {"spec": {"clusterIP": "10.96.77.78"}}, typed(MERGE))
    yield Case(
        "make it headless",
        "PATCH",
        f"{SERVICES}/s",
        {"spec": {"clusterIP": "None", "clusterIPs": ["None"]}},
        typed(MERGE),
    )
    yield Case(
        "make it external",
        "PATCH",
        f"{SERVICES}/s",
        {"spec": {"type": "ExternalName", "externalName": "e.example.com"}},
        typed(MERGE),
    )
    yield Case("delete service", "DELETE", f"{SERVICES}/s")
    yield Case(
        "create immutable map", "POST", CONFIGMAPS, {"metadata": {"name": "im"}, "immutable": True, "data": {"a": "b"}}
    )
    yield Case("change immutable map", "PATCH", f"{CONFIGMAPS}/im", {"data": {"a": "c"}}, typed(MERGE))
    yield Case("make it mutable", "PATCH", f"{CONFIGMAPS}/im", {"immutable": False}, typed(MERGE))
    yield Case("put without a name", "PUT", f"{CONFIGMAPS}/im", {"metadata": {}, "data": {}})
    yield Case("put with another name", "PUT", f"{CONFIGMAPS}/im", {"metadata": {"name": "other"}, "data": {}})
    yield Case("put what is not there", "PUT", f"{CONFIGMAPS}/none", {"metadata": {"name": "none"}, "data": {}})
    yield Case("delete map", "DELETE", f"{CONFIGMAPS}/im")
    yield Case(
        "create claim",
        "POST",
        f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims",
        {
            "metadata": {"name": "pvc"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        },
    )
    yield Case(
        "change the claim's mode",
        "PATCH",
        f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/pvc",
        {"spec": {"accessModes": ["ReadWriteMany"]}},
        typed(MERGE),
    )
    yield Case("delete claim", "DELETE", f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/pvc")
    jobs = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
    yield Case(
        "create job",
        "POST",
        jobs,
        {
            "metadata": {"name": "j"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "a"}]}}},
        },
    )
    yield Case(
        "change the job's template",
        "PATCH",
        f"{jobs}/j",
        {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "b"}]}}}},
        typed(STRATEGIC),
    )
    yield Case("change the job's completions", "PATCH", f"{jobs}/j", {"spec": {"completions": 5}}, typed(MERGE))
    yield Case("suspend the job", "PATCH", f"{jobs}/j", {"spec": {"suspend": True}}, typed(MERGE))
    yield Case("delete job", "DELETE", f"{jobs}/j?propagationPolicy=Background")


def who() -> Iterator[Case]:
    """Authorization: a user without rights, reviews, escalation."""
    roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    for name, method, path in (
        ("list pods", "GET", PODS),
        ("get a pod", "GET", f"{PODS}/x"),
        ("create a pod", "POST", PODS),
        ("delete a pod", "DELETE", f"{PODS}/x"),
        ("list nodes", "GET", "/api/v1/nodes"),
        ("get a node", "GET", "/api/v1/nodes/n"),
        ("list everywhere", "GET", "/apis/apps/v1/deployments"),
        ("watch", "GET", f"{PODS}?watch=true"),
        ("subresource", "GET", f"{PODS}/x/log"),
        ("collection", "DELETE", PODS),
        ("a path", "GET", "/metrics"),
        ("version", "GET", "/version"),
        ("discovery", "GET", "/apis/batch"),
        ("patch", "PATCH", f"{DEPLOYMENTS}/x"),
        ("update", "PUT", f"{DEPLOYMENTS}/x"),
        ("secret in another namespace", "GET", "/api/v1/namespaces/kube-system/secrets/s"),
    ):
        headers = {**JANE, **(typed(MERGE) if method == "PATCH" else {})}
        yield Case(f"jane: {name}", method, path, {} if method in ("POST", "PUT", "PATCH") else None, headers)
    review = "/apis/authorization.k8s.io/v1"
    yield Case(
        "may I",
        "POST",
        f"{review}/selfsubjectaccessreviews",
        {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": NAMESPACE}}},
    )
    yield Case(
        "may jane",
        "POST",
        f"{review}/selfsubjectaccessreviews",
        {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": NAMESPACE}}},
        JANE,
    )
    yield Case("review without attributes", "POST", f"{review}/selfsubjectaccessreviews", {"spec": {}})
    yield Case(
        "subject review",
        "POST",
        f"{review}/subjectaccessreviews",
        {"spec": {"user": "jane", "resourceAttributes": {"verb": "list", "resource": "pods"}}},
    )
    yield Case(
        "local review",
        "POST",
        f"{review}/namespaces/{NAMESPACE}/localsubjectaccessreviews",
        {
            "metadata": {"namespace": NAMESPACE},
            "spec": {
                "user": "jane",
                "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": NAMESPACE},
            },
        },
    )
    yield Case("who am I", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, JANE)
    yield Case(
        "a role for jane",
        "POST",
        f"{roles}/roles",
        {"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]},
    )
    yield Case(
        "bound to her",
        "POST",
        f"{roles}/rolebindings",
        {
            "metadata": {"name": "b"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
            "subjects": [{"kind": "User", "name": "jane"}],
        },
    )
    yield Case(
        "change the role of a binding", "PATCH", f"{roles}/rolebindings/b", {"roleRef": {"name": "other"}}, typed(MERGE)
    )
    yield Case(
        "a maker of roles",
        "POST",
        f"{roles}/roles",
        {
            "metadata": {"name": "maker"},
            "rules": [
                {
                    "apiGroups": ["rbac.authorization.k8s.io"],
                    "resources": ["roles", "rolebindings"],
                    "verbs": ["create"],
                }
            ],
        },
    )
    yield Case(
        "jane makes roles",
        "POST",
        f"{roles}/rolebindings",
        {
            "metadata": {"name": "m"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "maker"},
            "subjects": [{"kind": "User", "name": "jane"}],
        },
    )
    for name in ("roles/r", "roles/maker", "rolebindings/b", "rolebindings/m"):
        yield Case(f"delete {name}", "DELETE", f"{roles}/{name}")
    yield Case("token of nobody", "POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/none/token", {"spec": {}})
    yield Case(
        "token too short",
        "POST",
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default/token",
        {"spec": {"expirationSeconds": 10}},
    )
    yield Case(
        "review of a bad token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "nonsense"}}
    )
    yield Case("review of no token", "POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {}})


BASICS = {
    "kinds": kinds,
    "invalid": invalid_objects,
    "decoding": decoding,
    "paths": paths,
    "lists": lists,
    "patches": patches,
    "apply": server_side_apply,
    "updates": updates,
    "who": who,
}
