"""Worker processes: nodes of their own, started, supervised and ended by this one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors import Actor, Ask, Backoff, Down, Limits, Ref, Refused, StartFailed, System, temporary
from actors.ref import DEFAULT_ASK_SECONDS
from actors.remoting.placement import NotImportable, Placed, import_name
from actors.testing import Probe
from tests.actors.cast import Add, Counter, Crash, Total
from tests.actors.circle import Member, Pass
from tests.actors.remoting.nodes import SECRET, Greet, Look, Note, Server, Watcher, WhoAmI

pytestmark = [pytest.mark.real_loop, pytest.mark.slow]


class Pid(Ask[int]):
    pass


class Scale(Ask[int]):
    by: int


class Resident(Actor):
    """Knows the process that it is in, and what its node was set up with."""

    def __init__(self, environment: Any, factor: int, boss: Ref[Any] | None = None) -> None:
        self.environment = environment
        self.factor = factor
        self.boss = boss

    async def receive(self, message: Any) -> Any:
        match message:
            case Pid():
                return os.getpid()
            case Scale(by):
                return by * self.factor * self.environment["factor"]
        return None


class Settled(Server):
    """A server that needs nothing of its node."""

    def __init__(self, environment: Any) -> None:
        super().__init__()


class Link(Member):
    """A member of circles that needs nothing of its node."""

    def __init__(self, environment: Any) -> None:
        super().__init__()


class Drive(Ask[int]):
    """Tell ``to`` so many times, watch it, and give its total."""

    to: Ref[Any]
    count: int


class Downs(Ask[list[str]]):
    pass


class Deaf(Counter):
    def __init__(self, environment: Any) -> None:
        super().__init__()

    async def receive(self, message: Any) -> Any:
        return self.context.ref if isinstance(message, WhoAmI) else await super().receive(message)


class Agent(Actor):
    """Works with an actor on another node."""

    def __init__(self, environment: Any) -> None:
        self.downs: list[str] = []

    async def receive(self, message: Any) -> Any:
        match message:
            case Drive(to, count):
                self.context.watch(to)
                for _ in range(count):
                    await to.tell(Add(1))
                try:
                    return await to.ask(Total())
                except Down as down:
                    self.context.unwatch(to)
                    raise Refused(down.reason) from None
            case Down(_, reason):
                self.downs.append(reason)
            case Downs():
                return self.downs
        return None


async def set_up(system: System, factor: int) -> dict[str, Any]:
    return {"factor": factor, "name": system.name}


async def set_up_badly(system: System) -> None:
    raise RuntimeError("no environment today")


async def eventually(true: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 (a process cannot set an event)
            await asyncio.sleep(0.02)


async def test_an_actor_is_placed_in_a_worker_process_and_reached_as_if_it_were_here() -> None:
    """SEMANTICS 15.14"""
    async with System("main") as system:
        await system.spawn_node("w1", setup=set_up, args=[10])
        resident = await system.spawn(Resident, 3, node="w1", name="resident")
        assert resident.path == "resident"
        assert resident.node == "main"
        assert await resident.ask(Pid()) != os.getpid()
        assert await resident.ask(Scale(2)) == 60
        server = await system.spawn(Settled, node="w1", name="server")
        probe = await Probe.spawn(system)
        await server.tell(Greet(probe.ref, 5))
        assert (await probe.get(Note)).number == 5


async def test_the_crash_of_a_placed_actor_is_restarted_by_its_supervisor_here() -> None:
    """SEMANTICS 15.14"""
    async with System("main") as system:
        await system.spawn_node("w1")
        counter = await system.spawn(Counter, node="w1", name="counter", backoff=Backoff(0.01, 0.1))
        await counter.tell(Add(5))
        assert await counter.ask(Total()) == 5
        await counter.tell(Crash("as told"))
        await eventually(lambda: _total(counter, 0))
        assert system.cells["counter"].restarts == 1


async def test_a_killed_worker_is_a_crash_and_all_that_was_there_is_placed_again() -> None:
    """SEMANTICS 15.13, 15.14"""
    async with System("main") as system:
        downs: list[Down] = []
        node = await system.spawn_node("w1", setup=set_up, args=[1], backoff=Backoff(0.01, 0.1))
        resident = await system.spawn(Resident, 1, node="w1", name="resident", backoff=Backoff(0.01, 0.1))
        watcher = await system.spawn(Watcher, downs)
        await watcher.tell(Look(node))
        first = await resident.ask(Pid())
        os.kill(first, signal.SIGKILL)

        async def elsewhere() -> bool:
            try:
                return await resident.ask(Pid(), timeout=0.5) != first
            except (Down, TimeoutError):
                return False

        await eventually(elsewhere)
        assert [(down.reason, down.restarting) for down in downs] == [("crashed", True)]
        assert "-9" in downs[0].message


async def test_a_worker_that_does_not_answer_is_killed_and_started_again() -> None:
    """SEMANTICS 15.13"""
    limits = Limits(heartbeat_seconds=0.2, silence_seconds=1.0)
    async with System("main", limits=limits) as system:
        await system.spawn_node("w1", setup=set_up, args=[1], backoff=Backoff(0.01, 0.1))
        resident = await system.spawn(Resident, 1, node="w1", name="resident", backoff=Backoff(0.01, 0.1))
        first = await resident.ask(Pid())
        os.kill(first, signal.SIGSTOP)

        async def elsewhere() -> bool:
            try:
                return await resident.ask(Pid(), timeout=0.5) != first
            except (Down, TimeoutError):
                return False

        await eventually(elsewhere)
        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)


async def test_workers_of_one_parent_reach_and_watch_each_other() -> None:
    """SEMANTICS 15.17"""
    async with System("main") as system:
        await system.spawn_node("w1", setup=set_up, args=[1])
        node = await system.spawn_node("w2", setup=set_up, args=[1], restart=temporary)
        counter = await system.spawn(Deaf, node="w2", name="counter", restart=temporary)
        agent = await system.spawn(Agent, node="w1", name="agent")
        there = await counter.ask(WhoAmI())
        assert there.node == "w2"
        assert await agent.ask(Drive(there, 500)) == 500
        with pytest.raises(Refused) as refused:
            await agent.ask(Drive(system.ref("nobody", "w2"), 1))
        assert refused.value.code == "missing"
        assert await agent.ask(Downs()) == ["missing"]
        await system.stop_actor(node)
        await eventually(lambda: _says(agent, ["missing", "disconnected"]))
        with pytest.raises(Refused) as refused:
            await agent.ask(Drive(there, 1))
        assert refused.value.code == "disconnected"


async def test_a_circle_through_worker_processes_is_found() -> None:
    """SEMANTICS 15.18"""
    async with System("main") as system:
        for name in ("w1", "w2"):
            await system.spawn_node(name, setup=set_up, args=[1])
        here = await system.spawn(Member, name="here")
        one, two = [await system.spawn(Link, node=name, name=f"on-{name}") for name in ("w1", "w2")]
        first, second = "w1/spawner/main.on-w1", "w2/spawner/main.on-w2"
        begun = time.monotonic()
        assert await here.ask(Pass([one, here])) == [first, "main/here", first]
        assert await one.ask(Pass([two, one])) == [second, first, second]
        assert len(await here.ask(Pass([one, two, here]))) == 4
        assert time.monotonic() - begun < DEFAULT_ASK_SECONDS  # by no deadline


async def test_nodes_that_are_not_workers_are_not_relayed() -> None:
    """SEMANTICS 15.17"""
    async with System("hub") as hub, System("a") as a, System("b") as b:
        address = await hub.listen("tcp://127.0.0.1:0", SECRET)
        await a.connect(address, SECRET)
        await b.connect(address, SECRET)
        await b.spawn(Counter, name="counter")
        a.remoting.gateway = a.remoting.peers["hub"]
        with pytest.raises(Down):
            await a.ref("counter", "b").ask(Total())


async def _says(agent: Ref[Any], expected: list[str]) -> bool:
    return await agent.ask(Downs()) == expected


async def test_a_worker_ends_with_its_system() -> None:
    """SEMANTICS 15.13"""
    async with System("main") as system:
        await system.spawn_node("w1", setup=set_up, args=[1])
        resident = await system.spawn(Resident, 1, node="w1")
        pid = await resident.ask(Pid())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_worker_may_take_longer_to_start_than_a_handshake_may() -> None:
    async with System("main", limits=Limits(handshake_seconds=0.001)) as system:
        await system.spawn_node("w1", setup=set_up, args=[3])
        resident = await system.spawn(Resident, 1, node="w1")
        assert await resident.ask(Pid()) != os.getpid()


async def test_a_worker_whose_setup_fails_does_not_start() -> None:
    async with System("main") as system:
        with pytest.raises(StartFailed, match="status is 1"):
            await system.spawn_node("w1", setup=set_up_badly)


async def test_a_factory_without_a_name_is_refused_before_anything_starts() -> None:
    with pytest.raises(NotImportable, match="expected a factory that can be imported"):
        Placed("w1", lambda: Server())
    assert import_name(Server) == "tests.actors.remoting.nodes:Server"


async def _total(counter: Ref[Any], expected: int) -> bool:
    try:
        return await counter.ask(Total(), timeout=0.5) == expected
    except (Down, TimeoutError):
        return False
