from __future__ import annotations

import msgspec
import pytest

from orchestrator.store.commands import Write, decode_command, encode_command
from orchestrator.store.interned import interned_changes
from orchestrator.store.protocol import Change

SPEC = b"s" * 500


def replicas(count: int) -> list[Change]:
    return [Change(f"core/pods/default/web-{i}", (b"m%d" % i, None, bytes(bytearray(SPEC)))) for i in range(count)]


def test_a_part_that_many_changes_bring_is_logged_once() -> None:
    payload = encode_command(Write(7, replicas(100), "r"))
    assert payload.count(SPEC) == 1


def test_a_command_with_shared_parts_is_read_as_it_was_written() -> None:
    changes = [*replicas(3), Change("a/b", None, 4), Change("a/c", (b"short",), 0, {"f": "v"}, 9, b"why")]
    write = Write(7, changes, "r")
    assert decode_command(encode_command(write)) == write


def test_what_is_read_back_shares_its_equal_parts() -> None:
    read = decode_command(encode_command(Write(7, replicas(2))))
    assert isinstance(read, Write)
    first, second = (change.parts for change in read.changes)
    assert first is not None
    assert second is not None
    assert first[2] is second[2]


def test_a_command_of_unlike_parts_keeps_the_plain_form() -> None:
    write = Write(7, [Change("a", (b"x" * 100,)), Change("b", (b"y" * 100,))])
    assert encode_command(write) == msgspec.msgpack.encode(write)


def test_a_part_number_beyond_the_table_is_refused() -> None:
    payload = msgspec.msgpack.encode([7, 1, [["a", [3], None, None, 0, b""]], "", [b"only"]])
    with pytest.raises(msgspec.ValidationError, match="expected less than 1"):
        decode_command(payload)


def test_equal_parts_of_different_frames_become_one_object() -> None:
    (first,) = interned_changes(replicas(1))
    (second,) = interned_changes(replicas(1))
    assert first.parts is not None
    assert second.parts is not None
    assert second.parts[2] is first.parts[2]
