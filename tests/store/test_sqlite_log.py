from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.errors import ForeignLog, LogCorrupt, LogFailed, LogLocked, UnknownFormat
from orchestrator.store.log import Recovered
from orchestrator.store.schema import FORMAT
from orchestrator.store.sqlite_log import SqliteLog

pytestmark = pytest.mark.real_loop


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = SqliteLog(tmp_path / "store.db")
    await log.open()
    yield log
    await log.close()


def entries(first: int, last: int, term: int = 1) -> list[Entry]:
    return [Entry(index, term, b"payload %d" % index) for index in range(first, last + 1)]


def change_file(log: SqliteLog, sql: str, *parameters: object) -> None:
    connection = sqlite3.connect(log.path)
    connection.execute(sql, parameters)
    connection.commit()
    connection.close()


async def reopen(log: SqliteLog) -> Recovered:
    await log.close()
    return await log.open()


async def test_what_was_appended_is_found_again(log: SqliteLog) -> None:
    await log.append(HardState(3, 1, 0), entries(1, 2))
    await log.append(HardState(3, 1, 2), entries(3, 3))
    found = await reopen(log)
    assert found.state == HardState(3, 1, 2)
    assert found.entries == entries(1, 3)


async def test_a_hard_state_alone_is_durable(log: SqliteLog) -> None:
    await log.append(HardState(7, 2, 0), [])
    assert (await reopen(log)).state == HardState(7, 2, 0)


async def test_entries_at_the_same_index_take_the_place_of_all_after_them(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 0), entries(1, 5))
    await log.append(HardState(2, 1, 0), entries(3, 3, term=2))
    assert (await reopen(log)).entries == entries(1, 2) + entries(3, 3, term=2)


async def test_the_log_is_written_ahead_and_synced_in_full(log: SqliteLog) -> None:
    assert log._connection is not None
    found = [(await log._query(f"PRAGMA {name}"))[0][0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 3]


async def test_a_truncated_log_keeps_what_follows_and_the_hard_state(log: SqliteLog) -> None:
    for index in range(1, 5):
        await log.append(HardState(1, 1, index - 1), entries(index, index))
    await log.save_snapshot(Mark(4, 1), [b"chunk"])
    await log.truncate(4)
    found = await reopen(log)
    assert found.snapshot == Mark(4, 1)
    assert found.state == HardState(1, 1, 3)
    await log.append(HardState(1, 1, 4), entries(5, 5))
    assert (await reopen(log)).entries[-1] == entries(5, 5)[0]


async def test_a_snapshot_takes_the_place_of_the_one_before(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 0), entries(1, 2))
    await log.save_snapshot(Mark(1, 1), [b"old", b"one"])
    await log.save_snapshot(Mark(2, 1), [b"new"])
    assert (await reopen(log)).snapshot == Mark(2, 1)
    assert [chunk async for chunk in log.read_snapshot()] == [b"new"]


async def test_a_snapshot_that_was_not_completed_is_as_if_never_begun(log: SqliteLog) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the process dies here")

    await log.append(HardState(1, 1, 0), entries(1, 2))
    await log.save_snapshot(Mark(1, 1), [b"old"])
    with pytest.raises(RuntimeError, match="dies"):
        await log.save_snapshot(Mark(2, 1), chunks())
    assert (await reopen(log)).snapshot == Mark(1, 1)
    await log.save_snapshot(Mark(2, 1), [b"whole"])
    assert [chunk async for chunk in log.read_snapshot()] == [b"whole"]


async def test_a_log_that_lost_its_acknowledged_end_is_refused(log: SqliteLog) -> None:
    for index in range(1, 4):
        await log.append(HardState(1, 1, 0), entries(index, index))
    await log.close()
    change_file(log, "DELETE FROM batches WHERE id = 3")
    with pytest.raises(LogCorrupt, match="expected row 3, which was acknowledged, found row 2 as the last"):
        await log.open()


async def test_an_append_that_was_cut_is_reported(log: SqliteLog, tmp_path: Path) -> None:
    for index in range(1, 4):
        await log.append(HardState(1, 1, 0), entries(index, index))
    (tmp_path / "other").mkdir()
    for name in ("store.db", "store.db-wal"):
        (tmp_path / "other" / name).write_bytes((tmp_path / name).read_bytes())
    wal = tmp_path / "other" / "store.db-wal"
    wal.write_bytes(wal.read_bytes()[:-100])
    cut = SqliteLog(tmp_path / "other" / "store.db")
    found = await cut.open()
    await cut.close()
    assert found.entries == entries(1, 2)
    assert "bytes of an append that was not completed" in found.cut


async def test_a_snapshot_row_that_changed_is_refused(log: SqliteLog) -> None:
    await log.save_snapshot(Mark(1, 1), [b"chunk"])
    await log.close()
    change_file(log, "UPDATE snapshots SET at = 2")
    with pytest.raises(LogCorrupt, match="the checksum of its row"):
        await log.open()


async def test_entries_that_replaced_all_of_a_truncated_log_stand(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 0), entries(1, 3))
    await log.append(HardState(1, 1, 0), entries(4, 10))
    await log.append(HardState(2, 1, 0), entries(3, 4, term=2))
    await log.save_snapshot(Mark(3, 2), [b"chunk"])
    await log.truncate(3)
    assert (await reopen(log)).entries == entries(3, 4, term=2)


async def test_a_second_opener_is_told_who_holds_the_log(log: SqliteLog) -> None:
    with pytest.raises(LogLocked, match="is in use by process"):
        await SqliteLog(log.path).open()


async def test_a_file_that_is_no_database_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"my diary, nothing else" * 100)
    with pytest.raises(ForeignLog, match="not an SQLite file"):
        await SqliteLog(tmp_path / "store.db").open()
    assert (tmp_path / "store.db").read_bytes().startswith(b"my diary")


