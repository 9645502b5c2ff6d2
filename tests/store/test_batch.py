import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.batch import Damaged, decode_batch, encode_batch

BATCH, SEAL = encode_batch(HardState(2, 1, 6), [Entry(7, 2, b"seven"), Entry(8, 2, b""), Entry(9, 2, b"nine")], 5)


def test_a_batch_is_read_as_it_was_written() -> None:
    batch = decode_batch(BATCH)
    assert batch.state == HardState(2, 1, 6)
    assert batch.entries == [Entry(7, 2, b"seven"), Entry(8, 2, b""), Entry(9, 2, b"nine")]


def test_a_batch_without_entries_carries_the_state() -> None:
    data, seal = encode_batch(HardState(5, 3, 1), [])
    assert decode_batch(data).state == HardState(5, 3, 1)
    assert decode_batch(data).seal == seal


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


def test_a_batch_follows_the_one_before_it_and_no_other() -> None:
    assert decode_batch(BATCH, 5).seal == SEAL
    with pytest.raises(Damaged, match="one that follows the seal 00000006, found 00000005"):
        decode_batch(BATCH, 6)
    after, _ = encode_batch(HardState(2, 1, 9), [], SEAL)
    assert decode_batch(after, SEAL).state == HardState(2, 1, 9)


def test_an_entry_stands_for_all_before_it() -> None:
    """The same entry behind another one has another checksum."""
    one, _ = encode_batch(HardState(1), [Entry(1, 1, b"one"), Entry(2, 1, b"two")])
    other, _ = encode_batch(HardState(1), [Entry(1, 1, b"uno"), Entry(2, 1, b"two")])
    with pytest.raises(Damaged, match="entry 2: expected checksum"):
        decode_batch(one[: -len(b"two") - 16] + other[-len(b"two") - 16 :])
