"""One exchange for many who wait: each gets its own answer, and all hear of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def exchange(asked: Awaitable[Sequence[T]], waiting: Sequence[asyncio.Future[T]]) -> None:
    """Fill each of ``waiting`` with what ``asked`` gives in its place; who is gone meanwhile holds nobody up."""
    try:
        answers = await asked
        if len(answers) != len(waiting):
            raise ValueError(f"expected {len(waiting)} answers, found {len(answers)}")
    except asyncio.CancelledError:
        for one in waiting:
            one.cancel()
        raise
    except Exception as failure:
        for one in waiting:
            if not one.done():
                one.set_exception(failure)
        return
    for one, answer in zip(waiting, answers, strict=True):
        if not one.done():
            one.set_result(answer)
