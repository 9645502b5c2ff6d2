"""The long count of seeds, in sittings."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.store import prove
from tests.store.prove import Summary, begun, save


def test_a_second_sitting_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    first = prove.prove(path, 2, jobs=1)
    assert (first.seeds, first.failures) == (2, 0)
    second = prove.prove(path, 3, jobs=1)
    assert second.seeds == 3
    assert second.operations > first.operations
    assert msgspec.json.decode(path.read_bytes(), type=Summary) == second


def test_another_code_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    save(path, Summary("of another code", seeds=7))
    assert begun(path) == Summary(prove.fingerprint())


def test_a_seed_that_fails_ends_the_count_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.store.simulation.universe.PEACE_MILLISECONDS", 0.0)
    found = prove.prove(tmp_path / "summary.json", 5, jobs=1)
    assert (found.seeds, found.failures) == (0, 1)
    assert found.failure.startswith("seed 0: Violation: no progress")
    assert begun(tmp_path / "summary.json").seeds == 0
