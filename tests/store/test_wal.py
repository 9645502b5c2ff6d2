from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.store.batch import Damaged
from orchestrator.store.wal import Tail, inspect

ROWS = 20
FRAME_BYTES = 4096 + 24


@pytest.fixture
def wal(tmp_path: Path) -> bytes:
    """Of a file to which ``ROWS`` rows were written, each larger than a page, one transaction each."""
    connection = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE rows (data BLOB)")
    for number in range(ROWS):
        connection.execute("INSERT INTO rows VALUES (?)", (bytes([number]) * 9000,))
    data = (tmp_path / "file.db-wal").read_bytes()
    connection.close()
    return data


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_a_whole_log_has_no_tail(wal: bytes) -> None:
    assert inspect(wal) == Tail(ROWS + 1, 0, 0)


def test_a_log_that_was_never_written_has_no_tail() -> None:
    assert inspect(b"") == Tail(0, 0, 0)


def test_a_log_that_was_reserved_and_never_written_has_no_tail() -> None:
    assert inspect(bytes(1 << 20)) == Tail(0, 0, 0)


def test_what_is_reserved_behind_a_log_changes_nothing(wal: bytes) -> None:
    reserve = bytes(100 * FRAME_BYTES + 77)
    assert inspect(wal + reserve) == inspect(wal)
    torn = flipped(wal, len(wal) - 50)
    assert inspect(torn + reserve) == inspect(torn)
    with pytest.raises(Damaged, match="header"):
        inspect(bytes(32) + wal[32:] + reserve)


def test_an_append_that_was_cut_is_a_tail(wal: bytes) -> None:
    tail = inspect(wal[:-FRAME_BYTES])
    assert tail.transactions == ROWS
    assert 0 < tail.frames < 5


def test_damage_in_the_last_append_is_a_tail(wal: bytes) -> None:
    assert inspect(flipped(wal, len(wal) - 50)).transactions == ROWS


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_damage_before_the_last_append_was_acknowledged(wal: bytes, part: float) -> None:
    with pytest.raises(Damaged, match="whole transactions after it"):
        inspect(flipped(wal, int(len(wal) * part)))


@pytest.mark.parametrize("position", range(32))
def test_a_damaged_header_is_told(wal: bytes, position: int) -> None:
    with pytest.raises(Damaged, match="header"):
        inspect(flipped(wal, position))


def test_frames_from_before_a_checkpoint_do_not_count(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "file.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE rows (data BLOB)")
    connection.execute("INSERT INTO rows VALUES (zeroblob(50000))")
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    connection.execute("INSERT INTO rows VALUES (1)")
    assert inspect((tmp_path / "file.db-wal").read_bytes()) == Tail(1, 0, 0)
    connection.close()
