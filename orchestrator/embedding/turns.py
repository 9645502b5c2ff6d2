"""What is ready on one of asyncio's own loops, run turn by turn without asking the system for news after each.

A moment of virtual time takes some twenty turns, each of which would cost a call of the selector and as much again
around it: a tenth of all the time that a cluster takes.
"""

from __future__ import annotations

import asyncio
from collections import deque

MAX_TURNS = 64
"""Turns until the system is asked all the same: others on the loop may wait for a socket or a thread."""


def quick(loop: asyncio.AbstractEventLoop) -> deque[asyncio.Handle] | None:
    """What is ready on ``loop``, if it runs that as asyncio does and nobody wants to see each step; else None."""
    plain = isinstance(loop, asyncio.BaseEventLoop) and type(loop)._run_once is asyncio.BaseEventLoop._run_once  # type: ignore[attr-defined]
    return loop._ready if plain and not loop.get_debug() else None  # type: ignore[attr-defined]


async def run_turns(loop: asyncio.AbstractEventLoop, ready: deque[asyncio.Handle]) -> int:
    """Let what is ready run, and what that makes ready, and ask the system once. How many turns that took.

    A callback of the loop does it, no task: tasks are stepped within.
    """
    done: asyncio.Future[int] = loop.create_future()
    nothing = asyncio.Handle(_nothing, (), loop)
    nothing.cancel()

    def run() -> None:
        before = len(ready)
        turns = 0
        while ready and turns < MAX_TURNS and not done.done():
            turns += 1
            for _ in range(len(ready)):
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
        if before:  # the loop has counted what was ready when its own turn began, and will take as many
            ready.extendleft([nothing] * before)
        if not done.done():
            done.set_result(turns)

    loop.call_soon(run)
    return await done


def _nothing() -> None:
    """Stands for what was run before its turn."""
