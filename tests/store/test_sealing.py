from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors import Ref, System, child
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.backup import describe, save_offline
from orchestrator.store.errors import LogCorrupt
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Batch, Change, Get
from orchestrator.store.repair import check
from orchestrator.store.sealing import (
    KEY_BYTES,
    MARKER,
    KeyMissing,
    Keyring,
    KeysUnusable,
    SealedLog,
    load_keys,
    rotate,
)
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.store import Store

OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES
SECRET = Entry(1, 1, b"\x93 core/secrets/default/token hunter2")
PLAIN = Entry(2, 1, b"\x93 core/pods/default/web")
STATE = HardState(1, 1, 0)


def nonces() -> Any:
    numbers: Iterator[int] = itertools.count()
    return lambda size: next(numbers).to_bytes(size, "big")


def sealed(log: MemoryLog, *keys: bytes) -> SealedLog:
    return SealedLog(log, Keyring(list(keys)), random_bytes=nonces())


async def test_what_has_a_secrets_key_in_it_is_sealed_and_read_back() -> None:
    under = MemoryLog()
    log = sealed(under, NEW)
    await log.open()
    await log.append(STATE, [SECRET, PLAIN])
    await log.save_snapshot(Mark(1, 1), [b"core/secrets/x", b"core/pods/y"])
    on_disk = (await under.open()).entries
    assert b"hunter2" not in on_disk[0].payload
    assert on_disk[1] == PLAIN
    assert [chunk.startswith(MARKER) async for chunk in under.read_snapshot()] == [True, False]
    assert (await log.open()).entries == [SECRET, PLAIN]
    assert [chunk async for chunk in log.read_snapshot()] == [b"core/secrets/x", b"core/pods/y"]
    assert not log.statistics().rewrite


async def test_without_the_key_nothing_is_opened_and_the_key_is_named() -> None:
    under = MemoryLog()
    log = sealed(under, NEW)
    await log.open()
    await log.append(STATE, [SECRET])
    for keys in ([], [OLD]):
        with pytest.raises(KeyMissing, match="entry 1 is encrypted with key"):
            await sealed(under, *keys).open()


async def test_an_old_key_opens_and_a_snapshot_is_due_that_seals_anew() -> None:
    under = MemoryLog()
    old = sealed(under, OLD)
    await old.open()
    await old.append(STATE, [SECRET])
    log = sealed(under, NEW, OLD)
    assert (await log.open()).entries == [SECRET]
    assert log.statistics().rewrite
    await log.save_snapshot(Mark(1, 1), [b"core/secrets/x"])
    await log.truncate(1)
    assert not log.statistics().rewrite
    fresh = sealed(under, NEW)
    await fresh.open()
    assert [chunk async for chunk in fresh.read_snapshot()] == [b"core/secrets/x"]


async def test_what_was_in_the_clear_makes_a_snapshot_due() -> None:
    under = MemoryLog()
    await under.append(STATE, [SECRET])
    log = sealed(under, NEW)
    assert (await log.open()).entries == [SECRET]
    assert log.statistics().rewrite


async def test_sealed_entries_cannot_change_places_nor_change() -> None:
    under = MemoryLog()
    log = sealed(under, NEW)
    await log.open()
    await log.append(STATE, [SECRET, Entry(2, 1, SECRET.payload)])
    first, second = (await under.open()).entries
    for harmed in (
        [Entry(1, 1, second.payload), Entry(2, 1, first.payload)],
        [Entry(1, 1, first.payload[:-1] + b"?"), second],
        [Entry(1, 1, first.payload[:10]), second],
    ):
        other = MemoryLog()
        await other.append(STATE, harmed)
        with pytest.raises(LogCorrupt, match="sealed with key"):
            await sealed(other, NEW).open()


def test_a_key_file_is_made_for_its_owner_and_rotated_in_front(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "file"
    first = load_keys(path).names
    assert path.stat().st_mode & 0o777 == 0o600
    name = rotate(path)
    assert load_keys(path).names == [name, *first]


@pytest.mark.parametrize("text", ["", "no base64 at all!\n", "c2hvcnQ=\n"])
def test_a_file_that_has_no_keys_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(KeysUnusable):
        load_keys(tmp_path / "keys")


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("log*"))


@pytest.mark.real_loop
async def test_a_secret_is_nowhere_in_the_files_and_survives_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"

    async def life(keys: list[bytes], work: Any) -> None:
        async with System() as system:
            log = SealedLog(SqliteLog(path), Keyring(keys))
            await work(await system.spawn(child(lambda: Store(log), name="store")))

    async def write(store: Ref[Any]) -> None:
        await store.ask(Batch([Change("core/secrets/ns/a", (b"hunter2",)), Change("core/pods/ns/a", (b"visible",))]))
        assert b"hunter2" not in on_disk(tmp_path)
        assert b"visible" not in on_disk(tmp_path), "they were in one batch"
        await store.ask(Batch([Change("core/pods/ns/b", (b"visible",))]))
        assert b"visible" in on_disk(tmp_path)

    async def read(store: Ref[Any]) -> None:
        (value,) = (await store.ask(Get(["core/secrets/ns/a"]))).values
        assert value is not None
        assert value.parts == (b"hunter2",)
        # The snapshot that the new key wants comes with the next commits.
        for number in range(20):
            await store.ask(Batch([Change(f"core/pods/ns/{number}", (b"x",))]))

    await life([OLD], write)
    with pytest.raises(KeyMissing):
        await check(str(path))
    assert (await check(str(path), Keyring([OLD]))).keys == 3
    await save_offline(str(path), tmp_path / "saved", Keyring([OLD]))
    assert describe(tmp_path / "saved").keys == 3
    await life([NEW, OLD], read)
    await life([NEW], read)
    assert b"hunter2" not in on_disk(tmp_path)
