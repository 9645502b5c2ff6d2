"""HorizontalPodAutoscaler: what metrics ask for, how it is tempered, and what is done about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from actors import Ref, System, child
from orchestrator.api.usage import Amount, Measured, Usage
from orchestrator.apimachinery.encoded import Object, encode
from orchestrator.apimachinery.selectors import parse_labels
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.server import ApiServer
from orchestrator.apiserver.special.scale import scale_of
from orchestrator.client.cache import MutableCache
from orchestrator.client.client import Client
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, PODS, SERVICEACCOUNTS
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity
from orchestrator.client.view import Parts, View
from orchestrator.controllers.autoscaler import Autoscalers, plan
from orchestrator.controllers.autoscaler_metrics import MetricError, Tolerances, propose
from orchestrator.controllers.autoscaler_pace import Moment, Past, limited, stabilized
from orchestrator.controllers.autoscaler_target import PodsByLabel, Target, target_of, target_of_view
from orchestrator.controllers.registry import CONTROLLERS
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.store import Store
from tests.controllers.stage import deployment

NOW = 1_000_000.0
MILLI = 1_000_000


def cpu(target: Object, **more: Any) -> Object:
    return {"type": "Resource", "resource": {"name": "cpu", "target": target, **more}}


HALF = cpu({"type": "Utilization", "averageUtilization": 50})


def pod(name: str, *, request: str = "100m", ready: bool = True, phase: str = "Running", age: float = 3600) -> View:
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": rfc3339(NOW - age),
    }
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": request, "memory": "100Mi"}}}]},
        "status": {"phase": phase, "startTime": rfc3339(NOW - age), "conditions": [condition]},
    }
    return View(encode(obj, 1), Parts())


def uses(milli: int, memory: int = 0, *, at: float = NOW) -> Measured:
    return Measured(at, 15.0, {"c": Amount(milli * MILLI, memory)})


def proposed(metric: Object, pods: list[View], figures: list[int | None], current: int | None = None) -> int:
    measured = {view.key: uses(figure) for view, figure in zip(pods, figures, strict=True) if figure is not None}
    return propose(metric, current or len(pods), pods, measured, Tolerances(), NOW).replicas


def three(**more: Any) -> list[View]:
    return [pod(f"p{number}", **more) for number in range(3)]


@pytest.mark.parametrize(
    ("figures", "wanted"),
    [([100, 100, 100], 6), ([20, 30, 25], 2), ([52, 54, 50], 3), ([46, 46, 46], 3)],
    ids=["above", "below", "a little above", "a little below"],
)
def test_replicas_follow_the_ratio_of_utilization_to_its_target(figures: list[int | None], wanted: int) -> None:
    assert proposed(HALF, three(), figures) == wanted


def test_an_average_value_is_a_target_for_each_pod() -> None:
    metric = cpu({"type": "AverageValue", "averageValue": "30m"})
    assert proposed(metric, three(), [60, 60, 60]) == 6


def test_memory_is_compared_in_bytes() -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "Resource", "resource": {"name": "memory", "target": target}}
    found = propose(metric, 1, [pod("p")], {"default/p": uses(0, 100 * 1024 * 1024)}, Tolerances(), NOW)
    assert found.replicas == 2
    assert found.status["resource"]["current"] == {"averageUtilization": 100, "averageValue": "100Mi"}


def test_a_container_metric_looks_at_its_container_alone() -> None:
    target = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c", "target": target}}
    measured = Measured(NOW, 15.0, {"c": Amount(100 * MILLI, 0), "sidecar": Amount(900 * MILLI, 0)})
    assert propose(metric, 1, [pod("p")], {"default/p": measured}, Tolerances(), NOW).replicas == 2


def test_a_pod_without_figures_counts_as_idle_when_the_scale_would_grow() -> None:
    assert proposed(HALF, three(), [100, 100, None]) == 4


def test_a_pod_without_figures_counts_as_busy_when_the_scale_would_shrink() -> None:
    assert proposed(HALF, three(), [10, 10, None]) == 3


def test_a_pod_that_is_not_ready_counts_as_idle_when_the_scale_would_grow() -> None:
    pods = [*three()[:2], pod("late", phase="Pending")]
    assert proposed(HALF, pods, [80, 80, None]) == 3


def test_the_cpu_of_a_pod_that_starts_is_not_believed() -> None:
    pods = [pod("old"), pod("young", age=20, ready=False)]
    assert proposed(HALF, pods, [50, 1000]) == 2


def test_a_failed_pod_is_not_asked() -> None:
    pods = [pod("good"), pod("bad", phase="Failed")]
    assert proposed(HALF, pods, [100, None], current=1) == 2


def test_utilization_needs_a_request() -> None:
    bare = View(
        encode(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "p", "namespace": "default"},
                "spec": {"containers": [{"name": "c"}]},
                "status": pod("p").status,
            },
            1,
        ),
        Parts(),
    )
    with pytest.raises(MetricError, match="missing request for cpu in container c of Pod p"):
        proposed(HALF, [bare], [10])


def test_a_metric_type_that_nobody_serves_is_refused() -> None:
    with pytest.raises(MetricError) as failure:
        proposed({"type": "External", "external": {}}, three(), [1, 1, 1])
    assert failure.value.reason == "FailedGetExternalMetric"


SPEC: Object = {"minReplicas": 1, "maxReplicas": 20, "metrics": [HALF]}


def test_down_goes_no_further_than_the_greatest_wish_of_five_minutes() -> None:
    wishes = [Moment(NOW - 400, 10), Moment(NOW - 200, 6)]
    found = stabilized(SPEC, 10, 2, wishes, NOW)
    assert (found.replicas, found.reason) == (6, "ScaleDownStabilized")


def test_up_waits_for_its_window() -> None:
    spec = {**SPEC, "behavior": {"scaleUp": {"stabilizationWindowSeconds": 60}}}
    found = stabilized(spec, 3, 8, [Moment(NOW - 30, 4)], NOW)
    assert (found.replicas, found.reason) == (4, "ScaleUpStabilized")


@pytest.mark.parametrize(
    ("current", "wished", "replicas", "reason"),
    [
        (1, 20, 5, "ScaleUpLimit"),
        (6, 20, 12, "ScaleUpLimit"),
        (12, 30, 20, "TooManyReplicas"),
        (3, 0, 1, "TooFewReplicas"),
        (3, 4, 4, ""),
    ],
)
def test_a_scale_moves_within_its_bounds_and_at_its_pace(current: int, wished: int, replicas: int, reason: str) -> None:
    found = limited(SPEC, current, wished, [], NOW)
    assert (found.replicas, found.reason) == (replicas, reason)


def test_what_was_added_in_the_period_counts_against_the_policy() -> None:
    rules = {"scaleUp": {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}], "selectPolicy": "Max"}}
    spec = {**SPEC, "behavior": rules}
    assert limited(spec, 5, 20, [Moment(NOW - 30, 3)], NOW).replicas == 6
    assert limited(spec, 5, 20, [Moment(NOW - 90, 3)], NOW).replicas == 9


def test_a_disabled_direction_is_not_taken() -> None:
    spec = {**SPEC, "behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}
    assert limited(spec, 5, 1, [], NOW).replicas == 5


def test_a_metric_that_cannot_be_read_keeps_the_others_from_shrinking() -> None:
    spec = {**SPEC, "metrics": [HALF, {"type": "External", "external": {}}]}
    measured = {view.key: uses(1) for view in three()}
    found = plan(spec, Target(3, 3, "app=web"), three(), measured, Past(), NOW)
    assert found.replicas is None
    assert found.conditions[1][:3] == ("ScalingActive", False, "FailedGetExternalMetric")
    measured = {view.key: uses(100) for view in three()}
    assert plan(spec, Target(3, 3, "app=web"), three(), measured, Past(), NOW).replicas == 6


def test_a_wish_that_is_repeated_stays_in_every_window() -> None:
    past = Past([Moment(NOW - 400, 10)])
    for ago in (300, 200, 100):
        past.wish(NOW - ago, 6)
    past.wish(NOW, 2)
    assert [(NOW - held.at, held.replicas) for held in past.wishes] == [(400, 10), (100, 6), (0, 2)]
    past.forget(NOW + 3550)
    assert [held.replicas for held in past.wishes] == [2]


def test_pods_by_label_are_those_that_the_selector_matches() -> None:
    cache = MutableCache(PODS)
    index = PodsByLabel(cache)
    for number, labels in enumerate(({"app": "a"}, {"app": "b", "tier": "x"}, {"app": "b"}, {})):
        obj = {"metadata": {"name": f"p{number}", "namespace": "default", "labels": labels}}
        cache.put(encode({"apiVersion": "v1", "kind": "Pod", **obj}, number + 1))
        cache.revision = number + 1
        for text in ("app=b", "app=b,tier=x", "app in (a,b)", "app", "!app", "app!=b", "app=none"):
            selector = parse_labels(text)
            assert list(index.select(selector, "default")) == cache.select(selector, "default"), text


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"b": "1", "a": "2"}},
        {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
        {"a": "1"},
        None,
    ],
)
def test_a_target_is_the_same_from_the_cache_and_from_its_scale(selector: Object | None) -> None:
    workload: Object = {
        "metadata": {"name": "w", "namespace": "default", "resourceVersion": "7"},
        "spec": {"replicas": 3} | ({"selector": selector} if selector is not None else {}),
        "status": {"replicas": 2},
    }
    view = View(encode(workload, 7), Parts())
    assert target_of_view(view) == target_of(scale_of(workload))


def test_a_target_of_zero_replicas_is_left_alone() -> None:
    found = plan(SPEC, Target(0, 0, "app=web"), [], {}, Past(), NOW)
    assert (found.replicas, found.conditions[1][2]) == (None, "ScalingDisabled")


def test_a_scale_beyond_the_bounds_is_brought_back_without_metrics() -> None:
    assert plan(SPEC, Target(30, 30, "app=web"), [], {}, Past(), NOW).replicas == 20


class Load:
    """What every pod of the cluster uses."""

    milli = 0

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now

    async def measure(self) -> Usage:
        pods = await self._client.list(PODS)
        keys = [f"default/{one['metadata']['name']}" for one in pods.objects()]
        return Usage({key: uses(self.milli, at=self._now()) for key in keys}, {})


@asynccontextmanager
async def play(metrics: list[Object]) -> AsyncIterator[tuple[System, Client, Load]]:
    """A deployment of two ready pods, and an autoscaler with its own identity before the real API server."""
    identity = next(entry.identity for entry in CONTROLLERS if entry.controller is Autoscalers)
    async with System(seed=1) as system:
        store = await system.spawn(Store, MemoryLog(), name="store")
        api = await system.spawn(partial(ApiServer, store, ServerConfig()), name="api")
        client = Client(MailboxTransport(api, Identity("admin", ("system:masters",))))
        own = Client(MailboxTransport(api, identity))

        async def spawn(factory: Callable[[], Any], name: str) -> Ref[Any]:
            return await system.spawn(child(factory), name=name)

        await client.create(DEPLOYMENTS, deployment(replicas=2))
        await client.create(SERVICEACCOUNTS, {"metadata": {"name": "default", "namespace": "default"}}, "default")
        for name in ("one", "two"):
            await client.create(PODS, plain_pod(name))
            status = {**pod(name).status, "startTime": rfc3339(system.clock.time() - 3600)}
            status["conditions"] = [{**status["conditions"][0], "lastTransitionTime": status["startTime"]}]
            await client.patch(PODS, name, "default", {"status": status}, subresource="status")
        await client.create(HORIZONTALPODAUTOSCALERS, autoscaler(metrics))
        load = Load(client, system.clock.time)
        informers = Informers(client, spawn)
        await system.spawn(child(lambda: Autoscalers(own, informers, measure=load.measure)), name="autoscaler")
        yield system, client, load


def plain_pod(name: str) -> Object:
    container = {"name": "c", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [container]},
    }


def autoscaler(metrics: list[Object]) -> Object:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 10,
            "metrics": metrics,
        },
    }


async def replicas(client: Client) -> int:
    return int((await client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"])


async def test_a_busy_deployment_grows_and_says_so() -> None:
    async with play([HALF]) as (system, client, load):
        load.milli = 100
        await system.clock.sleep(20.0)
        assert await replicas(client) == 4
        status = (await client.get(HORIZONTALPODAUTOSCALERS, "web", "default"))["status"]
        assert status["desiredReplicas"] == 4
        assert status["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 100
        held = {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}
        assert held["ScalingActive"] == ("True", "ValidMetricFound")


async def test_an_idle_deployment_shrinks_when_five_minutes_have_passed() -> None:
    async with play([HALF]) as (system, client, load):
        load.milli = 1
        await system.clock.sleep(200.0)
        assert await replicas(client) == 2
        await system.clock.sleep(130.0)
        assert await replicas(client) == 1


async def test_a_target_that_is_not_there_is_reported() -> None:
    async with play([HALF]) as (system, client, _):
        await client.delete(DEPLOYMENTS, "web", "default")
        await system.clock.sleep(20.0)
        status = (await client.get(HORIZONTALPODAUTOSCALERS, "web", "default"))["status"]
        assert [one["reason"] for one in status["conditions"] if one["type"] == "AbleToScale"] == ["FailedGetScale"]
