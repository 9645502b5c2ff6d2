"""A member among others, message by message: what its earlier life was told, and what it writes with a snapshot."""

from __future__ import annotations

from orchestrator.raft.config import Config
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.raft.messages import Append, Heartbeat, Install
from orchestrator.raft.settings import Settings
from orchestrator.store.commands import Write, encode_command
from orchestrator.store.machine import Machine
from orchestrator.store.member import Member
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Change
from orchestrator.store.replica import Replica
from orchestrator.store.shipping import Outgoing
from orchestrator.store.snapshot import dump
from orchestrator.store.watch import Watches
from orchestrator.store.wire import Confirm, Confirmed, Wire

GROUP = Settings(1, (1, 2, 3), lambda ticks: 0)
LEADER = 2


class Written(MemoryLog):
    """Remembers each state that it was told to write."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[HardState] = []

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        self.states.append(state)
        await super().append(state, entries)


async def member(name: str, said: list[Wire], log: MemoryLog) -> Member:
    """It has heard who leads."""
    replica = Replica(log, GROUP, said.append)
    watches = Watches(lambda subscriber, message: True)
    made = Member(replica, send=said.append, now=lambda: 0.0, name=name, watches=watches)
    await made.open()
    made.receive(Heartbeat(LEADER, 1, 1, 0, 1))
    await made.perform()
    return made


async def ask(one: Member, said: list[Wire], answers: list[bool]) -> Confirm:
    """Read, which asks the leader."""
    one.read(answers.append)
    await one.perform()
    return next(message for message in reversed(said) if isinstance(message, Confirm))


async def test_an_answer_to_an_earlier_life_is_none_to_this_one() -> None:
    said, answers, log = list[Wire](), list[bool](), MemoryLog()
    before = await ask(await member("1.1", said, log), said, answers)
    one = await member("1.2", said, log)
    now = await ask(one, said, answers)
    one.receive(Confirmed(LEADER, 1, before.token, 0))
    assert answers == []
    one.receive(Confirmed(LEADER, 1, now.token, 0))
    assert answers == [True]


async def test_what_is_committed_beyond_a_snapshot_is_written_with_its_entries() -> None:
    """Else a power cut between the two leaves a log that ends before what it calls committed, and is refused."""
    said, log = list[Wire](), Written()
    one = await member("1.1", said, log)
    machine = Machine()
    command = Write(0, [Change("a", (b"1",))])
    machine.apply(command)
    install = Install(LEADER, 1, 1, Mark(14, 1), Config((1, 2, 3)))
    for chunk in Outgoing(install, dump(machine)).send():
        one.receive(chunk)
    one.receive(Append(LEADER, 1, 1, Mark(14, 1), [Entry(15, 1, encode_command(command))], 15))
    log.states.clear()
    while await one.perform():
        pass
    assert [state.commit for state in log.states] == [14, 15]
    assert one.replica.applied == 15
