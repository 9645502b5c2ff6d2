"""What an exec comes to: a status and the first of its output, or that it took too long; the session is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from orchestrator.kubelet.runtime.answering import Answered
from orchestrator.kubelet.runtime.errors import ExecTimeout
from orchestrator.kubelet.runtime.exec import MAX_EXEC_OUTPUT, result_of

PIECE = 1000


class Talker(Answered):
    """Says as many pieces, ``pause`` seconds apart."""

    def __init__(self, pieces: int, pause: float = 0.0) -> None:
        super().__init__(3, "")
        self.left, self.pause, self.closed = pieces, pause, False

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        while self.left:
            self.left -= 1
            await asyncio.sleep(self.pause)
            yield 1, b"x" * PIECE

    async def close(self) -> None:
        self.closed = True


async def test_all_is_heard_and_the_first_of_it_is_kept() -> None:
    talker = Talker(100)
    result = await result_of(talker, ["talk"], 1.0)
    assert (result.code, result.output) == (3, b"x" * MAX_EXEC_OUTPUT)
    assert not talker.left, "a program that nobody hears blocks"
    assert talker.closed


async def test_what_takes_too_long_is_closed() -> None:
    talker = Talker(100, pause=1.0)
    with pytest.raises(ExecTimeout, match=r"\['talk'\] timed out after 5s"):
        await result_of(talker, ["talk"], 5.0)
    assert talker.closed
