"""What the door counts, in Kubernetes' names, as Prometheus text; and figures of the actors, summed by kind."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from actors import Node

BUCKET_SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)
MAX_SERIES = 2000
"""Label sets that are kept; a request that would be one more counts as ``other``."""

Key = tuple[str, str, str, str, str, int]
"""Verb, group, version, resource, subresource and code."""
OTHER: Key = ("other", "", "", "", "", 0)
REQUESTS = "apiserver_request_total"
SECONDS = "apiserver_request_duration_seconds"


class Requests:
    """One dict look-up and two additions for each request."""

    def __init__(self) -> None:
        self._series: dict[Key, list[float]] = {}

    def observe(self, key: Key, seconds: float) -> None:
        counts = self._series.get(key)
        if counts is None:
            key = key if len(self._series) < MAX_SERIES else OTHER
            counts = self._series.setdefault(key, [0.0] * (len(BUCKET_SECONDS) + 2))
        counts[bisect_left(BUCKET_SECONDS, seconds)] += 1
        counts[-1] += seconds

    def lines(self) -> Iterator[str]:
        yield f"# TYPE {REQUESTS} counter"
        for key, counts in self._series.items():
            yield f"{REQUESTS}{{{_labels(key, code=True)}}} {int(sum(counts[:-1]))}"
        yield f"# TYPE {SECONDS} histogram"
        for labels, counts in self._without_code().items():
            total = 0.0
            for bound, count in zip((*BUCKET_SECONDS, "+Inf"), counts[:-1], strict=True):
                total += count
                yield f'{SECONDS}_bucket{{{labels},le="{bound}"}} {int(total)}'
            yield f"{SECONDS}_sum{{{labels}}} {counts[-1]:.6f}"
            yield f"{SECONDS}_count{{{labels}}} {int(total)}"

    def _without_code(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for key, counts in self._series.items():
            labels = _labels(key, code=False)
            before = found.get(labels)
            found[labels] = counts if before is None else [a + b for a, b in zip(before, counts, strict=True)]
        return found


def _labels(key: Key, *, code: bool) -> str:
    verb, group, version, resource, subresource, number = key
    names = [("verb", verb.upper()), ("group", group), ("version", version), ("resource", resource)]
    names.append(("subresource", subresource))
    if code:
        names.append(("code", str(number)))
    return ",".join(f'{name}="{value}"' for name, value in names)


def actor_lines(tree: Node) -> Iterator[str]:
    """Messages that wait, were handled, and restarts, of all actors of a kind: thousands of nodes are one line."""
    sums: dict[str, list[int]] = {}
    for node in _walk((tree,)):
        held = sums.setdefault(node.kind, [0, 0, 0, 0])
        found = node.statistics
        for position, value in enumerate((1, found.mailbox, found.handled, found.restarts)):
            held[position] += value
    names = (
        ("podium_actors", "gauge"),
        ("podium_mailbox_messages", "gauge"),
        ("podium_handled_messages_total", "counter"),
        ("podium_restarts_total", "counter"),
    )
    for position, (name, kind) in enumerate(names):
        yield f"# TYPE {name} {kind}"
        for actor, values in sorted(sums.items()):
            yield f'{name}{{kind="{actor}"}} {values[position]}'


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children)
