from __future__ import annotations

from typing import Any

import msgspec

from orchestrator.bench.witness import Witness, decode_line, percentiles


def line(type: str, revision: int, *, node: str = "", ready: bool = False, deleting: bool = False) -> Any:
    metadata = {"name": "web-1", "uid": "u1", "resourceVersion": str(revision)}
    if deleting:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    conditions = [{"type": "Ready", "status": str(ready)}]
    pod = {"metadata": metadata, "spec": {"nodeName": node} if node else {}, "status": {"conditions": conditions}}
    return decode_line(msgspec.json.encode({"type": type, "object": pod}))


def seen(*lines: Any) -> Witness:
    witness = Witness()
    for at, each in enumerate(lines):
        witness.take(each, float(at))
    return witness


def test_a_pod_that_is_seen_unbound_then_bound_then_ready_has_no_fault() -> None:
    witness = seen(line("ADDED", 1), line("MODIFIED", 2, node="n"), line("MODIFIED", 3, node="n", ready=True))
    assert witness.faults == []
    assert witness.ready == 1
    assert witness.starts == [2.0]


def test_a_pod_that_appears_bound_is_a_fault() -> None:
    assert seen(line("ADDED", 1, node="n")).fault_count >= 1


def test_a_pod_that_changes_its_node_is_a_fault() -> None:
    witness = seen(line("ADDED", 1), line("MODIFIED", 2, node="n"), line("MODIFIED", 3, node="m"))
    assert witness.faults == ["web-1 moved from n to m"]


def test_a_pod_that_is_ready_before_it_is_bound_is_a_fault() -> None:
    assert "Ready at revision 2" in seen(line("ADDED", 1), line("MODIFIED", 2, ready=True)).faults[0]


def test_a_pod_on_its_way_out_is_not_counted_as_ready() -> None:
    steps = [line("ADDED", 1), line("MODIFIED", 2, node="n"), line("MODIFIED", 3, node="n", ready=True)]
    witness = seen(*steps, line("MODIFIED", 4, node="n", ready=True, deleting=True))
    assert witness.ready == 0
    witness.take(line("DELETED", 5, node="n"), 9.0)
    assert witness.pods == {}


def test_percentiles_are_of_the_values_in_order() -> None:
    found = percentiles([float(number) for number in range(100, 0, -1)])
    assert (found["p50"], found["p99"], found["max"], found["count"]) == (51.0, 100.0, 100.0, 100)
