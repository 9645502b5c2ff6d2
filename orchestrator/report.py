"""How a cluster is, actor by actor, as one JSON document: what ``podium status`` draws.

Rates are over the time since the report before, so the first one counts from the start.
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors import Actor, Ask, Clock, Node, Ref, System
from orchestrator import __version__
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.client import Client
from orchestrator.client.kinds import NODES, PODS
from orchestrator.client.protocol import Options
from orchestrator.client.requests import list_
from orchestrator.store.protocol import StoreStatus

API = "server/apiserver"


class ReportNow(Ask[Any]):
    """The document, a JSON object."""


class Reporter(Actor):
    """Gives the report to doors, wherever they are."""

    def __init__(self, report: Report) -> None:
        self._report = report

    async def receive(self, message: Any) -> Any:
        assert isinstance(message, ReportNow), f"expected ReportNow, found {type(message).__name__}"
        return self.context.later(self._report(), "report")


class Report:
    """``await report()`` is the document. It remembers how much each actor had handled."""

    def __init__(self, system: System, store: Ref[Any], client: Client, clock: Clock) -> None:
        self._system = system
        self._store = store
        self._client = client
        self._clock = clock
        self._began = self._before = clock.monotonic()
        self._handled: dict[str, int] = {}

    async def __call__(self) -> Object:
        now = self._clock.monotonic()
        seconds = max(now - self._before, 1e-3)
        tree = self._system.tree()
        handled = {node.path: node.statistics.handled for node in _walk(tree)}
        drawn = self._draw(tree, seconds)
        requests = (handled.get(API, 0) - self._handled.get(API, 0)) / seconds
        self._before, self._handled = now, handled
        store = await self._store.ask(StoreStatus())
        nodes = (await self._client.list(NODES)).objects()
        pods = await self._client.request(list_(PODS, "", Options(limit=1)))
        return {
            "version": __version__,
            "uptimeSeconds": round(now - self._began, 3),
            "revision": store.revision,
            "nodes": {"ready": sum(map(_is_ready, nodes)), "total": len(nodes)},
            "pods": len(pods.items or ()) + (pods.remaining or 0),
            "store": msgspec.structs.asdict(store),
            "requestsPerSecond": round(requests, 1),
            "watches": store.watches,
            "tree": drawn,
        }

    def _draw(self, node: Node, seconds: float) -> Object:
        found = node.statistics
        return {
            "name": node.path.rpartition("/")[2] or self._system.name,
            "kind": node.kind,
            "state": node.state,
            "mailbox": found.mailbox,
            "handled": found.handled,
            "perSecond": round((found.handled - self._handled.get(node.path, 0)) / seconds, 1),
            "restarts": found.restarts,
            "children": [self._draw(child, seconds) for child in node.children],
        }


def _walk(node: Node) -> list[Node]:
    return [node, *(one for child in node.children for one in _walk(child))]


def _is_ready(node: Object) -> bool:
    conditions = node.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
