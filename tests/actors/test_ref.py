"""Sending: tell, ask, and how each can fail."""

from __future__ import annotations

import pytest

from actors import AskTimeout, System
from tests.actors.cast import Add, Counter, Sleep, Total


async def test_an_ask_returns_what_the_handler_returns() -> None:
    """SEMANTICS 8.1"""
    async with System() as system:
        counter = await system.spawn(Counter)
        await counter.tell(Add(3))
        assert await counter.ask(Total()) == 3


async def test_an_ask_without_a_reply_in_time_raises_ask_timeout() -> None:
    """SEMANTICS 8.2"""
    async with System() as system:
        counter = await system.spawn(Counter)
        began = system.clock.monotonic()
        with pytest.raises(AskTimeout):
            await counter.ask(Sleep(3.0), timeout=1.0)
        assert system.clock.monotonic() - began == pytest.approx(1.0)
