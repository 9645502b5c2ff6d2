"""A pytest plugin: async tests run in virtual time, and fail when they leave tasks behind.

Load it with ``pytest_plugins = ["actors.testing.plugin"]``; it needs pytest-asyncio 1.5 or newer. A test marked
``real_loop`` (or ``e2e``) gets an ordinary loop. ``--seed N`` permutes the order of ready callbacks by that seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import pytest
import pytest_asyncio

from actors.testing.loop import DeterministicLoop

REAL_LOOP_MARKS = ("real_loop", "e2e")
FOREIGN_TASKS = ("AnyIO process pool shutdown task",)
"""Tasks that a library keeps for as long as the loop, to clean up at its end."""
RUNNER_FIXTURE = "_function_scoped_runner"
"""Of pytest-asyncio: the runner of a test's loop."""


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption(
            "--seed", type=int, default=None, help="permute ready callbacks of virtual-time tests by this seed"
        )
    except ValueError:
        pass  # another plugin has it, for the same purpose


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_loop: runs on an ordinary asyncio loop, in real time")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if any(item.get_closest_marker(mark) for mark in REAL_LOOP_MARKS):
        return {"real": asyncio.new_event_loop}
    seed = config.getoption("--seed")
    return {"virtual": partial(DeterministicLoop, seed or 0, shuffle=seed is not None)}


@pytest.fixture(autouse=True)
def no_task_remains(request: pytest.FixtureRequest) -> Iterator[None]:
    """After an async test and the teardown of its fixtures nothing may run on its loop."""
    if not pytest_asyncio.is_async_test(request.node):
        yield
        return
    runner: asyncio.Runner = request.getfixturevalue(RUNNER_FIXTURE)
    yield
    loop = runner.get_loop()
    loop.run_until_complete(asyncio.sleep(0))
    remaining = sorted(repr(task) for task in asyncio.all_tasks(loop) if task.get_name() not in FOREIGN_TASKS)
    if remaining:
        pytest.fail("tasks remain after the test:\n  " + "\n  ".join(remaining), pytrace=False)
