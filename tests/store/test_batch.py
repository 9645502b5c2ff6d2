import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.batch import Damaged, batch_bytes, decode_batch, encode_batch

BATCH = encode_batch(HardState(2, 1, 6), [Entry(7, 2, b"seven"), Entry(8, 2, b""), Entry(9, 2, b"nine")])


def test_a_batch_is_read_as_it_was_written() -> None:
    batch = decode_batch(BATCH)
    assert batch.state == HardState(2, 1, 6)
    assert batch.entries == [Entry(7, 2, b"seven"), Entry(8, 2, b""), Entry(9, 2, b"nine")]


def test_a_batch_without_entries_carries_the_state() -> None:
    assert decode_batch(encode_batch(HardState(5, 3, 1), [])).state == HardState(5, 3, 1)


@pytest.mark.parametrize("position", range(len(BATCH)))
def test_any_flipped_byte_is_damage(position: int) -> None:
    flipped = bytearray(BATCH)
    flipped[position] ^= 0x40
    with pytest.raises(Damaged):
        decode_batch(bytes(flipped))


@given(st.integers(0, len(BATCH) - 1))
def test_any_beginning_of_a_batch_is_damage(length: int) -> None:
    with pytest.raises(Damaged):
        decode_batch(BATCH[:length])
    with pytest.raises(Damaged):
        batch_bytes(BATCH[:length], 0)


def test_the_length_of_a_batch_is_known_from_its_headers() -> None:
    assert batch_bytes(BATCH + BATCH, 0) == len(BATCH)
