"""``python -m tests.powercut.fuzz --seeds N [--first K]``: bytes that came to harm, one mutation a seed.

Log files, write-ahead logs, snapshot files, the chunks of a snapshot, batches, commands, requests at the HTTP door,
messages of members. What is read from them must be
exactly what was written, or a refusal in the words of our errors: no other exception, no hang, nothing silently less.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store import snapshot_file
from orchestrator.store.batch import Damaged, decode_batch, encode_batch
from orchestrator.store.commands import (
    Command,
    CompactTo,
    Grant,
    Revoke,
    Transact,
    Write,
    decode_command,
    encode_command,
)
from orchestrator.store.errors import LogError
from orchestrator.store.gateway.errors import GatewayError
from orchestrator.store.gateway.http import Connection, Request
from orchestrator.store.gateway.messages import PutRequest, TxnRequest, decode
from orchestrator.store.machine import Machine
from orchestrator.store.protocol import Change, Compare, Relation, Target
from orchestrator.store.snapshot import Unreadable, dump, load
from orchestrator.store.sqlite_log import SqliteLog
from orchestrator.store.wire import Confirm, Confirmed, Forward, Placed, decode_wire, encode_wire
from tests.store.gateway.wire import Wire
from tests.store.older import write_log

HANG_SECONDS = 30
FAST = "/dev/shm"
PROGRESS_SEEDS = 10_000


class Violation(Exception):
    """What was read is neither what was written nor refused."""


@dataclass(frozen=True)
class Base:
    """A log on disk as a killed process left it, and what is in it."""

    folder: Path
    content: tuple[Any, ...]


def mutate(dice: random.Random, data: bytes) -> bytes:
    """One harm of the kinds that disks, copies and people do."""
    if not data:
        return dice.randbytes(dice.randint(1, 100))
    made = bytearray(data)
    at = dice.randrange(len(made))
    match dice.randrange(8):
        case 0:
            made[at] ^= 1 << dice.randrange(8)
        case 1:
            made[at] = dice.randrange(256)
        case 2:
            del made[at:]
        case 3:
            end = min(len(made), at - at % 512 + 512)
            made[at - at % 512 : end] = bytes(end - (at - at % 512))
        case 4:
            other = dice.randrange(len(made))
            size = min(dice.choice((8, 512, 4096)), len(made) - max(at, other))
            made[at : at + size] = data[other : other + size]
        case 5:
            del made[at : at + dice.choice((1, 24, 512, 4120))]
        case 6:
            made[at:at] = dice.randbytes(dice.choice((1, 24, 512)))
        case 7:
            made[at : at + 4] = dice.choice((b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff"))
    return bytes(made)


async def make_bases(root: Path) -> list[Base]:
    """Logs of some sizes: in the write-ahead log or checkpointed, with a snapshot or without."""
    dice = random.Random(1)
    made = []
    for number, (appends, tidy_at, snapshot_at) in enumerate(
        [(3, 0, 0), (12, 6, 0), (12, 12, 0), (12, 8, 5), (20, 15, 15), (20, 0, 10)]
    ):
        path = root / f"live-{number}" / "store.db"
        log = SqliteLog(path, checkpoint_idle_bytes=1)
        await log.open()
        last = 0
        for step in range(1, appends + 1):
            entries = [Entry(last + i, 1, dice.randbytes(dice.choice((20, 700, 5_000)))) for i in range(1, 3)]
            await log.append(HardState(1, 1, last), entries)
            last = entries[-1].index
            if step == snapshot_at:
                await log.save_snapshot(Mark(last, 1), [dice.randbytes(3_000), dice.randbytes(10)])
                await log.truncate(last)
            if step == tidy_at:
                await log.tidy()
        folder = root / f"base-{number}"
        shutil.copytree(path.parent, folder)
        await log.close()
        copy = SqliteLog(root / "copy" / "store.db")
        shutil.copytree(folder, root / "copy")
        made.append(Base(folder, await _content(copy)))
        shutil.rmtree(root / "copy")
    return made + [await _older_base(root, older) for older in (1, 2)]


async def _older_base(root: Path, older: int) -> Base:
    dice = random.Random(older)
    folder = root / f"older-{older}"
    appends = [
        (HardState(1, 1, index - 2), [Entry(index - 1, 1, dice.randbytes(700)), Entry(index, 1, dice.randbytes(20))])
        for index in range(2, 20, 2)
    ]
    folder.mkdir()
    write_log(folder / "store.db", older, appends, (4, 1, [dice.randbytes(3_000), dice.randbytes(10)]))
    shutil.copytree(folder, root / "copy")
    content = await _content(SqliteLog(root / "copy" / "store.db"))
    shutil.rmtree(root / "copy")
    return Base(folder, content)


async def _content(log: SqliteLog) -> tuple[Any, ...]:
    try:
        found = await log.open()
        chunks = [chunk async for chunk in log.read_snapshot()]
    finally:
        await log.close()
    return found.state, found.snapshot, [e for e in found.entries if e.index > found.snapshot.index], chunks


async def fuzz_log(dice: random.Random, base: Base, folder: Path) -> None:
    """One file of a log. Where the mark is lost too, a shorter log may be all that is known: a prefix, not less."""
    shutil.copytree(base.folder, folder)
    names = [name for name in ("store.db", "store.db-wal") if (folder / name).exists()]
    path = folder / dice.choice(names)
    path.write_bytes(mutate(dice, path.read_bytes()))
    if dice.random() < 0.1:
        path = folder / dice.choice(names)
        path.write_bytes(mutate(dice, path.read_bytes()))
    try:
        found = await _content(SqliteLog(folder / "store.db"))
    except LogError:
        return
    if found != base.content:
        raise Violation(f"{base.folder.name}, {path.name}: opened, and holds something else than was written")


def machine() -> Machine:
    made = Machine()
    for command in COMMANDS:
        made.apply(command)
    return made


COMMANDS: list[Command] = [
    Grant(1, 60_000),
    Write(2, [Change(f"k/{i}", (b"meta %d" % i, b"x" * 100, b"rest"), None, {"f": "v"}) for i in range(5)], "r1"),
    Write(3, [Change("k/1", (None, b"new", None)), Change("k/2", None), Change("k/9", (b"y" * 300,), 0, None, 1)]),
    Transact(4, [Compare("k/3", Target.VERSION, Relation.EQUAL, 1)], [Change("k/3", None)], [], "r2"),
    CompactTo(5, 3),
    Write(6, [Change("k/2", (b"back",)), Change("k/9", (b"z",))]),
    Revoke(7, 1),
]


def fuzz_snapshot_file(dice: random.Random, chunks: list[bytes], folder: Path) -> None:
    folder.mkdir()
    path = folder / "snapshot"
    path.write_bytes(mutate(dice, b"".join(snapshot_file.frame(chunks))))
    try:
        found = list(snapshot_file.read(path))
    except snapshot_file.SnapshotDamaged:
        return
    if found != chunks:
        raise Violation("a snapshot file was read, and holds something else than was written")


def fuzz_chunks(dice: random.Random, chunks: list[bytes]) -> None:
    """Below the checksums: whatever the bytes say, they are a state or ``Unreadable``."""
    at = dice.randrange(len(chunks))
    harmed = [*chunks[:at], mutate(dice, chunks[at]), *chunks[at + 1 :]]
    try:
        list(dump(load(harmed)))
    except Unreadable:
        return


def fuzz_batch(dice: random.Random) -> None:
    entries = [Entry(i, 2, dice.randbytes(dice.choice((0, 3, 80)))) for i in range(4, 4 + dice.randrange(4))]
    state = HardState(2, 1, 3)
    harmed = mutate(dice, encode_batch(state, entries)[0])
    try:
        found = decode_batch(harmed)
    except Damaged:
        return
    if (found.state, found.entries) != (state, entries):
        raise Violation("a batch was read, and holds something else than was written")


def fuzz_command(dice: random.Random) -> None:
    """Below the checksums: bytes are a command that every machine applies alike, or a refusal of the decoder."""
    try:
        command = decode_command(mutate(dice, encode_command(dice.choice(COMMANDS))))
    except msgspec.MsgspecError:
        return
    first, second = machine(), machine()
    if first.apply(command) != second.apply(command):
        raise Violation(f"two machines disagree about {command}")


REQUESTS = [
    b"POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\n\r\n" + b'{"key":"YQ==","value":"Yg=="}  ',
    b"POST /v3/kv/txn HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
]


def fuzz_request(dice: random.Random) -> None:
    """Bytes at the HTTP door, in any pieces: answers, or a refusal and the end of the connection."""

    def serve(request: Request) -> None:
        try:
            decode(request.body, dice.choice((PutRequest, TxnRequest)))
        except GatewayError:
            request.answer(b"refused", 400)
        else:
            request.answer(b"done")

    wire = Wire(Connection(serve, lambda _: None))
    sent = mutate(dice, dice.choice(REQUESTS) + dice.choice(REQUESTS))
    while sent and not wire.closed:
        size = dice.randint(1, len(sent))
        wire.feed(sent[:size])
        sent = sent[size:]
    try:
        wire.answers()
    except AssertionError as error:
        raise Violation(str(error)) from error


def fuzz_wire(dice: random.Random) -> None:
    """What members say to each other: a message or a refusal of the decoder."""
    message: Any = dice.choice(
        (Forward(1, 2, 3, b"payload"), Placed(1, 2, 3, 4, 5), Confirm(1, 2, 3), Confirmed(1, 2, 3, 4))
    )
    try:
        decode_wire(mutate(dice, encode_wire(message)))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return


async def run(first: int, seeds: int, root: Path) -> str:
    """The first violation, or ""."""
    bases = await make_bases(root)
    chunks = list(dump(machine()))
    folder = root / "case"
    kinds: list[Callable[[random.Random], Awaitable[None] | None]] = [
        lambda dice: fuzz_log(dice, dice.choice(bases), folder),
        lambda dice: fuzz_log(dice, dice.choice(bases), folder),
        lambda dice: fuzz_snapshot_file(dice, chunks, folder),
        lambda dice: fuzz_chunks(dice, chunks),
        fuzz_batch,
        fuzz_command,
        fuzz_request,
        fuzz_wire,
    ]
    for seed in range(first, first + seeds):
        signal.alarm(HANG_SECONDS)
        dice = random.Random(seed)
        try:
            made = kinds[seed % len(kinds)](dice)
            if made is not None:
                await made
        except Exception as error:
            return f"seed {seed}: {error if isinstance(error, Violation) else repr(error)}"
        shutil.rmtree(folder, ignore_errors=True)
        if (seed - first + 1) % PROGRESS_SEEDS == 0:
            print(f"{seed - first + 1} seeds", flush=True)
    signal.alarm(0)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    parent = FAST if os.access(FAST, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="podium-fuzz-", dir=parent) as root:
        wrong = asyncio.run(run(options.first, options.seeds, Path(root)))
    if wrong:
        print(f"{wrong}\nreplay: python -m tests.powercut.fuzz --first {wrong.split()[1].rstrip(':')} --seeds 1")
        return 1
    print(f"{options.seeds} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
