"""Ranges against a model that keeps every state, and what a page looks at."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.commands import Write
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Range, Value
from orchestrator.store.reading import read

KEYS = st.sampled_from(["a/1", "a/2", "a/b/1", "a/b/2", "a/c", "b/1"])
BOUNDS = st.sampled_from(["", "a/", "a/1", "a/b", "a/b/", "a/b/1", "b", "c"])


@given(
    st.lists(st.tuples(KEYS, st.booleans()), min_size=1, max_size=20),
    st.integers(0, 20),
    st.integers(0, 4),
    BOUNDS,
    BOUNDS,
    BOUNDS,
)
def test_a_page_is_what_a_model_of_all_states_has(
    writes: list[tuple[str, bool]], back: int, limit: int, prefix: str, after: str, before: str
) -> None:
    machine = Machine()
    states: list[set[str]] = [set()]
    for key, delete in writes:
        if delete and key not in states[-1]:
            continue
        machine.apply(Write(0, [Change(key, None if delete else (b"",))]))
        states.append(states[-1] - {key} if delete else states[-1] | {key})
    revision = max(1, machine.revision - back) if machine.revision else 0
    model = [
        key
        for key in sorted(states[revision])
        if key.startswith(prefix) and key > after and (not before or key < before)
    ]
    page = read(machine, Range(prefix, after, limit, revision, before=before))
    assert [value.key for value in page.values] == (model[:limit] if limit else model)
    assert (page.more, page.count) == (bool(limit) and len(model) > limit, len(model))
    assert read(machine, Range(prefix, after, 0, revision, count_only=True, before=before)).count == len(model)


class Watched(dict[str, Value]):
    """Counts who is looked up."""

    looks = 0

    def __getitem__(self, key: str) -> Value:
        self.looks += 1
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.looks += 1
        return super().get(key, default)


@pytest.mark.parametrize("back", [0, 3])
def test_a_page_looks_at_its_own_values_only_at_any_revision(back: int) -> None:
    machine = Machine()
    machine.apply(Write(0, [Change(f"p/{number % 5}/{number:04}", (b"",)) for number in range(4000)]))
    machine.apply(Write(0, [Change("p/0/0000", None), Change("p/1/0001", None), Change("p/9/new", (b"",))]))
    machine.live = watched = Watched(machine.live)
    page = read(machine, Range("p/", after="p/2/", limit=50, revision=machine.revision - back))
    assert (len(page.values), page.count) == (50, 2400 if back else 2401)
    assert watched.looks <= 52
