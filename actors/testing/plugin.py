"""A pytest plugin: async tests run in virtual time, and fail when they leave tasks, actors or timers behind.

Load it with ``pytest_plugins = ["actors.testing.plugin"]``; it needs pytest-asyncio 1.5 or newer. A test marked
``real_loop`` (or ``e2e``) gets an ordinary loop. ``--seed N`` permutes the order of ready callbacks by that seed
(``random``: by one of its own choice), ``--seeds K`` runs each test with K seeds from there on. A failing test says
with which line its order comes again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import partial

import pytest
import pytest_asyncio

from actors.system import RUNNING
from actors.testing.loop import DeterministicLoop
from actors.testing.seed import seed_of

REAL_LOOP_MARKS = ("real_loop", "e2e")
FOREIGN_TASKS = ("AnyIO process pool shutdown task",)
"""Tasks that a library keeps for as long as the loop, to clean up at its end."""
RUNNER_FIXTURE = "_function_scoped_runner"
"""Of pytest-asyncio: the runner of a test's loop."""
SEED = pytest.StashKey[int]()
LINGER_SECONDS = 1.0
"""Virtual time in which packets that are under way in a network in memory may arrive."""
Factories = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_addoption(parser: pytest.Parser) -> None:
    try:
        parser.addoption("--seed", type=seed_of, default=None, help="permute ready callbacks by this seed (or: random)")
    except ValueError:
        pass  # another plugin has it, for the same purpose
    parser.addoption("--seeds", type=int, default=None, help="run each virtual-time test with so many seeds")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_loop: runs on an ordinary asyncio loop, in real time")


def pytest_report_header(config: pytest.Config) -> str | None:
    seed = config.getoption("--seed")
    return None if seed is None else f"seed: {seed}"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Factories:
    if any(item.get_closest_marker(mark) for mark in REAL_LOOP_MARKS):
        return {"real": asyncio.new_event_loop}
    first, count = config.getoption("--seed"), config.getoption("--seeds")
    if first is None and count is None:
        return {"virtual": DeterministicLoop}
    first = first or 0
    seeds = range(first, first + (1 if count is None else count))
    return {f"seed-{seed}": partial(DeterministicLoop, seed, shuffle=True) for seed in seeds}


@pytest.fixture(autouse=True)
def nothing_remains(request: pytest.FixtureRequest) -> Iterator[None]:
    """After an async test and the teardown of its fixtures nothing may run, or be about to run, on its loop."""
    if not pytest_asyncio.is_async_test(request.node):
        yield
        return
    runner: asyncio.Runner = request.getfixturevalue(RUNNER_FIXTURE)
    loop = runner.get_loop()
    if isinstance(loop, DeterministicLoop) and loop.shuffled:
        request.node.stash[SEED] = loop.seed
    yield
    loop.run_until_complete(asyncio.sleep(LINGER_SECONDS if isinstance(loop, DeterministicLoop) else 0))
    remaining = [*_actors(loop), *_tasks(loop), *_timers(loop)]
    if remaining:
        pytest.fail("remains after the test:\n  " + "\n  ".join(remaining), pytrace=False)


def _actors(loop: asyncio.AbstractEventLoop) -> list[str]:
    systems = sorted((system for system in RUNNING if system.loop is loop), key=lambda system: system.name)
    return [
        f"the system {system.name!r} with the actors {sorted(path for path in system.cells if path)}"
        for system in systems
    ]


def _tasks(loop: asyncio.AbstractEventLoop) -> list[str]:
    return sorted(repr(task) for task in asyncio.all_tasks(loop) if task.get_name() not in FOREIGN_TASKS)


def _timers(loop: asyncio.AbstractEventLoop) -> list[str]:
    return loop.timer_names() if isinstance(loop, DeterministicLoop) else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    seed = item.stash.get(SEED, None)
    if report.failed and seed is not None:
        node = re.sub(r"seed-\d+-|-?seed-\d+", "", item.nodeid).replace("[]", "")
        report.sections.append(("replay", f"pytest '{node}' --seed {seed}"))
    return report
