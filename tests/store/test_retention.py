from orchestrator.store.commands import CompactTo, Write
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change
from orchestrator.store.retention import (
    CATCH_UP_STEPS,
    COMPACT_MAX_SECONDS,
    COMPACT_REVISIONS,
    STEP_RECORDS,
    Forgetting,
    Retention,
)

KEPT = 5_000
HOUR = 3_600_000


def wrote(records: int, *, machine: Machine | None = None, at: int = 0) -> Machine:
    """So many puts to ten keys."""
    machine = machine or Machine()
    machine.apply(Write(at, [Change(f"k/{number % 10}", (b"%d" % number,)) for number in range(records)], ""))
    return machine


def forgotten(machine: Machine, forgetting: Forgetting) -> list[int]:
    """The records that went with each step, until there is none to do."""
    steps = []
    while revision := forgetting.step(machine.history):
        before = len(machine.history)
        machine.apply(CompactTo(0, revision))
        steps.append(before - len(machine.history))
    return steps


def test_nothing_goes_while_there_is_room() -> None:
    forgetting, machine = Forgetting(Retention(records=KEPT)), wrote(KEPT)
    forgetting.look(machine.history, 0)
    assert forgetting.step(machine.history) == 0


def test_what_is_too_much_goes_without_waiting_for_a_look() -> None:
    machine = wrote(KEPT + 2 * STEP_RECORDS)
    assert forgotten(machine, Forgetting(Retention(records=KEPT))) == [STEP_RECORDS, STEP_RECORDS]
    assert len(machine.history) == KEPT


def test_a_few_more_than_are_kept_wait_for_a_look() -> None:
    forgetting, machine = Forgetting(Retention(records=KEPT)), wrote(KEPT + STEP_RECORDS - 1)
    assert forgetting.step(machine.history) == 0
    forgetting.look(machine.history, round(COMPACT_MAX_SECONDS * 1000))
    assert forgotten(machine, forgetting) == [STEP_RECORDS - 1]


def test_what_is_too_old_goes_step_by_step() -> None:
    machine = wrote(2 * COMPACT_REVISIONS)
    wrote(10, machine=machine, at=HOUR)
    forgetting = Forgetting(Retention(seconds=60.0))
    assert forgetting.step(machine.history) == 0
    forgetting.look(machine.history, HOUR)
    steps = forgotten(machine, forgetting)
    assert set(steps) == {STEP_RECORDS}
    assert len(machine.history) == 10


def test_little_that_is_too_old_waits_for_its_minute() -> None:
    machine = wrote(10)
    forgetting = Forgetting(Retention(seconds=1.0))
    forgetting.look(machine.history, HOUR)
    assert forgotten(machine, forgetting) == [10]
    wrote(10, machine=machine, at=HOUR)
    forgetting.look(machine.history, HOUR + 30_000)
    assert forgetting.step(machine.history) == 0
    forgetting.look(machine.history, HOUR + 60_000)
    assert forgotten(machine, forgetting) == [10]


def test_far_too_much_goes_in_larger_steps() -> None:
    machine = wrote(KEPT + 40 * STEP_RECORDS)
    steps = forgotten(machine, Forgetting(Retention(records=KEPT)))
    assert steps[0] == 40 * STEP_RECORDS // CATCH_UP_STEPS
    assert steps[-1] <= STEP_RECORDS
    assert len(machine.history) < KEPT + STEP_RECORDS
