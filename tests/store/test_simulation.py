"""The simulator itself: seeds replay, and each checker says no to what breaks its promise."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.raft.entry import Entry
from orchestrator.store.commands import Write, encode_command
from orchestrator.store.machine import Applied, Machine
from orchestrator.store.protocol import Change
from tests.store.checks import Violation, clients, leases, registers, watching
from tests.store.checks.model import Model, replay
from tests.store.checks.safety import Safety
from tests.store.explore import live
from tests.store.simulation.clients import Operation, Renewal
from tests.store.simulation.tally import TROUBLES, Tally
from tests.store.simulation.universe import Universe
from tests.store.simulation.watchers import Stretch


def operation(what: str, value: bytes | None, began: float, ended: float | None, revision: int) -> Operation:
    """Of one client on the key ``a``: a write of ``value``, or a read that found it."""
    results = [] if ended is None else [("READ" if what == "read" else "DONE", revision, value)]
    written = None if what == "read" else value
    return Operation(0, what, ("a",), (written,), (None,), began, ended, revision, results)


def put(value: bytes, began: float, ended: float | None, revision: int = 1) -> Operation:
    return operation("write", value, began, ended, revision)


def read(value: bytes | None, began: float, ended: float, revision: int = 1) -> Operation:
    return operation("read", value, began, ended, revision)


def model(*values: bytes) -> Model:
    made = Model()
    for value in values:
        made.apply(Write(0, [Change("a", (value,))]))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_a_seed_breaks_no_promise(seed: int) -> None:
    assert live(seed).violation == ""


def test_a_trouble_that_never_happens_is_named() -> None:
    tally = Tally(dict.fromkeys(TROUBLES, 1))
    assert tally.missing() == []
    tally["leader transferred"] = 0
    assert tally.missing() == ["leader transferred"]


def test_a_seed_lives_the_same_life_again() -> None:
    first, second = Universe(7), Universe(7)
    first.live()
    second.live()
    assert first.operations == second.operations
    assert first.safety.committed == second.safety.committed
    assert first.tally == second.tally


@pytest.mark.slow
def test_hundreds_of_seeds_break_no_promise() -> None:
    lived = [live(seed) for seed in range(300)]
    assert [one for one in lived if one.violation] == []
    assert sum(one.operations for one in lived) > 10_000
    assert sum(one.undecided for one in lived) < 10
    tally = Tally()
    for one in lived:
        tally.update(one.tally)
    assert tally.missing() == []


def test_a_stale_read_has_no_order() -> None:
    registers.check([put(b"1", 0, 1), put(b"2", 2, 3, 2), read(b"2", 4, 5)])
    with pytest.raises(Violation, match="no order"):
        registers.check([put(b"1", 0, 1), put(b"2", 2, 3, 2), read(b"1", 4, 5)])


def test_a_write_without_an_answer_may_happen_late_or_never() -> None:
    registers.check([put(b"1", 0, 1), put(b"2", 2, None), read(b"1", 4, 5), read(b"2", 6, 7)])
    registers.check([put(b"1", 0, 1), put(b"2", 2, None), read(b"1", 4, 5)])
    with pytest.raises(Violation):
        registers.check([put(b"1", 0, 1), put(b"2", 2, None), read(b"2", 4, 5), read(b"1", 6, 7)])


def test_an_answer_that_the_log_does_not_hold_is_found() -> None:
    clients.check([put(b"1", 0, 1, 1), read(b"1", 2, 3, 1)], model(b"1"))
    with pytest.raises(Violation, match="it is not there"):
        clients.check([put(b"2", 0, 1, 1)], model(b"1"))
    with pytest.raises(Violation, match="stood"):
        clients.check([read(None, 2, 3, 1)], model(b"1"))


def test_a_revision_that_goes_back_in_time_is_found() -> None:
    with pytest.raises(Violation, match="was answered before"):
        clients.check([put(b"2", 0, 1, 2), read(b"1", 2, 3, 1)], model(b"1", b"2"))


def test_a_proposal_that_is_applied_twice_is_found() -> None:
    command = Write(0, [Change("a", (b"1",))], "request")
    machine = Machine()
    committed = {index: Entry(index, 1, encode_command(command)) for index in (1, 2)}
    first: dict[int, Applied | None] = {1: machine.apply(command)}
    assert replay(committed, {**first, 2: machine.apply(command)}).revision == 1
    again = Machine()
    for index in (1, 2):
        first[index] = again.apply(Write(0, command.changes, str(index)))
    with pytest.raises(Violation, match="the model"):
        replay(committed, first)


def test_another_entry_at_an_index_is_found() -> None:
    safety = Safety()
    safety.applied(1, 1, Entry(1, 1), None)
    with pytest.raises(Violation, match="state-machine safety"):
        safety.applied(2, 2, Entry(1, 2), None)


def test_a_lease_that_ends_early_or_lives_on_is_found() -> None:
    leases.check([Renewal(1, 600.0, 0.0, 10.0, True)], {1: 700.0})
    with pytest.raises(Violation, match="ended"):
        leases.check([Renewal(1, 600.0, 0.0, 10.0, True)], {1: 300.0})
    keeping = leases.Keeping()
    keeping.granted(1, 1, 0.0)
    keeping.extended(1, 1, 0.6, 0.5)
    with pytest.raises(Violation, match="kept lease"):
        keeping.extended(1, 1, 0.6, 1.2)


@pytest.mark.parametrize("events", [[(1, "a", False)], [(1, "a", False), (3, "a", False)], [(2, "a", False)] * 2])
def test_a_watch_with_a_gap_or_a_duplicate_is_found(events: Any) -> None:
    stretch = Stretch(0, "")
    stretch.end, stretch.events = 3, events
    with pytest.raises(Violation, match="watcher"):
        watching.check(0, [stretch], [(1, "a", False), (2, "a", False), (3, "a", False)])
