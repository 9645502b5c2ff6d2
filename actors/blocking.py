"""Blocking work: functions that would hold the loop run in the threads or processes of a bounded pool actor."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any

import anyio

from actors.actor import Actor
from actors.errors import Refused
from actors.exit import Exit
from actors.message import Ask
from actors.owned import ELSEWHERE

WORKERS = 4
"""Threads or processes of a pool unless it says otherwise."""


class Where(Enum):
    THREAD = "thread"
    """For what waits (files, drivers without asyncio). A thread cannot be stopped: it ends with its function."""
    PROCESS = "process"
    """For what computes. The process of a job that is given up is killed."""


class Run(Ask[Any]):
    """To a pool: call ``function``, named ``module:qualified.name``, with ``args``. Make it with ``run``."""

    function: str
    args: tuple[Any, ...] = ()


def run(function: Callable[..., Any], *args: Any) -> Run:
    """The message that has ``function(*args)`` called. Raises ``ValueError`` when it cannot be found by its name."""
    name = f"{function.__module__}:{function.__qualname__}"
    if find(name) is not function:
        raise ValueError(f"expected a function of a module, found {name}")
    return Run(name, args)


def find(name: str) -> Callable[..., Any] | None:
    """The function of that name, None when there is none."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError):
        return None
    return found if callable(found) else None


class BlockingPool(Actor):
    """Runs at most ``workers`` functions at once; the value is the reply, what it raises is refused as "crashed".

    Jobs that wait are as many as the ``later`` of the pool's own spec says (default 256); past that the pool takes no
    more mail and its mailbox's policy decides. A job that nobody waits for any more is not begun, and one whose
    asker's deadline passes is given up.
    """

    def __init__(self, workers: int = WORKERS, where: Where = Where.THREAD) -> None:
        if workers < 1:
            raise ValueError(f"expected at least 1 worker, found {workers}")
        self._workers = workers
        self._where = where

    async def start(self) -> None:
        self._processes = anyio.CapacityLimiter(self._workers)
        self._threads = ThreadPoolExecutor(self._workers, f"{self.context.path} blocking")

    async def receive(self, message: Any) -> Any:
        assert isinstance(message, Run), f"expected a Run, found {type(message).__qualname__}"
        function = find(message.function)
        if function is None:
            raise Refused("not found", f"expected a function, found nothing at {message.function}")
        return self.context.later(self._run(function, message.args, self.context.deadline), message.function)

    async def _run(self, function: Callable[..., Any], args: tuple[Any, ...], deadline: float | None) -> Any:
        left = None if deadline is None else deadline - self.context.clock.monotonic()
        with anyio.move_on_after(left):
            if self._where is Where.THREAD:
                return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
            from anyio import to_process  # seldom asked for, and 15 ms of a start

            return await to_process.run_sync(function, *args, cancellable=True, limiter=self._processes)
        return ELSEWHERE  # the asker's own clock says that its deadline passed: a refusal could be there just before

    async def stop(self, exit: Exit) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
