"""The pytest plugin, seen from a project that uses it."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow

HEAD = """
import asyncio
import pytest
from actors import Actor, System
from actors.testing import DeterministicLoop

class Idle(Actor):
    pass
"""
INI = """
[pytest]
asyncio_mode = auto
"""


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    pytester.makeini(INI)
    pytester.makepyfile(HEAD + test)
    return pytester.runpytest_subprocess("-p", "actors.testing.plugin", "-p", "no:cacheprovider", *options)


def test_a_task_that_remains_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, "async def test_it():\n    asyncio.create_task(asyncio.sleep(60), name='leaked')\n")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*remains after the test:*", "*name='leaked'*"])


def test_actors_that_remain_fail_the_test_by_name(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "async def test_it():\n    system = System('mine')\n    await system.__aenter__()\n"
        "    await system.spawn(Idle, name='lost')\n    globals()['kept'] = system\n",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the system 'mine' with the actors ?'lost'?*"])


def test_a_timer_that_remains_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, "async def test_it():\n    asyncio.get_running_loop().call_later(5.0, print, 'late')\n")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*a timer for print in 4 s*"])


def test_a_clean_test_passes_in_virtual_time_and_a_marked_one_in_real_time(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "async def test_it():\n    async with System() as system:\n        await system.spawn(Idle)\n"
        "        await asyncio.sleep(86400)\n"
        "@pytest.mark.real_loop\nasync def test_real():\n"
        "    assert not isinstance(asyncio.get_running_loop(), DeterministicLoop)\n",
    )
    result.assert_outcomes(passed=2)


ORDER = """
async def test_order():
    order = []
    async def note(number):
        order.append(number)
    await asyncio.gather(*(note(number) for number in range(3)))
    assert order == [0, 1, 2]
"""


def test_a_failing_seed_says_how_to_play_it_again(pytester: pytest.Pytester) -> None:
    result = run(pytester, ORDER, "--seeds", "8")
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] >= 1, "eight orders of three"
    assert outcomes["failed"] + outcomes.get("passed", 0) == 8
    (line, *_) = [line for line in result.outlines if line.startswith("pytest 'test_a_failing_seed")]
    again = run(pytester, ORDER, "--seed", line.rpartition(" ")[2])
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([line])


def test_a_random_seed_is_named(pytester: pytest.Pytester) -> None:
    result = run(pytester, "async def test_it():\n    pass\n", "--seed", "random")
    result.assert_outcomes(passed=1)
    result.stdout.re_match_lines([r"seed: \d+"])
