"""What a failed test says beside its assertion: the cluster as it was, what changed, what it told, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from orchestrator.apimachinery.encoded import Object, join
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.kinds import EVENTS, NODES, PODS
from orchestrator.embedding.cluster import Cluster
from orchestrator.embedding.reference import built_in, title_of_key
from orchestrator.embedding.unmet import Unmet, phase
from orchestrator.store.protocol import Changed, Parts

MAX_EVENTS = 15
MAX_CHANGES = 4
MAX_LINES = 8
"""Of one change; a rollout's status has a dozen fields."""
QUIET_FIELDS = ("metadata.resourceVersion", "metadata.managedFields", "metadata.generation")


async def sections(cluster: Cluster, failure: BaseException) -> list[tuple[str, str]]:
    """Titles and texts for the report."""
    found = [("cluster", await _summary(cluster)), ("faults", "\n".join(cluster.suffered))]
    found.append(("events", await _events(cluster)))
    if isinstance(failure, Unmet) and failure.last is not None:
        found.append((f"changes of {failure.what}", await _changes(cluster, failure)))
        found.append(("causes", _causes(failure)))
    return [(title, text) for title, text in found if text]


async def _summary(cluster: Cluster) -> str:
    nodes = (await cluster.client.list(NODES)).objects()
    pods = (await cluster.client.list(PODS)).objects()
    counts: dict[str, int] = {}
    for pod in pods:
        counts[phase(pod)] = counts.get(phase(pod), 0) + 1
    off = ", ".join(sorted(cluster.off))
    lines = [
        f"{cluster.age():.1f} s of its time; nodes {len(nodes)}" + (f", without power {off}" if off else ""),
        "pods " + (", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "none"),
    ]
    return "\n".join(lines)


async def _events(cluster: Cluster) -> str:
    found = (await cluster.client.list(EVENTS)).objects()
    found.sort(key=lambda event: int(event["metadata"]["resourceVersion"]))
    return "\n".join(_event_line(cluster, event) for event in found[-MAX_EVENTS:])


def _event_line(cluster: Cluster, event: Object) -> str:
    about = event.get("involvedObject") or {}
    seen = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    age = cluster.system.clock.time() - parse_time(seen) if seen else 0.0
    name = f"{str(about.get('kind')).lower()}/{about.get('name')}"
    return f"{age:6.0f} s ago  {event.get('type', '')}  {event.get('reason', '')}  {name}: {event.get('message', '')}"


async def _changes(cluster: Cluster, failure: Unmet) -> str:
    """The newest changes of what was waited for, field by field."""
    last: Any = failure.last
    kind = built_in(failure.what.partition("/")[0])
    if kind is None:
        return ""
    meta = last["metadata"]
    place = f"{meta['namespace']}/" if kind.namespaced else ""
    values = await cluster.store.ask(Changed(f"{kind.prefix}{place}{meta['name']}", MAX_CHANGES + 1))
    objects = [(revision, _joined(revision, parts)) for revision, parts in values]
    lines: list[str] = []
    for (_, before), (revision, after) in pairwise(objects):
        differences = list(difference(before, after))
        lines.append(f"revision {revision}:")
        lines += [f"  {line}" for line in differences[:MAX_LINES]]
        if len(differences) > MAX_LINES:
            lines.append(f"  and {len(differences) - MAX_LINES} more fields")
    return "\n".join(lines)


def _joined(revision: int, parts: Parts) -> Object:
    metadata, status, rest = parts
    return join(metadata, status, rest, revision)


def difference(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """``status.readyReplicas: 2 -> 3`` for each field that differs. Pure."""
    if before == after or path in QUIET_FIELDS:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            yield from difference(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        yield from difference(_named(before), _named(after), path)
    else:
        yield f"{path}: {_short(before)} -> {_short(after)}"


def _named(items: list[Any]) -> dict[str, Any]:
    """A list as a mapping, by what its items are known by."""
    named = {}
    for number, item in enumerate(items):
        known = [item[key] for key in ("type", "name", "uid") if key in item] if isinstance(item, dict) else []
        named[str(known[0] if known else number)] = item
    return named


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _causes(failure: Unmet) -> str:
    steps = [*reversed(failure.evidence.steps), *reversed(failure.evidence.trigger)]
    return "\n".join(
        f"revision {step.revision}  {title_of_key(step.key)}{' deleted' if step.deleted else ''}  by {step.actor}"
        + (f", because of revision {step.parent}" if step.parent else "")
        for step in sorted(steps, key=lambda step: step.revision)
    )
