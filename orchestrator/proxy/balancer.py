"""Which endpoint a new connection goes to: in turn, or the one that its client had before."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Container

from orchestrator.proxy.portals import Endpoint, Portal

MAX_CLIENTS = 8192
"""Clients whose endpoint one portal remembers; the least recently seen is forgotten."""


class Balancer:
    """The turn and the memory of one portal."""

    def __init__(self, portal: Portal, random_: random.Random) -> None:
        self.portal = portal
        self._turn = random_.randrange(1 << 16)
        self._clients: OrderedDict[str, tuple[Endpoint, float]] = OrderedDict()

    def pick(self, client: str, now: float, tried: Container[Endpoint] = ()) -> Endpoint | None:
        """An endpoint that was not ``tried`` yet; None when there is none left."""
        seconds = self.portal.affinity_seconds
        if seconds:
            held = self._clients.get(client)
            if (
                held is not None
                and now - held[1] < seconds
                and held[0] not in tried
                and held[0] in self.portal.endpoints
            ):
                return self._remember(client, held[0], now)
        left = [endpoint for endpoint in self.portal.endpoints if endpoint not in tried]
        if not left:
            return None
        self._turn += 1
        chosen = left[self._turn % len(left)]
        return self._remember(client, chosen, now) if seconds else chosen

    def _remember(self, client: str, endpoint: Endpoint, now: float) -> Endpoint:
        self._clients[client] = (endpoint, now)
        self._clients.move_to_end(client)
        if len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        return endpoint
