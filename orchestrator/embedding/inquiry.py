"""Asks a cluster what stood in the way of a goal: the object's pods, the nodes, the causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actors import ActorError, Ref
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.meta import controller_of
from orchestrator.apimachinery.selectors import from_label_selector
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import NODES, PODS, Kind
from orchestrator.embedding.reference import kind_of_object
from orchestrator.embedding.unmet import Evidence, troubled_pods
from orchestrator.store.protocol import Causes, Get, Step, Value


async def inquire(client: Client, store: Ref[Any], kind: Kind, found: Object | None) -> Evidence:
    """The evidence about ``found``. A server that does not answer leaves only the object itself."""
    if found is None:
        return Evidence(None)
    try:
        everybody = (await client.list(PODS)).objects()
        nodes = (await client.list(NODES)).objects()
        pods = belonging(kind, found, everybody)
        steps, trigger = await _steps(store, kind, found, troubled_pods(pods))
    except (StatusError, TransportError, ActorError):
        return Evidence(found)
    return Evidence(found, pods, nodes, everybody, steps, trigger)


def belonging(kind: Kind, found: Object, pods: Sequence[Object]) -> list[Object]:
    """The pod itself, or the pods that a workload or a Service selects; the oldest first."""
    meta, spec = found["metadata"], found.get("spec") or {}
    if kind == PODS:
        return [found]
    selector = spec.get("selector")
    if not isinstance(selector, dict) or not selector:
        return []
    whole = "matchLabels" in selector or "matchExpressions" in selector
    chosen = from_label_selector(selector if whole else {"matchLabels": selector})
    mine = [
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == meta.get("namespace") and chosen.matches(pod["metadata"].get("labels") or {})
    ]
    return sorted(mine, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


async def _steps(
    store: Ref[Any], kind: Kind, found: Object, troubled: Sequence[Object]
) -> tuple[Sequence[Step], Sequence[Step]]:
    """How the first troubled pod came to be wanted, and what had it made; or how the object came to be as it is."""
    if not troubled:
        value = await _value(store, kind, found)
        return (await _causes(store, value.mod_revision) if value is not None else ()), ()
    pod = await _value(store, PODS, troubled[0])
    if pod is None:
        return (), ()
    made = await _causes(store, pod.create_revision)
    wanted = made[:1]
    owner = controller_of(troubled[0]["metadata"])
    about = kind_of_object(owner) if owner else None
    if owner and about is not None:
        named = {"metadata": {"name": owner["name"], "namespace": troubled[0]["metadata"]["namespace"]}}
        value = await _value(store, about, named)
        wanted += await _causes(store, value.create_revision) if value is not None else []
    known = {step.revision for step in wanted}
    return wanted, [step for step in made if step.revision not in known]


async def _value(store: Ref[Any], kind: Kind, obj: Object) -> Value | None:
    meta = obj["metadata"]
    place = f"{meta['namespace']}/" if kind.namespaced else ""
    found: Value | None = (await store.ask(Get([f"{kind.prefix}{place}{meta['name']}"]))).values[0]
    return found


async def _causes(store: Ref[Any], revision: int) -> list[Step]:
    steps: list[Step] = await store.ask(Causes(revision))
    return steps
