"""The dataplane of asyncio forwarders: a listener for each front, without any rights; all bytes pass the loop."""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.proxy.balancer import Balancer
from orchestrator.proxy.dataplane import DataplaneStatistics, Failure
from orchestrator.proxy.plan import Plan
from orchestrator.proxy.portals import Front, Portal
from orchestrator.proxy.tcp import TcpPortal
from orchestrator.proxy.udp import UdpPortal

_FORWARDERS: dict[str, type[TcpPortal] | type[UdpPortal]] = {"TCP": TcpPortal, "UDP": UdpPortal}


class UserspaceDataplane:
    """``now`` is monotonic seconds, for session affinity."""

    def __init__(self, random_: random.Random, now: Callable[[], float]) -> None:
        self._random = random_
        self._now = now
        self._open: dict[Front, TcpPortal | UdpPortal] = {}
        self._draining: list[TcpPortal | UdpPortal] = []
        """Closed portals with connections that go on."""

    async def apply(self, plan: Plan) -> list[Failure]:
        for front in plan.close:
            self._drain(self._open.pop(front))
        failures: list[Failure] = []
        for portal in plan.open:
            forwarder = _FORWARDERS[portal.front.protocol](Balancer(portal, self._random), self._now)
            try:
                await forwarder.open()
            except OSError as error:
                failures.append(Failure(portal, error.strerror or str(error)))
            else:
                self._open[portal.front] = forwarder
        for portal in plan.update:
            self._open[portal.front].update(portal)
        return failures

    def _drain(self, forwarder: TcpPortal | UdpPortal) -> None:
        forwarder.close()
        self._draining = [each for each in (*self._draining, forwarder) if each.connections]

    def observed(self) -> dict[Front, Portal]:
        return {front: forwarder.balancer.portal for front, forwarder in self._open.items()}

    async def close(self) -> None:
        for forwarder in (*self._open.values(), *self._draining):
            await forwarder.abort()
        self._open.clear()
        self._draining.clear()

    def statistics(self) -> DataplaneStatistics:
        every = [*self._open.values(), *self._draining]
        return DataplaneStatistics(
            portals=len(self._open),
            connections=sum(each.connections for each in every),
            accepted=sum(each.accepted for each in every),
            refused=sum(each.refused for each in every),
        )
