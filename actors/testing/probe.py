"""A probe: an actor whose mail a test takes out."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, TypeVar

from actors.actor import Actor
from actors.clock import Clock
from actors.message import Ask
from actors.ref import Ref
from actors.system import System

T = TypeVar("T")

KEPT = 4096
"""Messages a probe keeps; the oldest go first."""


class Probe:
    """``probe = await Probe.spawn(system)``; give ``probe.ref`` away, then ``await probe.get(Type)``."""

    def __init__(self) -> None:
        self.messages: deque[Any] = deque(maxlen=KEPT)
        self.ref: Ref[Any]
        self._clock: Clock
        self._arrived: asyncio.Event = asyncio.Event()

    @classmethod
    async def spawn(cls, system: System, name: str | None = None, reply: Any = None) -> Probe:
        """A probe that answers every ask with ``reply``."""
        probe = cls()
        probe._clock = system.clock
        probe.ref = await system.spawn(_ProbeActor, probe, reply, name=name)
        return probe

    async def get(self, kind: type[T], seconds: float = 5.0) -> T:
        """Take out the oldest message of ``kind``, waiting for it. Raises ``TimeoutError`` with what came instead."""
        try:
            async with asyncio.timeout(seconds):
                while (found := self._take(kind)) is None:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise TimeoutError(
                f"expected a {kind.__qualname__} within {seconds:g} s, got {list(self.messages)}"
            ) from None
        return found

    async def nothing(self, seconds: float = 1.0) -> None:
        """Let ``seconds`` pass. Raises ``AssertionError`` when the probe has mail then, or had before."""
        await self._clock.sleep(seconds)
        if self.messages:
            raise AssertionError(f"expected no mail for {seconds:g} s, got {list(self.messages)}")

    async def watch(self, ref: Ref[Any]) -> None:
        """Have the end of the instance at ``ref`` among the mail, as a ``Down``."""
        await self.ref.ask(Watch(ref))

    def _take(self, kind: type[T]) -> T | None:
        for message in self.messages:
            if isinstance(message, kind):
                self.messages.remove(message)
                return message
        return None

    def took(self, message: Any) -> None:
        """Keep a message that the probe got."""
        self.messages.append(message)
        self._arrived.set()


class Watch(Ask[None]):
    """To a probe: watch ``ref``, so that its ``Down`` arrives."""

    ref: Ref[Any]


class _ProbeActor(Actor):
    def __init__(self, probe: Probe, reply: Any) -> None:
        self._probe = probe
        self._reply = reply

    async def receive(self, message: Any) -> Any:
        if isinstance(message, Watch):
            self.context.watch(message.ref)
            return None
        self._probe.took(message)
        return self._reply
