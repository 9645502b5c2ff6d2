"""Watchers that follow the store from its first change on, through the loss of the member that they watch at."""

from __future__ import annotations

import asyncio
import contextlib

from tests.store.members.door import FIRST_REVISION, Door, Json, decoded, revision_of
from tests.store.simulation.watchers import Stretch

AGAIN_SECONDS = 0.1


class Watcher:
    """``stretch`` is all that it saw. It resumes, at the next member, behind the last revision that it was told of."""

    def __init__(self, hosts: list[str], prefix: str) -> None:
        self.stretch = Stretch(0, prefix)
        self.values: dict[tuple[int, str], bytes | None] = {}
        self.begun = 0
        """How often it had to begin."""
        self._hosts = hosts
        self._told = asyncio.Event()

    async def run(self) -> None:
        while True:
            door = Door(self._hosts[self.begun % len(self._hosts)])
            self.begun += 1
            with contextlib.suppress(OSError, EOFError, ValueError):
                async for answer in door.watch(self.stretch.prefix, self.stretch.end + 1):
                    if "result" not in answer or answer["result"].get("canceled"):
                        break
                    self._take(answer["result"])
            door.close()
            await asyncio.sleep(AGAIN_SECONDS)

    async def reached(self, revision: int) -> None:
        while self.stretch.end < revision:
            await self._told.wait()
            self._told.clear()

    def _take(self, result: Json) -> None:
        if result.get("created"):
            return  # its revision is the store's: what was missed comes in the next frames
        for event in result.get("events", []):
            revision, key = int(event["kv"]["mod_revision"]) - FIRST_REVISION, decoded(event["kv"]["key"]).decode()
            deleted = event.get("type") == "DELETE"
            self.stretch.events.append((revision, key, deleted))
            self.values[revision, key] = None if deleted else decoded(event["kv"].get("value", ""))
        self.stretch.end = max(self.stretch.end, revision_of(result))
        self._told.set()

    def cut(self, revision: int) -> None:
        """Forget what came after ``revision``: a write of unknown outcome may still take place."""
        self.stretch.end = min(self.stretch.end, revision)
        self.stretch.events = [event for event in self.stretch.events if event[0] <= revision]
        self.values = {at: value for at, value in self.values.items() if at[0] <= revision}
