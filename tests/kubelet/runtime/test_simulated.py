"""The simulated runtime keeps what every runtime promises, and moves by its behaviours."""

from __future__ import annotations

import random

import pytest

from actors import LoopClock
from orchestrator.kubelet.runtime.behaviour import Behaviour, Behaviours, Rule
from orchestrator.kubelet.runtime.runtime import LogOptions, State
from orchestrator.kubelet.runtime.simulated import SimulatedRuntime, SimulatedWorld
from orchestrator.kubelet.usage import pod_usages
from tests.kubelet.runtime_conformance import ANY, UID, Kit, Promise, find, run, sandbox, text


def made(*rules: Rule) -> Kit:
    world = SimulatedWorld(LoopClock(), random.Random(1), Behaviours(rules))
    return Kit(SimulatedRuntime(world), "nginx:1", shell=False)


@pytest.mark.parametrize("promise", ANY, ids=lambda one: one.__name__)
async def test_it_keeps_the_promise(promise: Promise) -> None:
    await promise(made())


async def test_a_start_delay_passes_before_the_container_runs() -> None:
    kit = made(Rule(Behaviour(start_seconds=3.0)))
    told: list[str] = []
    await kit.runtime.start(told.append)
    await sandbox(kit)
    container_id = await run(kit)
    assert (await find(kit, container_id)).state is State.CREATED
    await LoopClock().sleep(3.1)
    assert (await find(kit, container_id)).state is State.RUNNING
    assert told == [UID]


async def test_a_container_ends_after_its_run_with_its_exit_code() -> None:
    kit = made(Rule(Behaviour(run_seconds=60.0, exit_code=4)))
    await sandbox(kit)
    container_id = await run(kit)
    await LoopClock().sleep(61.0)
    found = await find(kit, container_id)
    assert (found.state, found.exit_code, found.finished_at - found.started_at) == (State.EXITED, 4, 60.0)


async def test_rules_tell_pods_apart_by_label() -> None:
    behaviours = Behaviours((Rule(Behaviour(exit_code=9), label="tier", value="bad"),))
    assert behaviours.of("nginx", {"tier": "bad"}).exit_code == 9
    assert behaviours.of("nginx", {"tier": "good"}).exit_code == 0


async def test_log_lines_come_from_the_behaviour() -> None:
    kit = made(Rule(Behaviour(log_lines=("one", "two"))))
    await sandbox(kit)
    container_id = await run(kit)
    assert await text(kit, container_id, LogOptions(tail_lines=1)) == b"two\n"


async def test_cpu_grows_with_time_as_the_behaviour_says() -> None:
    kit = made(Rule(Behaviour(cpu_millis=250.0)))
    await sandbox(kit)
    await run(kit)
    await LoopClock().sleep(4.0)
    [pod] = await kit.runtime.figures()
    assert pod.containers[0].cpu_nanoseconds == 1_000_000_000


async def test_a_pod_whose_containers_have_ended_has_no_figures() -> None:
    kit = made(Rule(Behaviour(run_seconds=60.0)))
    await sandbox(kit)
    await run(kit)
    assert [one.uid for one in await pod_usages(kit.runtime)] == [UID]
    await LoopClock().sleep(61.0)
    assert await pod_usages(kit.runtime) == []
