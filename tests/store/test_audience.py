from collections import Counter

from orchestrator.store.audience import Audiences, Filter
from orchestrator.store.history import Record
from orchestrator.store.protocol import Value


def record(key: str, node: str = "", before: str | None = None) -> Record:
    def value(of: str) -> Value:
        return Value(key, (b"",), 1, 1, 1, {"node": of} if of else {})

    return Record(1, 0, False, value(node), None if before is None else value(before), b"")


def found(audiences: Audiences[str], what: Record) -> list[str]:
    return sorted(watcher for audience in audiences.find(what) for watcher in audience.members.values())


def test_a_record_finds_the_prefixes_and_the_key_that_it_is_under() -> None:
    audiences: Audiences[str] = Audiences()
    for number, (prefix, key) in enumerate(
        [("", ""), ("p/", ""), ("p/a", ""), ("p/a/", ""), ("q/", ""), ("", "p/a/1")]
    ):
        audiences.join(Filter(prefix, key, (), False), number, prefix or key or "all")
    assert found(audiences, record("p/a/1")) == ["all", "p/", "p/a", "p/a/", "p/a/1"]


def test_of_thousands_by_node_a_record_finds_the_old_and_the_new() -> None:
    audiences: Audiences[str] = Audiences()
    for number in range(5000):
        audiences.join(Filter("p/", "", (("node", f"n{number}"),), False), number, f"n{number}")
    assert found(audiences, record("p/a/1", "n7", before="n9")) == ["n7", "n9"]
    assert Counter(audience.filter for audience in audiences.find(record("p/a/1", "n7", before="n7"))).total() == 1


def test_who_left_is_not_found() -> None:
    audiences: Audiences[str] = Audiences()
    audience = audiences.join(Filter("p/", "", (("node", "a"),), False), 1, "gone")
    assert found(audiences, record("p/1", "a")) == ["gone"]
    audiences.leave(audience, 1)
    assert found(audiences, record("p/1", "a")) == []
