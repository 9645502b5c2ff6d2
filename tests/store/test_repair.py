from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors import Ref, System, child
from orchestrator.store.errors import LogCorrupt
from orchestrator.store.protocol import Batch, Change, Range
from orchestrator.store.repair import check, defragment, repair
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store

pytestmark = pytest.mark.real_loop
APPENDS = 10


async def with_store(path: Path, work: Callable[[Ref[Any]], Awaitable[Any]]) -> Any:
    async with System() as system:
        return await work(await system.spawn(child(Store, SqliteLog(path), name="store")))


async def fill(store: Ref[Any]) -> None:
    for number in range(APPENDS):
        await store.ask(Batch([Change(f"k/{number}", (b"x" * 100,))]))


async def keys(store: Ref[Any]) -> list[str]:
    return [value.key for value in (await store.ask(Range(""))).values]


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "log.sqlite"
    await with_store(path, fill)
    return path


def change(path: Path, sql: str, *parameters: Any) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql, parameters)


def content(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_sound_log_is_said_to_be_sound(path: Path) -> None:
    found = await check(str(path))
    assert found.damage == []
    assert (found.keys, found.revision) == (APPENDS, APPENDS)


async def test_damage_is_named_and_changes_nothing(path: Path) -> None:
    change(path, "UPDATE batches SET data = zeroblob(90) WHERE id = 6")
    before = content(path)
    found = await check(str(path))
    assert "row 6" in found.damage[0]
    assert content(path) == before


async def test_a_repaired_log_has_everything_before_the_damage(path: Path) -> None:
    change(path, "UPDATE batches SET data = zeroblob(90) WHERE id = 6")
    done = await repair(str(path))
    assert "checksum" in done.reason
    assert done.dropped > 0
    assert (await check(str(path))).damage == []
    kept = await with_store(path, keys)
    assert kept == sorted(f"k/{number}" for number in range(len(kept)))
    assert 0 < len(kept) < APPENDS
    assert content(Path(done.saved))


async def test_a_log_without_its_end_is_accepted_by_a_repair(path: Path) -> None:
    change(path, "DELETE FROM batches WHERE id > 8")
    with pytest.raises(LogCorrupt, match="which was acknowledged"):
        await SqliteLog(path).open()
    await repair(str(path))
    assert len(await with_store(path, keys)) > 0


async def test_a_repaired_log_keeps_its_snapshot(path: Path) -> None:
    async def snapshot(store: Ref[Any]) -> None:
        await fill(store)

    await with_store(path, snapshot)
    from orchestrator.store.replica import Replica

    replica = Replica(SqliteLog(path))
    await replica.open()
    while await replica.perform(lambda ready, done: None, lambda: None):
        pass
    await replica.snapshot()
    await replica.close()
    await with_store(path, fill)
    change(path, "UPDATE batches SET data = zeroblob(90) WHERE id = (SELECT max(id) FROM batches)")
    await repair(str(path))
    assert len(await with_store(path, keys)) == APPENDS


async def test_entries_whose_snapshot_is_gone_cannot_be_repaired(path: Path) -> None:
    change(path, "DELETE FROM batches WHERE id < 6")
    with pytest.raises(LogCorrupt, match="the snapshot"):
        await repair(str(path))


async def test_a_defragmented_log_is_smaller_and_has_the_same(path: Path) -> None:
    change(path, "CREATE TABLE waste AS SELECT zeroblob(1000000)")
    change(path, "DROP TABLE waste")
    before, after = defragment(str(path))
    assert after < before - 900_000
    assert len(await with_store(path, keys)) == APPENDS