async def test_a_database_of_another_application_is_foreign(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(ForeignLog, match="another application"):
        await SqliteLog(tmp_path / "store.db").open()


async def test_a_newer_format_is_refused(log: SqliteLog) -> None:
    await log.close()
    change_file(log, f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(UnknownFormat, match=f"has format {FORMAT + 1}"):
        await log.open()


async def test_a_flipped_bit_in_an_entry_is_refused(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 0), entries(1, 1))
    await log.append(HardState(1, 1, 1), entries(2, 2))
    ((data,),) = await log._query("SELECT data FROM batches WHERE id = 1")
    await log.close()
    change_file(log, "UPDATE batches SET data = ? WHERE id = 1", data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(LogCorrupt, match="row 1, entry 1: expected checksum"):
        await log.open()


async def test_a_schema_whose_names_are_no_text_is_refused(log: SqliteLog) -> None:
    await log.close()
    connection = sqlite3.connect(log.path)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = 'none', name = CAST(x'ff6e' AS TEXT) WHERE type = 'table'")
    connection.commit()
    connection.close()
    with pytest.raises(LogCorrupt, match="malformed"):
        await log.open()


async def test_a_missing_batch_is_refused(log: SqliteLog) -> None:
    for index in range(1, 4):
        await log.append(HardState(1, 1, 0), entries(index, index))
    await log.close()
    change_file(log, "DELETE FROM batches WHERE id = 2")
    with pytest.raises(LogCorrupt, match="expected row 2, found row 3"):
        await log.open()


async def test_a_log_that_ends_before_what_is_committed_is_refused(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 9), entries(1, 2))
    await log.close()
    with pytest.raises(LogCorrupt, match="expected entry 9, which is committed, found 2"):
        await log.open()


async def test_a_damaged_snapshot_is_refused(log: SqliteLog) -> None:
    await log.save_snapshot(Mark(1, 1), [b"chunk"])
    await log.close()
    change_file(log, "UPDATE chunks SET data = ?", b"chunK")
    await log.open()
    with pytest.raises(LogCorrupt, match="chunk 1 of 1 of the snapshot"):
        [chunk async for chunk in log.read_snapshot()]


async def test_a_full_disk_fails_the_append_and_every_one_after_it(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 0), entries(1, 1))
    ((pages,),) = await log._query("PRAGMA page_count")
    await log._query(f"PRAGMA max_page_count = {pages}")
    large = Entry(2, 1, b"x" * 100_000)
    with pytest.raises(LogFailed, match="append failed: database or disk is full"):
        await log.append(HardState(1, 1, 1), [large])
    with pytest.raises(LogFailed):
        await log.append(HardState(1, 1, 1), entries(2, 2))
    assert (await reopen(log)).entries == entries(1, 1)


async def test_a_cancelled_append_leaves_no_open_transaction(log: SqliteLog) -> None:
    for index in range(1, 40):
        append = asyncio.ensure_future(log.append(HardState(1, 1, 0), [Entry(1, 1, b"%d" % index)]))
        await asyncio.sleep(0)
        append.cancel()
        await asyncio.gather(append, return_exceptions=True)
        found = await reopen(log)
        assert found.entries == [] or found.entries[0].payload.isdigit()
    await log.append(HardState(1, 1, 0), [Entry(1, 1, b"last")])
    assert (await reopen(log)).entries == [Entry(1, 1, b"last")]


async def test_a_checkpoint_keeps_what_was_appended(log: SqliteLog) -> None:
    await log.append(HardState(1, 1, 0), [Entry(1, 1, b"x" * (5 << 20))])
    await log.tidy()
    assert len((await reopen(log)).entries[0].payload) == 5 << 20


async def test_a_closed_log_refuses_to_append(log: SqliteLog) -> None:
    await log.close()
    with pytest.raises(LogFailed, match="the log is closed"):
        await log.append(HardState(), entries(1, 1))


async def test_a_large_log_and_an_old_snapshot_are_removed_step_by_step(log: SqliteLog) -> None:
    for index in range(1, 41):
        await log.append(HardState(1, 1, 0), [Entry(index, 1, b"x" * (256 << 10))])
    await log.save_snapshot(Mark(20, 1), [b"old %d" % number for number in range(20)])
    await log.truncate(20)
    await log.save_snapshot(Mark(39, 1), [b"new"])
    await log.truncate(39)
    found = await reopen(log)
    assert [entry.index for entry in found.entries] == [40]
    assert [chunk async for chunk in log.read_snapshot()] == [b"new"]
    rows = await log._query("SELECT (SELECT count(*) FROM batches), (SELECT count(*) FROM chunks)")
    assert rows == [(1, 1)]


def copied(folder: Path, to: Path) -> Path:
    """The files as a process that dies now leaves them."""
    to.mkdir()
    for file in folder.glob("store.db*"):
        (to / file.name).write_bytes(file.read_bytes())
    return to


async def test_a_reserved_write_ahead_log_is_opened_after_a_crash_before_and_after_its_first_append(
    tmp_path: Path,
) -> None:
    log = SqliteLog(tmp_path / "store.db", reserved_bytes=1 << 20)
    await log.open()
    await log.close()
    await log.open()
    for rows in range(1, 5):
        crashed = copied(tmp_path, tmp_path / f"crashed-{rows}")
        assert (crashed / "store.db-wal").stat().st_size == 1 << 20
        again = SqliteLog(crashed / "store.db", reserved_bytes=1 << 20)
        recovered = await again.open()
        assert (recovered.entries, recovered.cut) == (entries(1, rows - 1), "")
        await again.close()
        await log.append(HardState(1, 1, 0), entries(rows, rows))
    await log.close()
