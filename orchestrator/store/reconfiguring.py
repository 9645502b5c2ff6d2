"""Changes of the members and of the leader, waited for until they are committed, or known to be lost."""

from __future__ import annotations

from collections.abc import Callable

from actors import Refused
from actors.clock import Clock
from orchestrator.raft.config import Unsafe
from orchestrator.raft.core import NotLeader, Raft
from orchestrator.store.member import Lost
from orchestrator.store.membership import Change, reconfigured
from orchestrator.store.replies import LOST

MEMBER_SECONDS = 10.0
"""How long a change of the members may take to be committed."""
LOOK_SECONDS = 0.02


class Reconfiguring:
    """``wake``: has the core's wishes performed. Every method raises ``Refused``."""

    def __init__(self, raft: Raft, clock: Clock, wake: Callable[[], None]) -> None:
        self._raft = raft
        self._clock = clock
        self._wake = wake

    async def change(self, change: Change) -> None:
        raft = self._raft
        try:
            index = raft.reconfigure(reconfigured(raft, change))
        except NotLeader as error:
            raise Refused("not leader", str(error)) from error
        except Unsafe as error:
            raise Refused("unsafe", str(error)) from error
        term = raft.term
        self._wake()
        await self._until(lambda: raft.log.commit >= index or raft.term != term)
        if raft.log.commit < index:
            raise Refused(Lost.UNKNOWN.value, LOST[Lost.UNKNOWN])

    async def move_leader(self, member: int) -> None:
        raft = self._raft
        if member not in raft.config.voters:
            raise Refused("unsafe", f"expected a voter of {list(raft.config.voters)}, found {member}")
        try:
            raft.transfer(member)
        except NotLeader as error:
            raise Refused("not leader", str(error)) from error
        self._wake()
        await self._until(lambda: raft.leader == member)

    async def _until(self, holds: Callable[[], bool]) -> None:
        deadline = self._clock.monotonic() + MEMBER_SECONDS
        while not holds():
            if self._clock.monotonic() > deadline:
                raise Refused("unavailable", f"not done after {MEMBER_SECONDS} s: is a majority of the members there?")
            await self._clock.sleep(LOOK_SECONDS)
