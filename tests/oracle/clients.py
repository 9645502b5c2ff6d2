"""What kubectl, helm and client libraries rely on: subresources, quotas, pages, watches that see changes, tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.api import protobuf_writer
from tests.oracle.cases import (
    APPLY,
    CONFIGMAPS,
    DEPLOYMENTS,
    JSON_PATCH,
    MERGE,
    NAMESPACE,
    PARTIAL,
    PODS,
    STRATEGIC,
    TABLE,
    Case,
    deployment,
    pod,
    typed,
)

CORE = f"/api/v1/namespaces/{NAMESPACE}"
QUOTAS, LIMITS = f"{CORE}/resourcequotas", f"{CORE}/limitranges"
ACCOUNTS, CORE_EVENTS = f"{CORE}/serviceaccounts", f"{CORE}/events"
EVENTS = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
OLD_SCALERS = f"/apis/autoscaling/v1/namespaces/{NAMESPACE}/horizontalpodautoscalers"
SCALERS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
PROTOBUF = "application/vnd.kubernetes.protobuf"
TIME = "2026-01-01T00:00:00Z"
READY: dict[str, Any] = {
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": TIME, "lastTransitionTime": TIME}],
}
PLACED = {"type": "PodScheduled", "status": "True", "lastProbeTime": TIME, "lastTransitionTime": TIME}


def config(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"a": "b"}}


def debugger(name: str, **more: Any) -> dict[str, Any]:
    return {"spec": {"ephemeralContainers": [{"name": name, "image": "busybox", **more}]}}


def pods() -> Iterator[Case]:
    """Ephemeral containers, resizes, bindings and evictions."""
    one = f"{PODS}/web"
    yield Case("create", "POST", PODS, {**pod("web"), "metadata": {"name": "web", "labels": {"app": "web"}}})
    yield Case("ephemeral: get", "GET", f"{one}/ephemeralcontainers")
    for name, body in (
        ("ephemeral: add", debugger("debug")),
        ("ephemeral: without a name", debugger("")),
        ("ephemeral: name of a container", debugger("c")),
        ("ephemeral: with ports", debugger("ported", ports=[{"containerPort": 1}])),
        ("ephemeral: add another", debugger("second", targetContainerName="c")),
        ("ephemeral: target that is none", debugger("third", targetContainerName="nobody")),
        ("ephemeral: remove", {"spec": {"ephemeralContainers": [{"name": "debug", "$patch": "delete"}]}}),
        ("ephemeral: change", {"spec": {"ephemeralContainers": [{"name": "debug", "image": "other"}]}}),
    ):
        yield Case(name, "PATCH", f"{one}/ephemeralcontainers", body, typed(STRATEGIC))
    yield Case("ephemeral: not by the pod itself", "PATCH", one, debugger("fourth"), typed(STRATEGIC))
    yield Case("ephemeral: at creation", "POST", PODS, pod("x", ephemeralContainers=[{"name": "e", "image": "b"}]))
    sized = {"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "100m"}}}]}}
    yield Case("resize by the pod itself", "PATCH", one, sized, typed(STRATEGIC))
    yield Case("get resize", "GET", f"{one}/resize")
    binding = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "n1"}}
    yield Case("bind to no node", "POST", f"{one}/binding", {"metadata": {"name": "web"}, "target": {}})
    yield Case("bind", "POST", f"{one}/binding", binding)
    yield Case("bind again", "POST", f"{one}/binding", binding)
    yield Case("bind what is not there", "POST", f"{PODS}/none/binding", {**binding, "metadata": {"name": "none"}})
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    yield Case("budget", "POST", BUDGETS, budget)
    yield Case(
        "ready",
        "PATCH",
        f"{one}/status",
        {"status": {**READY, "conditions": [*READY["conditions"], PLACED]}},
        typed(STRATEGIC),
    )
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}}
    yield Case("evict: nobody counted", "POST", f"{one}/eviction", eviction)
    counted = {"observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}
    yield Case("count", "PATCH", f"{BUDGETS}/b/status", {"status": {**counted, "disruptionsAllowed": 0}}, typed(MERGE))
    yield Case("evict: not allowed", "POST", f"{one}/eviction", eviction)
    yield Case("allow", "PATCH", f"{BUDGETS}/b/status", {"status": {"disruptionsAllowed": 1}}, typed(MERGE))
    yield Case("budget table", "GET", f"{BUDGETS}/b", headers=TABLE)
    yield Case("evict: what is not there", "POST", f"{PODS}/none/eviction", {**eviction, "metadata": {"name": "none"}})
    yield Case("evict: another name", "POST", f"{one}/eviction", {**eviction, "metadata": {"name": "other"}})
    yield Case("evict: dry run", "POST", f"{one}/eviction?dryRun=All", eviction)
    yield Case("evict: allowed", "POST", f"{one}/eviction", eviction)
    yield Case("it waits for its grace", "GET", one)
    yield Case("shorter grace", "DELETE", f"{one}?gracePeriodSeconds=5")
    yield Case("longer grace", "DELETE", f"{one}?gracePeriodSeconds=50")
    yield Case("negative grace", "DELETE", f"{one}?gracePeriodSeconds=-1")
    yield Case("table while it ends", "GET", one, headers=TABLE)
    yield Case("no grace", "DELETE", f"{one}?gracePeriodSeconds=0")
    yield Case("it is gone", "GET", one)
    yield Case("budget after", "GET", f"{BUDGETS}/b")
    yield Case("delete the budget", "DELETE", f"{BUDGETS}/b")


def scales() -> Iterator[Case]:
    """``scale`` of each workload that has one, by PUT and by patches."""
    bare: dict[str, Any] = deployment("s")
    kinds = {
        "deployments": bare,
        "replicasets": {**bare, "kind": "ReplicaSet"},
        "statefulsets": {**bare, "kind": "StatefulSet", "spec": {**bare["spec"], "serviceName": "s"}},
    }
    for plural, manifest in kinds.items():
        where = f"/apis/apps/v1/namespaces/{NAMESPACE}/{plural}"
        scale: dict[str, Any] = {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {"name": "s", "namespace": NAMESPACE},
        }
        yield Case(f"{plural}: create", "POST", where, manifest)
        yield Case(f"{plural}: get scale", "GET", f"{where}/s/scale")
        yield Case(f"{plural}: put", "PUT", f"{where}/s/scale", {**scale, "spec": {"replicas": 3}})
        yield Case(
            f"{plural}: put an old revision",
            "PUT",
            f"{where}/s/scale",
            {**scale, "metadata": {**scale["metadata"], "resourceVersion": "1"}, "spec": {"replicas": 3}},
        )
        yield Case(f"{plural}: merge", "PATCH", f"{where}/s/scale", {"spec": {"replicas": 4}}, typed(MERGE))
        yield Case(
            f"{plural}: json patch",
            "PATCH",
            f"{where}/s/scale",
            [{"op": "replace", "path": "/spec/replicas", "value": 5}],
            typed(JSON_PATCH),
        )
        yield Case(f"{plural}: wrong type", "PATCH", f"{where}/s/scale", {"spec": {"replicas": "4"}}, typed(MERGE))
        yield Case(f"{plural}: put of another kind", "PUT", f"{where}/s/scale", {"kind": "Pod", "apiVersion": "v1"})
        yield Case(f"{plural}: after", "GET", f"{where}/s")
        yield Case(f"{plural}: delete", "DELETE", f"{where}/s")


def requested(name: str, cpu: str, limit: str = "") -> dict[str, Any]:
    resources: dict[str, Any] = {"requests": {"cpu": cpu}}
    if limit:
        resources["limits"] = {"cpu": limit}
    return pod(name, containers=[{"name": "c", "image": "busybox", "resources": resources}])


def budgets() -> Iterator[Case]:
    """Quotas and limit ranges."""
    hard = {"pods": "1", "requests.cpu": "500m", "count/configmaps": "1"}
    yield Case("quota", "POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    used = {"pods": "0", "requests.cpu": "0", "count/configmaps": "1"}
    yield Case("quota: status", "PATCH", f"{QUOTAS}/q/status", {"status": {"hard": hard, "used": used}}, typed(MERGE))
    yield Case("quota: table", "GET", f"{QUOTAS}/q", headers=TABLE)
    yield Case("quota: a pod that does not say", "POST", PODS, pod("silent"))
    yield Case("quota: too much cpu", "POST", PODS, requested("big", "600m"))
    yield Case("quota: dry run", "POST", f"{PODS}?dryRun=All", requested("dry", "400m"))
    yield Case("quota: a pod that fits", "POST", PODS, requested("fits", "400m"))
    yield Case("quota: one pod more", "POST", PODS, requested("more", "10m"))
    yield Case("quota: a config map", "POST", CONFIGMAPS, config("many"))
    yield Case("quota: a change is free", "PATCH", f"{PODS}/fits", {"metadata": {"labels": {"a": "b"}}}, typed(MERGE))
    yield Case("quota: delete the pod", "DELETE", f"{PODS}/fits?gracePeriodSeconds=0")
    yield Case(
        "quota: bad name of a resource", "POST", QUOTAS, {"metadata": {"name": "r"}, "spec": {"hard": {"x y": "1"}}}
    )
    yield Case("quota: not negative", "POST", QUOTAS, {"metadata": {"name": "r"}, "spec": {"hard": {"pods": "-1"}}})
    yield Case(
        "quota: scopes that conflict",
        "POST",
        QUOTAS,
        {"metadata": {"name": "r"}, "spec": {"scopes": ["BestEffort", "NotBestEffort"]}},
    )
    yield Case("quota: delete", "DELETE", f"{QUOTAS}/q")
    limits = {
        "type": "Container",
        "max": {"cpu": "2"},
        "min": {"cpu": "100m"},
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "200m"},
        "maxLimitRequestRatio": {"cpu": "4"},
    }
    yield Case("limits", "POST", LIMITS, {"metadata": {"name": "l"}, "spec": {"limits": [limits]}})
    yield Case("limits: table", "GET", f"{LIMITS}/l", headers=TABLE)
    yield Case("limits: defaults", "POST", PODS, pod("plain"))
    yield Case("limits: delete the pod", "DELETE", f"{PODS}/plain?gracePeriodSeconds=0")
    yield Case("limits: over the maximum", "POST", PODS, requested("over", "1", "3"))
    yield Case("limits: under the minimum", "POST", PODS, requested("under", "50m", "100m"))
    yield Case("limits: ratio", "POST", PODS, requested("ratio", "100m", "1"))
    yield Case(
        "limits: default above maximum",
        "POST",
        LIMITS,
        {"metadata": {"name": "m"}, "spec": {"limits": [{**limits, "default": {"cpu": "3"}}]}},
    )
    yield Case(
        "limits: unknown type of item",
        "POST",
        LIMITS,
        {"metadata": {"name": "m"}, "spec": {"limits": [{"type": "Pod", "default": {"cpu": "3"}}]}},
    )
    yield Case("limits: delete", "DELETE", f"{LIMITS}/l")


def forms() -> Iterator[Case]:
    """One object by two group versions."""
    about = {"kind": "Pod", "name": "web", "namespace": NAMESPACE}
    core = {
        "metadata": {"name": "old"},
        "involvedObject": about,
        "reason": "Started",
        "message": "it runs",
        "type": "Normal",
        "count": 2,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
        "source": {"component": "kubelet", "host": "n1"},
    }
    new = {
        "metadata": {"name": "new"},
        "regarding": about,
        "reason": "Pulled",
        "note": "an image",
        "type": "Normal",
        "action": "Pulling",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/test",
        "reportingInstance": "test-1",
    }
    yield Case("event: core", "POST", CORE_EVENTS, core)
    yield Case("event: core, read as new", "GET", f"{EVENTS}/old")
    yield Case("event: new", "POST", EVENTS, new)
    yield Case("event: new, read as core", "GET", f"{CORE_EVENTS}/new")
    yield Case("event: new without action", "POST", EVENTS, {**new, "metadata": {"name": "w"}, "action": ""})
    yield Case("event: new without time", "POST", EVENTS, {**new, "metadata": {"name": "w"}, "eventTime": None})
    yield Case(
        "event: core of another place",
        "POST",
        CORE_EVENTS,
        {**core, "metadata": {"name": "w"}, "involvedObject": {**about, "namespace": "x"}},
    )
    series = {"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}}
    yield Case("event: series", "PATCH", f"{EVENTS}/new", series, typed(MERGE))
    yield Case("event: by object", "GET", f"{CORE_EVENTS}?fieldSelector=involvedObject.name%3Dweb,reason%3DStarted")
    yield Case("event: by object, new", "GET", f"{EVENTS}?fieldSelector=regarding.name%3Dweb,reason%3DPulled")
    yield Case("event: bad field", "GET", f"{CORE_EVENTS}?fieldSelector=colour%3Dred")
    yield Case("event: core table", "GET", CORE_EVENTS, headers=TABLE)
    yield Case("event: new table", "GET", EVENTS, headers=TABLE)
    yield Case("event: delete core", "DELETE", f"{CORE_EVENTS}/old")
    yield Case("event: delete new", "DELETE", f"{EVENTS}/new")
    spec = {
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 60,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"},
    }
    yield Case("scaler: v1", "POST", OLD_SCALERS, {"metadata": {"name": "h"}, "spec": spec})
    yield Case("scaler: read as v2", "GET", f"{SCALERS}/h")
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
    }
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    yield Case(
        "scaler: patch v2", "PATCH", f"{SCALERS}/h", {"spec": {"metrics": [memory], "behavior": behavior}}, typed(MERGE)
    )
    yield Case("scaler: read as v1", "GET", f"{OLD_SCALERS}/h")
    yield Case("scaler: patch v1", "PATCH", f"{OLD_SCALERS}/h", {"spec": {"minReplicas": 2}}, typed(MERGE))
    yield Case("scaler: list v1", "GET", OLD_SCALERS)
    yield Case("scaler: list v2", "GET", SCALERS)
    yield Case("scaler: table v2", "GET", f"{SCALERS}/h", headers=TABLE)
    yield Case("scaler: delete", "DELETE", f"{OLD_SCALERS}/h")


def tokens() -> Iterator[Case]:
    """Token requests: audiences, lifetimes and what they are bound to."""
    where = f"{ACCOUNTS}/default/token"
    for name, spec in (
        ("plain", {}),
        ("audiences", {"audiences": ["vault", "other"]}),
        ("an hour", {"expirationSeconds": 3600}),
        ("too long", {"expirationSeconds": 2**33}),
        ("bound to what is not there", {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "none"}}),
        ("bound to an unknown kind", {"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "none"}}),
    ):
        yield Case(
            name, "POST", where, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        )
    yield Case("of another kind", "POST", where, {"apiVersion": "v1", "kind": "Pod"})
    yield Case("get", "GET", where)


def deletes() -> Iterator[Case]:
    """Dry runs, generated names, propagation and preconditions."""
    yield Case("create", "POST", CONFIGMAPS, config("d"))
    yield Case("dry delete", "DELETE", f"{CONFIGMAPS}/d?dryRun=All")
    yield Case("dry update", "PUT", f"{CONFIGMAPS}/d?dryRun=All", config("d", x="y"))
    yield Case("dry patch", "PATCH", f"{CONFIGMAPS}/d?dryRun=All", {"data": {"c": "d"}}, typed(MERGE))
    yield Case(
        "dry apply",
        "PATCH",
        f"{CONFIGMAPS}/fresh?dryRun=All&fieldManager=m",
        {"apiVersion": "v1", "kind": "ConfigMap"},
        typed(APPLY),
    )
    yield Case("dry collection", "DELETE", f"{CONFIGMAPS}?dryRun=All&fieldSelector=metadata.name%3Dd")
    yield Case("dry create again", "POST", f"{CONFIGMAPS}?dryRun=All", config("d"))
    yield Case("it still stands", "GET", f"{CONFIGMAPS}/d")
    yield Case(
        "bad dry run in the body",
        "DELETE",
        f"{CONFIGMAPS}/d",
        {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["Some"]},
    )
    yield Case("generated name", "POST", CONFIGMAPS, {"metadata": {"generateName": "gen-"}})
    yield Case("bad generated name", "POST", CONFIGMAPS, {"metadata": {"generateName": "GEN_"}})
    yield Case("no name at all", "POST", CONFIGMAPS, {"metadata": {}})
    yield Case("delete with an old revision", "DELETE", f"{CONFIGMAPS}/d", {"preconditions": {"resourceVersion": "1"}})
    both = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan", "orphanDependents": True}
    yield Case("both ways to say it", "DELETE", f"{CONFIGMAPS}/d", both)
    yield Case("options of another kind", "DELETE", f"{CONFIGMAPS}/d", {"kind": "Pod", "apiVersion": "v1"})
    yield Case("options that are a list", "DELETE", f"{CONFIGMAPS}/d", [])
    yield Case("options of a wrong type", "DELETE", f"{CONFIGMAPS}/d", {"gracePeriodSeconds": "soon"})
    yield Case("delete", "DELETE", f"{CONFIGMAPS}/d?propagationPolicy=Foreground")
    yield Case("held by the foreground", "GET", f"{CONFIGMAPS}/d")
    yield Case("delete again", "DELETE", f"{CONFIGMAPS}/d")
    yield Case(
        "add a finalizer too late", "PATCH", f"{CONFIGMAPS}/d", {"metadata": {"finalizers": ["a.com/b"]}}, typed(MERGE)
    )
    yield Case("release it", "PATCH", f"{CONFIGMAPS}/d", {"metadata": {"finalizers": None}}, typed(MERGE))
    yield Case("create to orphan", "POST", DEPLOYMENTS, deployment("o"))
    yield Case("orphan", "DELETE", f"{DEPLOYMENTS}/o?propagationPolicy=Orphan")
    yield Case("orphan waits", "GET", f"{DEPLOYMENTS}/o")
    yield Case(
        "orphan released",
        "PATCH",
        f"{DEPLOYMENTS}/o",
        [{"op": "remove", "path": "/metadata/finalizers"}],
        typed(JSON_PATCH),
    )
    yield Case("orphan gone", "GET", f"{DEPLOYMENTS}/o")
    yield Case("delete all", "DELETE", CONFIGMAPS)


def pages() -> Iterator[Case]:
    """A list in pages, and what breaks it."""
    for index in range(5):
        yield Case(f"create {index}", "POST", CONFIGMAPS, config(f"page-{index}", odd=str(index % 2)))
    yield Case("first", "GET", f"{CONFIGMAPS}?limit=2")
    yield Case("second", "GET", f"{CONFIGMAPS}?limit=2&continue={{continue}}")
    yield Case("delete behind", "DELETE", f"{CONFIGMAPS}/page-0")
    yield Case("first again", "GET", f"{CONFIGMAPS}?limit=3")
    yield Case("with a revision", "GET", f"{CONFIGMAPS}?limit=2&resourceVersion=5&continue={{continue}}")
    yield Case("first once more", "GET", f"{CONFIGMAPS}?limit=3")
    yield Case("last", "GET", f"{CONFIGMAPS}?limit=3&continue={{continue}}")
    yield Case("selected", "GET", f"{CONFIGMAPS}?limit=1&labelSelector=odd%3D1")
    yield Case("selected, last", "GET", f"{CONFIGMAPS}?limit=1&labelSelector=odd%3D1&continue={{continue}}")
    yield Case("table first", "GET", f"{CONFIGMAPS}?limit=2", headers=TABLE)
    yield Case("table last", "GET", f"{CONFIGMAPS}?limit=2&continue={{continue}}", headers=TABLE)
    yield Case("exactly all", "GET", f"{CONFIGMAPS}?limit=4")
    yield Case("all namespaces", "GET", "/api/v1/configmaps?limit=1&labelSelector=odd")
    yield Case("delete all", "DELETE", CONFIGMAPS)


def watches() -> Iterator[Case]:
    """Changes while a watch is open."""
    create = Case("", "POST", CONFIGMAPS, config("w", team="a"))
    change = Case("", "PATCH", f"{CONFIGMAPS}/w", {"data": {"a": "c"}}, typed(MERGE))
    leave = Case("", "PATCH", f"{CONFIGMAPS}/w", {"metadata": {"labels": {"team": "b"}}}, typed(MERGE))
    enter = Case("", "PATCH", f"{CONFIGMAPS}/w", {"metadata": {"labels": {"team": "a"}}}, typed(MERGE))
    same = Case("", "PATCH", f"{CONFIGMAPS}/w", {"data": {"a": "c"}}, typed(MERGE))
    delete = Case("", "DELETE", f"{CONFIGMAPS}/w")
    every = (create, change, leave, enter, same, delete)
    for name, query, headers in (
        ("all", "", {}),
        ("by label", "&labelSelector=team%3Da", {}),
        ("by name", "&fieldSelector=metadata.name%3Dw", {}),
        ("by another name", "&fieldSelector=metadata.name%3Dz", {}),
        ("from 0", "&resourceVersion=0&labelSelector=team%3Da", {}),
        ("tables", "", TABLE),
        ("tables by label", "&labelSelector=team%3Da", TABLE),
        ("metadata", "", PARTIAL),
    ):
        path = f"{CONFIGMAPS}?watch=1&timeoutSeconds=2{query}"
        yield Case(name, "GET", path, headers=headers, watch=True, during=every)
    started = Case("", "PATCH", f"{PODS}/wp/status", {"status": {"phase": "Running"}}, typed(MERGE))
    placed = Case(
        "", "POST", f"{PODS}/wp/binding", {"metadata": {"name": "wp"}, "target": {"kind": "Node", "name": "n"}}
    )
    ended = Case("", "DELETE", f"{PODS}/wp?gracePeriodSeconds=0")
    life = (Case("", "POST", PODS, pod("wp")), placed, started, ended)
    path = f"{PODS}?watch=1&timeoutSeconds=2"
    yield Case("a pod of a node", "GET", f"{path}&fieldSelector=spec.nodeName%3Dn", watch=True, during=life)
    yield Case("pods of no node", "GET", f"{path}&fieldSelector=spec.nodeName%3D", watch=True, during=life)
    yield Case("pods by phase", "GET", f"{path}&fieldSelector=status.phase%3DRunning", watch=True, during=life)
    yield Case("revision of the future", "GET", f"{path}&resourceVersion=99999999", watch=True)


def container(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "c",
        "image": "a",
        "imageID": "a",
        "ready": False,
        "restartCount": 0,
        "state": state,
        "lastState": {},
        **more,
    }


def tables() -> Iterator[Case]:
    """Tables of workloads whose status is filled."""
    waits = {"waiting": {"reason": "CrashLoopBackOff"}}
    died = {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": TIME, "finishedAt": TIME}}
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": TIME, "finishedAt": TIME}}
    killed = {"terminated": {"exitCode": 137, "signal": 9, "startedAt": TIME, "finishedAt": TIME}}
    runs = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    for name, status in (
        (
            "running",
            {
                **READY,
                "podIP": "10.0.0.1",
                "podIPs": [{"ip": "10.0.0.1"}],
                "containerStatuses": [container(runs, ready=True, started=True)],
            },
        ),
        ("crashing", {"phase": "Running", "containerStatuses": [container(waits, restartCount=3, lastState=died)]}),
        ("completed", {"phase": "Succeeded", "containerStatuses": [container(ended)]}),
        ("failed", {"phase": "Failed", "containerStatuses": [container(died)]}),
        ("killed", {"phase": "Failed", "containerStatuses": [container(killed)]}),
        ("evicted", {"phase": "Failed", "reason": "Evicted", "message": "no room"}),
        (
            "gated",
            {
                "phase": "Pending",
                "conditions": [
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "SchedulingGated",
                        "lastProbeTime": TIME,
                        "lastTransitionTime": TIME,
                    }
                ],
            },
        ),
        ("initializing", {"phase": "Pending", "initContainerStatuses": [{**container(waits), "name": "i"}]}),
    ):
        more = {"initContainers": [{"name": "i", "image": "i"}]} if name == "initializing" else {}
        yield Case(f"pod {name}: create", "POST", PODS, pod(f"t-{name}", **more))
        yield Case(f"pod {name}: status", "PATCH", f"{PODS}/t-{name}/status", {"status": status}, typed(MERGE))
        yield Case(f"pod {name}: table", "GET", f"{PODS}/t-{name}", headers=TABLE)
        yield Case(f"pod {name}: delete", "DELETE", f"{PODS}/t-{name}?gracePeriodSeconds=0")
    bare = deployment("t")
    template = bare["spec"]["template"]
    once = {**template, "spec": {**template["spec"], "restartPolicy": "Never"}}
    apps, batch = f"/apis/apps/v1/namespaces/{NAMESPACE}", f"/apis/batch/v1/namespaces/{NAMESPACE}"
    counts = {"replicas": 3, "readyReplicas": 2, "availableReplicas": 1, "observedGeneration": 1}
    for where, manifest, status in (
        (f"{apps}/deployments", bare, {**counts, "updatedReplicas": 2, "unavailableReplicas": 2}),
        (f"{apps}/replicasets", {**bare, "kind": "ReplicaSet"}, {**counts, "fullyLabeledReplicas": 3}),
        (
            f"{apps}/statefulsets",
            {**bare, "kind": "StatefulSet", "spec": {**bare["spec"], "serviceName": "t"}},
            {**counts, "currentReplicas": 3, "updatedReplicas": 3},
        ),
        (
            f"{apps}/daemonsets",
            {**bare, "kind": "DaemonSet"},
            {
                "currentNumberScheduled": 3,
                "desiredNumberScheduled": 4,
                "numberMisscheduled": 0,
                "numberReady": 2,
                "numberAvailable": 1,
                "updatedNumberScheduled": 2,
            },
        ),
        (
            f"{batch}/jobs",
            {"metadata": {"name": "t"}, "spec": {"completions": 3, "parallelism": 2, "template": once}},
            {"active": 1, "ready": 1, "succeeded": 1, "failed": 1, "startTime": "2026-01-01T00:00:00Z"},
        ),
        (
            f"{batch}/cronjobs",
            {
                "metadata": {"name": "t"},
                "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": once}}},
            },
            {"lastScheduleTime": "2026-01-01T00:00:00Z"},
        ),
        (
            f"{CORE}/replicationcontrollers",
            {"metadata": {"name": "t"}, "spec": {"selector": {"a": "t"}, "template": template}},
            {**counts, "fullyLabeledReplicas": 3},
        ),
        (
            f"{CORE}/services",
            {
                "metadata": {"name": "t"},
                "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{"port": 80}]},
            },
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "lb.example.com"}]}},
        ),
        (
            f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses",
            {
                "metadata": {"name": "t"},
                "spec": {
                    "ingressClassName": "n",
                    "tls": [{"hosts": ["a.com"]}],
                    "rules": [{"host": "a.com"}, {"host": "b.com"}],
                },
            },
            {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
        ),
        (
            f"{CORE}/persistentvolumeclaims",
            {
                "metadata": {"name": "t"},
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "fast",
                    "volumeName": "v",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            },
            {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}},
        ),
        (
            "/api/v1/persistentvolumes",
            {
                "metadata": {"name": "t"},
                "spec": {
                    "capacity": {"storage": "2Gi"},
                    "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
                    "hostPath": {"path": "/tmp/x"},
                    "claimRef": {"namespace": "n", "name": "c"},
                },
            },
            {"phase": "Bound"},
        ),
        (
            "/api/v1/nodes",
            {
                "metadata": {"name": "t", "labels": {"node-role.kubernetes.io/worker": ""}},
                "spec": {"unschedulable": True},
            },
            {
                "conditions": [
                    {"type": "Ready", "status": "True", "lastHeartbeatTime": TIME, "lastTransitionTime": TIME}
                ],
                "addresses": [{"type": "InternalIP", "address": "1.2.3.4"}],
                "nodeInfo": {
                    "kubeletVersion": "v1.37.2",
                    "osImage": "Linux",
                    "kernelVersion": "6",
                    "containerRuntimeVersion": "c://1",
                },
            },
        ),
        (
            SCALERS,
            {
                "metadata": {"name": "t"},
                "spec": {
                    "maxReplicas": 3,
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"},
                    "metrics": [
                        {
                            "type": "Resource",
                            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                        }
                    ],
                },
            },
            {
                "currentReplicas": 2,
                "desiredReplicas": 3,
                "currentMetrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "current": {"averageUtilization": 70, "averageValue": "70m"}},
                    }
                ],
            },
        ),
    ):
        plural = where.rpartition("/")[2]
        yield Case(f"{plural}: create", "POST", where, manifest)
        yield Case(f"{plural}: status", "PATCH", f"{where}/t/status", {"status": status}, typed(MERGE))
        yield Case(f"{plural}: table", "GET", f"{where}/t", headers=TABLE)
        yield Case(f"{plural}: list", "GET", f"{where}?fieldSelector=metadata.name%3Dt", headers=TABLE)
        yield Case(f"{plural}: delete", "DELETE", f"{where}/t")


def transport() -> Iterator[Case]:
    """Encodings, protobuf bodies, conditional requests."""
    proto = {**config("proto"), "apiVersion": "v1", "kind": "ConfigMap"}
    yield Case("protobuf body", "POST", CONFIGMAPS, protobuf_writer.encode(proto), typed(PROTOBUF))
    proto_pod = pod("proto")
    yield Case("protobuf pod", "POST", PODS, protobuf_writer.encode(proto_pod), typed(PROTOBUF))
    yield Case("protobuf deployment", "POST", DEPLOYMENTS, protobuf_writer.encode(deployment("proto")), typed(PROTOBUF))
    yield Case("protobuf of another kind", "POST", CONFIGMAPS, protobuf_writer.encode(proto_pod), typed(PROTOBUF))
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
    yield Case("protobuf delete options", "DELETE", f"{PODS}/proto", protobuf_writer.encode(options), typed(PROTOBUF))
    yield Case("delete the deployment", "DELETE", f"{DEPLOYMENTS}/proto")
    yield Case("pretty", "GET", f"{CONFIGMAPS}/proto?pretty=true")
    yield Case("not pretty", "GET", f"{CONFIGMAPS}/proto?pretty=false")
    yield Case("pretty for curl", "GET", f"{CONFIGMAPS}/proto", headers={"User-Agent": "curl/8"})
    yield Case("pretty status", "GET", f"{CONFIGMAPS}/none?pretty=1")
    yield Case("yaml", "GET", f"{CONFIGMAPS}/none", headers={"Accept": "application/yaml"})
    yield Case("yaml body", "POST", CONFIGMAPS, b"metadata:\n  name: yam\ndata:\n  a: '1'\n", typed("application/yaml"))
    yield Case(
        "yaml with a number", "POST", CONFIGMAPS, b"metadata:\n  name: num\ndata:\n  a: 1\n", typed("application/yaml")
    )
    yield Case("small and gzip", "GET", f"{CONFIGMAPS}/proto", headers={"Accept-Encoding": "gzip"})
    yield Case("large", "POST", CONFIGMAPS, {"metadata": {"name": "large"}, "data": {"a": "x" * 200_000}})
    yield Case("large and gzip", "GET", f"{CONFIGMAPS}/large", headers={"Accept-Encoding": "gzip"})
    yield Case("large and no gzip", "GET", f"{CONFIGMAPS}/large")
    yield Case("delete large", "DELETE", f"{CONFIGMAPS}/large")
    yield Case("openapi index", "GET", "/openapi/v3")
    yield Case(
        "openapi v2 that one has", "GET", "/openapi/v2", headers={"If-None-Match": "{etag}"}, first="/openapi/v2"
    )
    yield Case("openapi of no group", "GET", "/openapi/v3/apis/nothing.example.com/v1")
    yield Case("head", "HEAD", f"{CONFIGMAPS}/proto")
    yield Case("head of nothing", "HEAD", f"{CONFIGMAPS}/none")
    yield Case("options", "OPTIONS", CONFIGMAPS)
    yield Case("unknown content type", "POST", CONFIGMAPS, b"x", typed("text/html"))
    yield Case("unacceptable", "GET", CONFIGMAPS, headers={"Accept": "text/html"})
    yield Case("delete all", "DELETE", CONFIGMAPS)


CLIENTS = {
    "pods": pods,
    "scales": scales,
    "budgets": budgets,
    "forms": forms,
    "tokens": tokens,
    "deletes": deletes,
    "pages": pages,
    "watches": watches,
    "tables": tables,
    "transport": transport,
}
