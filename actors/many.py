"""Asking many actors at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, TypeVar

from actors import current
from actors.errors import ActorError
from actors.message import Ask
from actors.ref import DEFAULT_ASK_SECONDS, Ref

R = TypeVar("R")


async def ask_many(
    refs: Iterable[Ref[Any]], message: Ask[R], timeout: float = DEFAULT_ASK_SECONDS
) -> list[R | ActorError]:
    """Ask all of ``refs`` the same; their answers in that order, an ``ActorError`` in the place of one that failed.

    Raises ``AskCycle`` when one of them waits for the asker.
    """
    targets = list(refs)
    sender = current.actor.get()
    if sender is not None and current.handling(sender):
        for ref in targets:
            ref.check_cycle(sender)
    answers: list[Any] = await asyncio.gather(*(ref.ask(message, timeout) for ref in targets), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, ActorError):
            raise answer
    return answers
