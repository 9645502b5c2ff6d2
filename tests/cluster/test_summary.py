"""A long run of the swarm in several sittings leaves one record, that hides no failure and counts no seed twice."""

from __future__ import annotations

from pathlib import Path

import msgspec

from orchestrator.testing.swarm.living import Life
from tests.cluster.summary import Mended, Record, Sitting, Summary


def live(summary: Summary, *lives: Life) -> None:
    for life in lives:
        summary.tally.add(life)
        summary.noted(life)
    summary.save()


def life(seed: int, *violations: str) -> Life:
    return Life(seed, list(violations), {"Kill": 2}, {"changes": 10})


def read(path: Path) -> Record:
    record = msgspec.json.decode(path.read_bytes(), type=Record)
    for sitting in record.sittings:
        sitting.wall_seconds = 0.0
    return record


def test_the_next_sitting_goes_on_and_both_stand_with_their_commits(tmp_path: Path) -> None:
    path = tmp_path / "swarm.json"
    live(Summary(path, "first"), life(0), life(1))
    second = Summary(path, "second")
    assert second.next_seed == 2
    live(second, life(2))
    record = read(path)
    assert record.seeds == 3
    assert record.sittings == [Sitting("first", 0, 2), Sitting("second", 2, 1)]
    assert record.faults == {"Kill": 6}
    assert record.witnessed == {"changes": 30}


def test_a_failure_stays_on_record_until_the_seed_passes(tmp_path: Path) -> None:
    path = tmp_path / "swarm.json"
    live(Summary(path, "first"), life(0), life(1, "a pod ran twice"))
    second = Summary(path, "second")
    assert not second.again(life(1, "a pod ran twice"))
    second.save()
    assert [failed.seed for failed in read(path).failed] == [1]
    third = Summary(path, "third")
    assert third.again(life(1))
    third.save()
    record = read(path)
    assert (record.seeds, record.failed, record.mended) == (2, [], [Mended(1, "first", "third")])


def test_saving_in_the_middle_of_a_sitting_counts_it_once(tmp_path: Path) -> None:
    path = tmp_path / "swarm.json"
    summary = Summary(path, "first")
    live(summary, life(0))
    live(summary, life(1))
    assert read(path).sittings == [Sitting("first", 0, 2)]
