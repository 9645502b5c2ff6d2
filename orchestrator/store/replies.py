"""From what became of a proposal or of a wish to keep a lease alive to what its asker is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from actors import Refused
from orchestrator.store.machine import Applied, Denied
from orchestrator.store.member import Lost
from orchestrator.store.protocol import LeaseReply

LOST = {
    Lost.UNKNOWN: "the leader of the store was lost over it: it may or may not have happened",
    Lost.UNAVAILABLE: "no leader of the store can be reached, and it has not happened: try again",
}

T = TypeVar("T")


def into(future: asyncio.Future[T]) -> Callable[[T], None]:
    """Answers it, unless whoever asked has gone."""

    def answer(result: T) -> None:
        if not future.done():
            future.set_result(result)

    return answer


async def applied(future: asyncio.Future[Applied | Lost]) -> Any:
    """The reply of a proposal. Raises ``Refused``."""
    found = await future
    if isinstance(found, Lost):
        raise Refused(found.value, LOST[found])
    if isinstance(found.reply, Denied):
        raise Refused(found.reply.code, found.reply.message)
    return found.reply


async def kept_alive(number: int, future: asyncio.Future[int | None]) -> LeaseReply:
    """The future's: milliseconds, 0 for no such lease, None for no leader. Raises ``Refused``."""
    ttl = await future
    if ttl is None:
        raise Refused("unavailable", "no leader of the store can be reached: try again")
    if ttl == 0:
        raise Refused("lease", f"there is no lease {number}: it expired or was revoked")
    return LeaseReply(number, ttl / 1000)
