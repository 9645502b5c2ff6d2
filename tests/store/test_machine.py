from orchestrator.store.commands import CompactTo, Grant, Revoke, SetQuota, Transact, Write
from orchestrator.store.machine import Denied, Machine
from orchestrator.store.protocol import (
    BatchReply,
    Change,
    Compare,
    LeaseReply,
    Outcome,
    Range,
    Relation,
    Target,
    TxnReply,
)
from orchestrator.store.reading import read


def put(key: str, *parts: bytes | None, **options: object) -> Change:
    return Change(key, parts or (b"m", b"s", b"r"), **options)  # type: ignore[arg-type]


def write(machine: Machine, *changes: Change, at: int = 0, request_id: str = "") -> BatchReply:
    reply = machine.apply(Write(at, list(changes), request_id)).reply
    assert isinstance(reply, BatchReply)
    return reply


def transact(machine: Machine, command: Transact) -> TxnReply:
    reply = machine.apply(command).reply
    assert isinstance(reply, TxnReply)
    return reply


def keys(machine: Machine, prefix: str = "", **query: object) -> list[str]:
    return [value.key for value in read(machine, Range(prefix, **query)).values]  # type: ignore[arg-type]


def test_each_change_of_a_batch_takes_a_revision_of_its_own() -> None:
    machine = Machine()
    reply = write(machine, put("a/1"), put("a/2"))
    assert [result.revision for result in reply.results] == [1, 2]
    assert reply.revision == 2


def test_a_transaction_takes_one_revision_for_all_its_changes() -> None:
    machine = Machine()
    reply = transact(machine, Transact(0, [], [put("a/1"), put("a/2")], []))
    assert reply.succeeded
    assert {machine.live["a/1"].mod_revision, machine.live["a/2"].mod_revision} == {1}


def test_a_refused_change_fails_alone_and_takes_no_revision() -> None:
    machine = Machine()
    write(machine, put("a/1"))
    reply = write(machine, put("a/1", expect=0), put("a/2", expect=0))
    assert [result.outcome for result in reply.results] == [Outcome.CONFLICT, Outcome.DONE]
    assert reply.results[0].revision == 1
    assert reply.results[1].revision == 2


def test_a_part_that_is_none_is_shared_with_the_revision_before() -> None:
    machine = Machine()
    write(machine, put("a/1", b"meta", b"status", b"rest"))
    before = machine.live["a/1"]
    write(machine, put("a/1", None, b"new", None))
    after = machine.live["a/1"]
    assert after.parts == (b"meta", b"new", b"rest")
    assert after.parts[2] is before.parts[2]
    assert (after.version, after.create_revision) == (2, 1)


def test_sharing_parts_with_nothing_is_missing() -> None:
    assert write(Machine(), put("a/1", None, b"new", None)).results[0].outcome is Outcome.MISSING


def test_deleting_what_is_not_there_is_missing() -> None:
    assert write(Machine(), Change("a/1", None)).results[0].outcome is Outcome.MISSING


def test_a_delete_returns_the_last_value() -> None:
    machine = Machine()
    write(machine, put("a/1", b"last"))
    result = write(machine, Change("a/1", None)).results[0]
    assert result.previous is not None
    assert (result.previous.parts, result.previous.mod_revision, result.revision) == ((b"last",), 1, 2)
    assert not machine.live


def test_a_transaction_whose_change_is_refused_does_nothing() -> None:
    machine = Machine()
    write(machine, put("a/1"))
    reply = transact(machine, Transact(0, [], [put("a/2"), put("a/1", expect=7)], []))
    assert not reply.succeeded
    assert reply.results[1].outcome is Outcome.CONFLICT
    assert "a/2" not in machine.live
    assert machine.revision == 1


def test_a_transaction_takes_the_other_branch_when_a_compare_fails() -> None:
    machine = Machine()
    compare = Compare("a/1", Target.VERSION, Relation.GREATER, 0)
    reply = transact(machine, Transact(0, [compare], [put("yes/1")], [put("no/1")]))
    assert not reply.succeeded
    assert keys(machine) == ["no/1"]


def test_the_same_request_id_is_applied_once() -> None:
    machine = Machine()
    first = write(machine, put("a/1"), request_id="r1")
    assert write(machine, put("a/1"), request_id="r1") == first
    assert machine.revision == 1


