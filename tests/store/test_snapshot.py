import random

import pytest

from orchestrator.store.commands import Command, CompactTo, Grant, Revoke, Transact, Write
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Range
from orchestrator.store.reading import read
from orchestrator.store.snapshot import Unreadable, dump, load


def random_change(draw: random.Random, leases: list[int]) -> Change:
    key = f"p/{draw.randrange(3)}/{draw.randrange(8)}"
    if draw.random() < 0.25:
        return Change(key, None, cause=b"why")
    parts = tuple(None if draw.random() < 0.3 else draw.randbytes(8) for _ in range(3))
    fields = draw.choice([None, {}, {"node": draw.choice("ab")}])
    return Change(key, parts, None, fields, draw.choice([0, 0, *leases]))


def lived(seed: int) -> Machine:
    """A machine with a past: writes, transactions, leases that ended, compaction."""
    draw = random.Random(seed)
    machine = Machine()
    leases: list[int] = []
    for at in range(60):
        command: Command = Write(at, [random_change(draw, leases) for _ in range(4)], f"r{at}")
        chance = draw.random()
        if chance < 0.1:
            leases.append(machine.leases.granted + 1)
            command = Grant(at, 1000)
        elif chance < 0.2 and leases:
            command = Revoke(at, leases.pop())
        elif chance < 0.3:
            command = CompactTo(at, draw.randint(machine.history.compacted, machine.revision))
        elif chance < 0.4:
            changes = {change.key: change for change in (random_change(draw, leases) for _ in range(3))}
            command = Transact(at, [], list(changes.values()), [])
        machine.apply(command)
    return machine


@pytest.mark.parametrize("seed", range(20))
def test_a_restored_machine_answers_as_the_one_that_was_saved(seed: int) -> None:
    machine = lived(seed)
    restored = load(list(dump(machine)))
    assert restored.revision == machine.revision
    for revision in range(machine.history.compacted, machine.revision + 1):
        for fields in ({}, {"node": "a"}):
            query = Range("p/", revision=revision, fields=fields)
            assert read(restored, query) == read(machine, query)
    compacted = machine.history.compacted
    assert restored.history.after(compacted) == machine.history.after(compacted)
    assert restored.history.bytes == machine.history.bytes
    assert restored.requests.items() == machine.requests.items()


@pytest.mark.parametrize("seed", range(10))
def test_a_restored_machine_goes_on_like_the_one_that_was_saved(seed: int) -> None:
    machine = lived(seed)
    restored = load(list(dump(machine)))
    draw = random.Random(seed)
    leases = [lease.lease for lease in machine.leases.all()]
    commands: list[Command] = [Write(100, [random_change(draw, leases) for _ in range(9)])]
    commands += [Revoke(101, lease) for lease in leases]
    commands.append(CompactTo(102, machine.revision))
    for command in commands:
        assert restored.apply(command) == machine.apply(command)
    assert list(dump(restored))[1:] == list(dump(load(list(dump(restored)))))[1:]


def test_a_snapshot_is_of_the_moment_it_was_asked_for() -> None:
    machine = Machine()
    machine.apply(Write(0, [Change("a/1", (b"then",))]))
    chunks = dump(machine)
    machine.apply(Write(0, [Change("a/1", (b"later",)), Change("a/2", (b"later",))]))
    restored = load(chunks)
    assert [(value.key, value.parts) for value in restored.live.values()] == [("a/1", (b"then",))]


def test_what_is_no_snapshot_is_refused() -> None:
    with pytest.raises(Unreadable, match="expected a chunk of a snapshot"):
        load([b"\xc1"])
    with pytest.raises(Unreadable, match="found no chunk"):
        load([])
