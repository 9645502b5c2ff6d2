"""Who measures the cluster: asks every kubelet for its figures and makes rates of what grows.

Nothing is asked while nobody wants to know. A question that finds no recent sample takes one, and a second one a
moment later; whoever asks regularly gets the rate since the last time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from actors import Actor, ActorError, Ask, Ref, Refused
from orchestrator.api.usage import Amount, Measured, Usage
from orchestrator.kubelet.messages import ContainerUsage, NodeStats, NodeUsage

FRESH_SECONDS = 10.0
"""An answer serves everybody who asks within this time."""
OLDEST_SECONDS = 120.0
"""A sample from before says nothing about the rate of today."""
SHORT_SECONDS = 1.0
"""The window when there is no earlier sample."""
NODE_SECONDS = 5.0
"""A node that does not answer within this has no figures."""
MAX_ASKED = 64
"""Nodes asked at once."""


class MeasureNow(Ask[Usage]):
    """The usage of all pods and nodes."""


class Metrics(Actor):
    """``nodes`` names the kubelets, ``find`` gives the ref of one."""

    def __init__(self, nodes: Callable[[], Iterable[str]], find: Callable[[str], Ref[Any]]) -> None:
        self._nodes = nodes
        self._find = find
        self._sample: dict[str, NodeUsage] = {}
        self._mute: set[str] = set()
        # Nodes that gave no figures the last time.
        self._usage: Usage | None = None
        self._taken_at = -math.inf
        self._lock = asyncio.Lock()

    async def receive(self, message: Any) -> Any:
        if isinstance(message, MeasureNow):
            return self.context.later(self._measure(), "measure")
        raise Refused("unknown", f"expected MeasureNow, found {type(message).__name__}")

    async def _measure(self) -> Usage:
        clock = self.context.clock
        async with self._lock:
            age = clock.monotonic() - self._taken_at
            if self._usage is not None and age < FRESH_SECONDS:
                return self._usage
            if age > OLDEST_SECONDS:
                await self._take()
                await clock.sleep(SHORT_SECONDS)
            before = self._sample
            await self._take()
            self._usage = usage_between(before, self._sample)
            return self._usage

    async def _take(self) -> None:
        limit = asyncio.Semaphore(MAX_ASKED)

        async def ask(name: str) -> NodeUsage | None:
            async with limit:
                try:
                    return await self._find(name).ask(NodeStats(), NODE_SECONDS)
                except ActorError as failure:
                    if name not in self._mute:  # told once, not each quarter of a minute
                        self.context.log.warning("a node gave no figures", node=name, reason=str(failure))
                    return None

        names = list(self._nodes())
        answers = await asyncio.gather(*map(ask, names))
        self._mute = {name for name, answer in zip(names, answers, strict=True) if answer is None}
        self._sample = {answer.node: answer for answer in answers if answer is not None}
        self._taken_at = self.context.clock.monotonic()


def usage_between(before: Mapping[str, NodeUsage], after: Mapping[str, NodeUsage]) -> Usage:
    """Pure: rates of what both samples have, and of what was started between them."""
    pods: dict[str, Measured] = {}
    nodes: dict[str, Measured] = {}
    for name, now in after.items():
        then = before.get(name)
        if then is None or now.taken_at <= then.taken_at:
            continue
        earlier = {(pod.uid, one.name): one for pod in then.pods for one in pod.containers}
        window = now.taken_at - then.taken_at
        total: list[Amount] = []
        for pod in now.pods:
            amounts = {
                one.name: amount
                for one in pod.containers
                if (amount := _amount(earlier.get((pod.uid, one.name)), one, window, now.taken_at)) is not None
            }
            total += amounts.values()
            if amounts and len(amounts) == len(pod.containers):
                pods[f"{pod.namespace}/{pod.name}"] = Measured(now.taken_at, window, amounts)
        nodes[name] = Measured(now.taken_at, window, {"": _sum(total)})
    return Usage(pods, nodes)


def _amount(then: ContainerUsage | None, now: ContainerUsage, window: float, taken_at: float) -> Amount | None:
    """A container that was started again begins at zero."""
    used, seconds = now.cpu_nanoseconds, taken_at - now.started_at
    if then is not None and then.started_at == now.started_at and then.cpu_nanoseconds <= used:
        used, seconds = used - then.cpu_nanoseconds, window
    return Amount(int(used / seconds), now.memory_bytes) if seconds > 0 else None


def _sum(amounts: Sequence[Amount]) -> Amount:
    return Amount(sum(one.cpu_nanocores for one in amounts), sum(one.memory_bytes for one in amounts))
