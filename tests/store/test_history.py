"""The history against a plain list of everything that happened, over many more records than are kept unpacked."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from orchestrator.store.commands import CompactTo, Transact, Write
from orchestrator.store.history import OPEN_RECORDS, PACKED_AT_ONCE, Record
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Value

CHANGES = 4 * (OPEN_RECORDS + PACKED_AT_ONCE)
KEYS = [f"a/{number:02}" for number in range(40)]


class Plain:
    """All records in a list, and nothing cleverer than a look at each."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.records: list[Record] = []

    def after(self, revision: int) -> list[Record]:
        return [record for record in self.records if record.revision > revision]

    def at(self, key: str, revision: int) -> Value | None:
        stood = [each for each in self.records if each.value.key == key and each.revision <= revision]
        return stood[-1].value if stood and not stood[-1].deleted else None

    def values(self, key: str) -> list[Value]:
        kept = self.after(self.machine.history.compacted)
        return [each.previous for each in kept if each.value.key == key and each.previous is not None]


def lived(seed: int) -> Plain:
    """A machine after many writes, deletes and transactions, compacted now and then."""
    draw = random.Random(seed)
    plain = Plain(Machine())
    at = 0
    while len(plain.records) < CHANGES:
        at += draw.randint(0, 3)
        keys = draw.sample(KEYS, draw.randint(1, 20))
        changes = [_change(draw, key, plain.machine.live.get(key)) for key in keys]
        command = Write(at, changes) if draw.random() < 0.7 else Transact(at, [], changes, [])
        plain.records += plain.machine.apply(command).records
        if draw.random() < 0.02:
            back = draw.randint(OPEN_RECORDS // 2, OPEN_RECORDS)  # revisions: several records each
            revision = max(plain.machine.revision - back, plain.machine.history.compacted)
            plain.machine.apply(CompactTo(at, revision))
    return plain


def _change(draw: random.Random, key: str, standing: Value | None) -> Change:
    if standing is not None and draw.random() < 0.3:
        return Change(key, None, cause=b"gone")
    part = draw.randbytes(8)
    fields = draw.choice([None, {"node": str(draw.randint(1, 3))}, {}])
    return Change(key, (part, part if standing is None or draw.random() < 0.5 else None), None, fields, cause=part)


@pytest.fixture(scope="module")
def plain() -> Plain:
    found = lived(1)
    assert len(found.machine.history) > OPEN_RECORDS + PACKED_AT_ONCE, "nothing is packed"
    return found


def revisions(plain: Plain) -> range:
    return range(plain.machine.history.compacted, plain.machine.revision + 1, 17)


def test_what_came_after_a_revision_is_the_same_packed_or_not(plain: Plain) -> None:
    for revision in revisions(plain):
        assert plain.machine.history.after(revision) == plain.after(revision)


def test_the_parts_that_two_values_shared_are_one_object_after_packing(plain: Plain) -> None:
    for record, made in zip(plain.machine.history.after(plain.machine.history.compacted), _kept(plain), strict=True):
        assert _shared(record) == _shared(made)


def test_a_record_is_found_by_its_revision(plain: Plain) -> None:
    for revision in revisions(plain)[1:]:
        assert plain.machine.history.record(revision) in plain.records


def test_each_key_reads_as_it_stood(plain: Plain) -> None:
    history, live = plain.machine.history, plain.machine.live
    for revision in revisions(plain)[::30]:
        assert [history.at(key, revision, live.get(key)) for key in KEYS] == [plain.at(key, revision) for key in KEYS]


def test_a_key_tells_what_it_was(plain: Plain) -> None:
    for key in KEYS:
        assert plain.machine.history.values(key) == plain.values(key)


def test_what_was_there_is_what_there_is_less_what_came(plain: Plain) -> None:
    now = len(plain.machine.live)
    for revision in revisions(plain)[::30]:
        stood = sum(plain.at(key, revision) is not None for key in KEYS)
        assert plain.machine.history.grown(revision, "a/") == now - stood


@pytest.mark.parametrize("back", [0, 10, OPEN_RECORDS, OPEN_RECORDS + 100, CHANGES * 2])
def test_so_many_records_stay(plain: Plain, back: int) -> None:
    kept = _kept(plain)
    wanted = kept[-back - 1].revision if back < len(kept) else plain.machine.history.compacted
    assert plain.machine.history.revision_back(back) == wanted


def test_a_time_leads_to_the_last_record_before_it(plain: Plain) -> None:
    for at in range(_kept(plain)[0].at - 5, plain.records[-1].at + 5, 13):
        older = [record.revision for record in _kept(plain) if record.at < at]
        assert plain.machine.history.revision_before(at) == (older[-1] if older else plain.machine.history.compacted)


def test_compaction_in_steps_leaves_what_one_compaction_leaves() -> None:
    stepwise, at_once = lived(2).machine, lived(2).machine
    steps = [*range(stepwise.history.compacted, stepwise.revision, 29), stepwise.revision]
    for revision in steps:
        stepwise.apply(CompactTo(0, revision))
    at_once.apply(CompactTo(0, at_once.revision))
    look: list[Callable[[Machine], object]] = [
        lambda machine: machine.history.bytes,
        lambda machine: len(machine.history),
        lambda machine: machine.history.after(0),
        lambda machine: list(machine.history.graves("")),
    ]
    assert [see(stepwise) for see in look] == [see(at_once) for see in look]
    assert len(stepwise.history) == 0


def _kept(plain: Plain) -> list[Record]:
    return plain.after(plain.machine.history.compacted)


def _shared(record: Record) -> list[bool]:
    previous = record.previous.parts if record.previous is not None else ()
    return [one is other for one, other in zip(record.value.parts, previous, strict=False)]


@pytest.mark.parametrize("shared", [b"", b"the same"])
def test_a_key_that_changed_thousands_of_times_reads_as_it_stood(shared: bytes) -> None:
    machine = Machine()
    for number in range(CHANGES):
        machine.apply(Write(number, [Change("a/busy", (b"%d" % number, shared)), Change("a/other", (b"x",))]))
    history = machine.history
    for revision in range(history.compacted + 1, machine.revision, 997):
        found = history.at("a/busy", revision, machine.live["a/busy"])
        assert found is not None
        assert found.parts == (b"%d" % ((revision - 1) // 2), shared)
