"""A log that an older version wrote: read, brought to this format at once or not at all, never half."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store import upgrade
from orchestrator.store.commands import Write, decode_command, encode_command
from orchestrator.store.connection import Connection, connect
from orchestrator.store.errors import LogCorrupt, LogFailed
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change
from orchestrator.store.repair import check, repair
from orchestrator.store.schema import FORMAT
from orchestrator.store.snapshot import dump
from orchestrator.store.sqlite_log import SqliteLog
from tests.store.older import Append, encode_batch_2, write_log

pytestmark = pytest.mark.real_loop
OLDER = [1, 2]
ROWS = 2 * upgrade.UPGRADED_ROWS + 5


def entry(index: int, term: int = 1) -> Entry:
    return Entry(index, term, encode_command(Write(0, [Change(f"k/{index}", (b"v%d" % index,))])))


APPENDS: list[Append] = [
    (HardState(1, 1, 0), [entry(1), entry(2), entry(3)]),
    (HardState(2, 0, 2), []),
    (HardState(2, 2, 2), [entry(3, 2), entry(4, 2)]),
]
ENTRIES = [entry(1), entry(2), entry(3, 2), entry(4, 2)]


def snapshot_chunks() -> list[bytes]:
    """Of the state after the first entry."""
    machine = Machine()
    machine.apply(decode_command(entry(1).payload))
    return list(dump(machine))


SNAPSHOT = (1, 1, snapshot_chunks())


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def execute(path: Path, sql: str, *parameters: Any) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql, parameters)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.mark.parametrize("older", OLDER)
async def test_a_log_of_an_older_format_is_read_and_brought_to_this_one(path: Path, older: int) -> None:
    write_log(path, older, APPENDS, SNAPSHOT)
    for expected in (older, FORMAT):
        log = SqliteLog(path)
        found = await log.open()
        assert (found.state, found.snapshot, found.entries) == (HardState(2, 2, 2), Mark(1, 1), ENTRIES)
        assert [chunk async for chunk in log.read_snapshot()] == SNAPSHOT[2]
        assert log.format == expected
        await log.close()
    assert user_version(path) == FORMAT


async def test_what_is_appended_after_an_upgrade_follows_it(path: Path) -> None:
    write_log(path, 2, APPENDS)
    log = SqliteLog(path)
    await log.open()
    await log.append(HardState(2, 2, 4), [entry(5, 2)])
    await log.close()
    found = await log.open()
    await log.close()
    assert found.entries == [*ENTRIES, entry(5, 2)]


async def test_more_rows_than_one_statement_rewrites_are_all_rewritten(path: Path) -> None:
    write_log(path, 2, [(HardState(1, 1, 0), [entry(index)]) for index in range(1, ROWS + 1)])
    log = SqliteLog(path)
    assert (await log.open()).entries == [entry(index) for index in range(1, ROWS + 1)]
    await log.close()


class Failing:
    """A connection whose disk is full after so many statements."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection = connection
        self._left = statements

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] | None = None) -> Iterable[Any]:
        self._left -= 1
        if self._left < 0:
            raise sqlite3.OperationalError("database or disk is full")
        return await self._connection.execute_fetchall(sql, parameters or ())

    async def close(self) -> None:
        await self._connection.close()


@pytest.mark.parametrize("older", OLDER)
async def test_an_upgrade_that_ends_early_has_changed_nothing(path: Path, older: int) -> None:
    write_log(path, older, APPENDS, SNAPSHOT)
    failures = 0
    for statements in range(100):

        async def failing(path: str, after: int = statements) -> Connection:
            return Failing(await connect(path), after)

        log = SqliteLog(path, connect=failing)
        try:
            await log.open()
            break
        except LogFailed:
            failures += 1
            if user_version(path) == FORMAT:
                break  # it was done, what failed came after
            assert user_version(path) == older
            assert (await check(str(path))).damage == []
        finally:
            await log.close()
    assert failures > 15
    assert (await check(str(path))).revision == 4


@pytest.mark.parametrize("older", OLDER)
async def test_a_check_says_the_format_and_leaves_it(path: Path, older: int) -> None:
    write_log(path, older, APPENDS)
    found = await check(str(path))
    assert (found.format, found.damage, found.entries, found.revision) == (older, [], 4, 4)
    assert user_version(path) == older


@pytest.mark.parametrize("older", OLDER)
async def test_damage_in_an_older_log_is_named_and_nothing_is_upgraded(path: Path, older: int) -> None:
    write_log(path, older, APPENDS)
    data = encode_batch_2(*APPENDS[2])
    execute(path, "UPDATE batches SET data = ? WHERE id = 3", data[:-1] + b"x")
    with pytest.raises(LogCorrupt, match="row 3, entry 4: expected checksum"):
        await SqliteLog(path).open()
    assert user_version(path) == older
    assert "entry 4" in (await check(str(path))).damage[0]


@pytest.mark.parametrize("older", OLDER)
async def test_an_older_log_is_repaired_into_this_format(path: Path, older: int) -> None:
    write_log(path, older, APPENDS, SNAPSHOT)
    execute(path, "UPDATE batches SET data = zeroblob(90) WHERE id = 3")
    found = await repair(str(path))
    assert (found.kept, found.last, found.dropped) == (3, 3, 1)
    log = SqliteLog(path)
    recovered = await log.open()
    await log.close()
    assert (recovered.snapshot, recovered.entries) == (Mark(1, 1), [entry(1), entry(2), entry(3)])
    assert user_version(path) == FORMAT


async def test_a_row_from_another_time_of_the_log_is_refused(path: Path) -> None:
    """As when a file is put back from a copy and a newer ``-wal`` stays beside it: each row is sound by itself."""
    log = SqliteLog(path)
    await log.open()
    for index in (1, 2, 3):
        await log.append(HardState(1, 1, index - 1), [entry(index)])
    await log.close()
    other = SqliteLog(path.parent / "other.sqlite")
    await other.open()
    await other.append(HardState(1, 1, 0), [Entry(1, 1, b"another one")])
    await other.append(HardState(1, 1, 1), [entry(2)])
    await other.close()
    with closing(sqlite3.connect(other.path)) as connection:
        ((data,),) = connection.execute("SELECT data FROM batches WHERE id = 2").fetchall()
    execute(path, "UPDATE batches SET data = ? WHERE id = 2", data)
    with pytest.raises(LogCorrupt, match="row 2, the batch's header: expected one that follows the seal"):
        await log.open()


async def test_a_log_that_is_open_to_be_read_takes_nothing(path: Path) -> None:
    write_log(path, 2, APPENDS)
    log = SqliteLog(path, read_only=True)
    assert (await log.open()).entries == ENTRIES
    with pytest.raises(LogFailed, match="read only"):
        await log.append(HardState(2, 2, 4), [entry(5, 2)])
    await log.close()
    assert user_version(path) == 2