def test_a_range_is_ordered_across_directories() -> None:
    machine = Machine()
    write(machine, put("p/b/2"), put("p/a-1/9"), put("p/a/1"), put("p/b"), put("p/b/1"), put("q/1"))
    assert keys(machine, "p/") == ["p/a-1/9", "p/a/1", "p/b", "p/b/1", "p/b/2"]


def test_a_range_goes_on_after_a_key_and_counts_what_is_left() -> None:
    machine = Machine()
    write(machine, *[put(f"p/{i}") for i in range(5)])
    page = read(machine, Range("p/", after="p/1", limit=2))
    assert [value.key for value in page.values] == ["p/2", "p/3"]
    assert page.more
    assert page.count == 3


def test_a_range_at_an_old_revision_sees_what_stood_then() -> None:
    machine = Machine()
    write(machine, put("a/1", b"one"), put("a/2", b"two"))
    write(machine, put("a/1", b"new"), Change("a/2", None), put("a/3"))
    page = read(machine, Range("a/", revision=2))
    assert [(value.key, value.parts) for value in page.values] == [("a/1", (b"one",)), ("a/2", (b"two",))]
    assert keys(machine, "a/") == ["a/1", "a/3"]


def test_a_key_that_came_back_is_absent_at_the_revision_between() -> None:
    machine = Machine()
    write(machine, put("a/1"), Change("a/1", None), put("a/1"))
    assert [keys(machine, "a/", revision=revision) for revision in (1, 2, 3)] == [["a/1"], [], ["a/1"]]


def test_fields_filter_a_range_now_and_then() -> None:
    machine = Machine()
    write(machine, put("p/1", fields={"node": "a"}), put("p/2", fields={"node": "b"}))
    write(machine, put("p/1", fields={"node": "b"}))
    assert keys(machine, "p/", fields={"node": "b"}) == ["p/1", "p/2"]
    assert keys(machine, "p/", fields={"node": "a"}, revision=2) == ["p/1"]


def test_fields_that_are_not_given_stay() -> None:
    machine = Machine()
    write(machine, put("p/1", fields={"node": "a"}))
    write(machine, put("p/1"))
    assert machine.live["p/1"].fields == {"node": "a"}


def test_compaction_keeps_what_stands_at_its_revision() -> None:
    machine = Machine()
    write(machine, put("a/1", b"one"), put("a/1", b"two"), put("a/1", b"three"))
    machine.apply(CompactTo(0, 2))
    assert [value.parts for value in read(machine, Range("a/", revision=2)).values] == [(b"two",)]


def test_compaction_of_the_future_is_denied() -> None:
    reply = Machine().apply(CompactTo(0, 1)).reply
    assert isinstance(reply, Denied)
    assert reply.code == "future"


def test_compaction_gives_back_all_bytes_of_what_was_deleted() -> None:
    machine = Machine()
    write(machine, put("a/1", b"x" * 100), put("a/1", b"y" * 50), Change("a/1", None))
    machine.apply(CompactTo(0, 3))
    assert machine.history.bytes == 0
    assert list(machine.history.graves("")) == []


def test_a_lease_takes_its_keys_along_at_one_revision() -> None:
    machine = Machine()
    granted = machine.apply(Grant(0, 1000)).reply
    assert isinstance(granted, LeaseReply)
    lease = granted.lease
    write(machine, put("a/1", lease=lease), put("a/2", lease=lease), put("a/3", lease=lease))
    write(machine, put("a/3"))
    applied = machine.apply(Revoke(0, lease))
    assert [(record.value.key, record.revision) for record in applied.records] == [("a/1", 5), ("a/2", 5)]
    assert list(machine.live) == ["a/3"]


def test_a_put_on_a_lease_that_is_gone_is_refused() -> None:
    assert write(Machine(), put("a/1", lease=9)).results[0].outcome is Outcome.NO_LEASE


def test_a_full_store_takes_deletes_only() -> None:
    machine = Machine()
    machine.apply(SetQuota(0, 100))
    write(machine, put("a/1", b"x" * 200))
    reply = write(machine, put("a/2"), Change("a/1", None))
    assert [result.outcome for result in reply.results] == [Outcome.NO_SPACE, Outcome.DONE]
    machine.apply(CompactTo(0, machine.revision))
    assert write(machine, put("a/2")).results[0].outcome is Outcome.DONE


def test_the_cause_is_kept_beside_the_revision() -> None:
    machine = Machine()
    write(machine, put("a/1", cause=b"why"), at=7)
    record = machine.history.oldest()
    assert record is not None
    assert (record.revision, record.at, record.cause) == (1, 7, b"why")
