"""A member among others, message by message: what its earlier life was told, and what it writes with a snapshot."""

from __future__ import annotations

from orchestrator.raft.config import Config
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.raft.messages import Append, Heartbeat, Install
from orchestrator.raft.settings import Settings
from orchestrator.store.commands import Write, decode_command, encode_command
from orchestrator.store.machine import Applied, Machine
from orchestrator.store.member import NOT_TAKEN, TOO_LATE, Lost, Member
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Change
from orchestrator.store.replica import Replica
from orchestrator.store.requests import MAX_REMEMBERED
from orchestrator.store.shipping import Outgoing
from orchestrator.store.snapshot import dump
from orchestrator.store.watch import Watches
from orchestrator.store.wire import Confirm, Confirmed, Forward, Placed, Wire

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
    watches = Watches(lambda subscriber, message: True, lambda seconds: None)
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


async def placed(one: Member, said: list[Wire], answers: list[Applied | Lost], index: int) -> Write:
    """Put "a", pass it on, and hear from the leader that it stands in the log at ``index``."""
    one.propose(Write(0, [Change("a", (b"1",))]), answers.append)
    await one.perform()
    forward = next(message for message in reversed(said) if isinstance(message, Forward))
    one.receive(Placed(LEADER, 1, forward.token, index, 1))
    command = decode_command(forward.payload)
    assert isinstance(command, Write)
    return command


async def install(one: Member, machine: Machine, index: int) -> None:
    snapshot = Install(LEADER, 1, 1, Mark(index, 1), Config((1, 2, 3)))
    for chunk in Outgoing(snapshot, dump(machine)).send():
        one.receive(chunk)
    while await one.perform():
        pass


async def test_the_answer_to_what_a_snapshot_took_the_place_of_is_found_in_the_state() -> None:
    """Proposed again, as much as it had under way would make it fall behind anew, and be sent the next snapshot."""
    said, answers, machine = list[Wire](), list[Applied | Lost](), Machine()
    one = await member("1.1", said, MemoryLog())
    done = machine.apply(await placed(one, said, answers, 14))
    await install(one, machine, 14)
    assert (answers, one.waiting) == ([Applied(done.reply, [])], 0)


async def test_what_is_not_in_the_state_of_a_snapshot_is_proposed_again() -> None:
    said, answers = list[Wire](), list[Applied | Lost]()
    one = await member("1.1", said, MemoryLog())
    await placed(one, said, answers, 14)
    await install(one, Machine(), 14)
    assert (answers, one.waiting) == ([], 1)


async def test_what_may_have_been_forgotten_is_not_proposed_again() -> None:
    """So many entries on, an answer may have been remembered and forgotten: again, it might be applied twice."""
    said, answers = list[Wire](), list[Applied | Lost]()
    one = await member("1.1", said, MemoryLog())
    await placed(one, said, answers, 14)
    await install(one, Machine(), MAX_REMEMBERED + 1)
    assert (answers, one.waiting) == ([Lost.UNKNOWN], 0)


async def test_a_proposal_says_up_to_where_it_stands_in_no_log_and_says_the_same_again() -> None:
    """What is committed counts, also where this member has not got it yet."""
    said = list[Wire]()
    one = await member("1.1", said, MemoryLog())
    one.receive(Heartbeat(LEADER, 1, 1, 0, 2, committed=50))
    one.propose(Write(0, [Change("a", (b"1",))]), lambda answer: None)
    await one.perform()
    one.receive(Heartbeat(LEADER, 1, 1, 0, 3, committed=60))
    first = next(message for message in said if isinstance(message, Forward))
    one.receive(Placed(LEADER, 1, first.token, NOT_TAKEN, 0))
    one._tick()  # the same leader is asked again a tick later at the earliest
    await one.perform()
    again = [message for message in said if isinstance(message, Forward)]
    assert [forward.since for forward in again] == [50, 50]


async def test_what_no_leader_will_take_any_more_is_unknown() -> None:
    said, answers = list[Wire](), list[Applied | Lost]()
    one = await member("1.1", said, MemoryLog())
    await placed(one, said, answers, TOO_LATE)
    assert (answers, one.waiting) == ([Lost.UNKNOWN], 0)


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
