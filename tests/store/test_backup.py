from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors import Ref, Refused, System, child
from orchestrator.store.backup import describe, restore, save_offline
from orchestrator.store.protocol import Batch, Change, Get, Range, SaveSnapshot, Watch
from orchestrator.store.snapshot_file import SnapshotDamaged
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store
from tests.store.conformance import Made, subscribe

pytestmark = pytest.mark.real_loop


async def fill(store: Ref[Any]) -> None:
    await store.ask(Batch([Change(f"k/{number}", (b"%d" % number,)) for number in range(20)]))
    await store.ask(Batch([Change("k/1", None), Change("k/2", (b"new",))]))


async def started(system: System, path: Path) -> Ref[Any]:
    return await system.spawn(child(Store, SqliteLog(path), name="store"))


async def test_a_snapshot_of_a_running_store_is_restored_with_its_history(tmp_path: Path) -> None:
    async with System() as system:
        store = await started(system, tmp_path / "one.sqlite")
        await fill(store)
        saved = await store.ask(SaveSnapshot(str(tmp_path / "snapshot")))
        await store.ask(Batch([Change("k/late", (b"",))]))
        before = await store.ask(Range("", revision=saved.revision))
    assert describe(tmp_path / "snapshot").keys == 19
    state = await restore(str(tmp_path / "two.sqlite"), tmp_path / "snapshot")
    assert state.revision == saved.revision
    async with System() as system:
        store = await started(system, tmp_path / "two.sqlite")
        assert await store.ask(Range("")) == before
        (old,) = (await store.ask(Get(["k/1"], revision=20))).values
        assert old is not None
        assert old.parts == (b"1",)
        assert (await store.ask(Batch([Change("k/next", (b"",))]))).revision == saved.revision + 1


async def test_a_stopped_store_is_saved_from_its_log(tmp_path: Path) -> None:
    async with System() as system:
        await fill(await started(system, tmp_path / "one.sqlite"))
    await save_offline(str(tmp_path / "one.sqlite"), tmp_path / "snapshot")
    assert (describe(tmp_path / "snapshot").revision, describe(tmp_path / "snapshot").keys) == (22, 19)


async def test_a_bumped_revision_sends_old_watchers_back_to_list(tmp_path: Path) -> None:
    async with System() as system:
        await fill(await started(system, tmp_path / "one.sqlite"))
    await save_offline(str(tmp_path / "one.sqlite"), tmp_path / "snapshot")
    assert (await restore(str(tmp_path / "two.sqlite"), tmp_path / "snapshot", 1000)).revision == 1022
    async with System() as system:
        store = await started(system, tmp_path / "two.sqlite")
        made = Made(system, store, restart=lambda: None)  # type: ignore[arg-type, return-value]
        seen = await subscribe(made)
        with pytest.raises(Refused, match="compacted"):
            await store.ask(Watch(seen.ref, revision=22))
        assert len((await store.ask(Range(""))).values) == 19


async def test_a_damaged_snapshot_makes_no_store(tmp_path: Path) -> None:
    (tmp_path / "snapshot").write_bytes(b"podium-snapshot\x01 and nothing")
    with pytest.raises(SnapshotDamaged):
        await restore(str(tmp_path / "two.sqlite"), tmp_path / "snapshot")
    assert not (tmp_path / "two.sqlite").exists()


async def test_a_snapshot_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    async with System() as system:
        store = await started(system, tmp_path / "one.sqlite")
        with pytest.raises(Refused, match="cannot write"):
            await store.ask(SaveSnapshot(str(tmp_path / "missing" / "snapshot")))
