"""A command in a container, listened to until it ends: what an exec without streams of its own comes to."""

from __future__ import annotations

import asyncio

from orchestrator.kubelet.runtime.errors import ExecTimeout
from orchestrator.kubelet.runtime.runtime import ExecResult, Session

MAX_EXEC_OUTPUT = 64 * 1024
"""Bytes that are kept of what a command says; the rest is heard and dropped, so that it never blocks."""


async def result_of(session: Session, command: list[str], seconds: float) -> ExecResult:
    """The exit status of ``command`` and what it said; the session is closed. Raises ``ExecTimeout``."""
    output = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for _, data in session.output():
                output += data[: MAX_EXEC_OUTPUT - len(output)]
            return ExecResult(await session.wait(), bytes(output))
    except TimeoutError:
        raise ExecTimeout(command, seconds) from None
    finally:
        await session.close()
