"""``python -m tests.powercut.kill --kills N``: a real process with a store under load, killed again and again.

Each life opens the log that the last one left, checks that everything acknowledged is there, and writes on until it
is killed: often in the middle of an append, a checkpoint, a snapshot or its own recovery. Lives are forked from one
process that has everything imported, so that a kill costs a fraction of a second. Every other log is kept as ``podium
store serve`` keeps it: its write-ahead log reserved, small appends written by the loop's own thread.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import select
import signal
import sys
import tempfile
import time
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Any

from actors import Mailbox, Ref, System, child
from orchestrator.store.connection import connect_prompt
from orchestrator.store.protocol import Batch, Change, Get
from orchestrator.store.sqlite_log import RESERVED_BYTES, SqliteLog
from orchestrator.store.store import Store

WRITERS = 16
VALUE_BYTES = 2_000
LIFE_SECONDS = 0.1
"""At most, from the first acknowledged put; one life in five from its very beginning, mostly its recovery."""
HANG_SECONDS = 60.0
RESTART_EVERY = 50
"""Lives over one log."""
_ACK = Struct("<II")
"""Writer and counter: a pipe writes so few bytes whole."""
VIOLATED = 0xFFFFFFFF


def content(writer: int, counter: int) -> bytes:
    seed = blake2b(_ACK.pack(writer, counter)).digest()
    return (_ACK.pack(writer, counter) + seed * (VALUE_BYTES // len(seed) + 1))[:VALUE_BYTES]


async def live(path: Path, acknowledged: list[int], pipe: int, *, served: bool) -> None:
    """Check, then write until killed. What is wrong is written to the pipe behind a ``VIOLATED``."""
    async with System() as system:
        log = SqliteLog(path, reserved_bytes=RESERVED_BYTES, connect=connect_prompt) if served else SqliteLog(path)
        store = await system.spawn(child(Store, log, name="store", mailbox=Mailbox(8192), later=8192))
        found = (await store.ask(Get([f"k/{writer}" for writer in range(WRITERS)]), timeout=HANG_SECONDS)).values
        counters = [_ACK.unpack_from(value.parts[0])[1] if value is not None else 0 for value in found]
        for writer, (counter, value) in enumerate(zip(counters, found, strict=True)):
            if counter < acknowledged[writer]:
                raise AssertionError(f"k/{writer}: {acknowledged[writer]} was acknowledged, {counter} is there")
            if value is not None and value.parts[0] != content(writer, counter):
                raise AssertionError(f"k/{writer}: what is there was never written")
        await asyncio.gather(*[_write(store, writer, counters[writer], pipe) for writer in range(WRITERS)])


async def _write(store: Ref[Any], writer: int, counter: int, pipe: int) -> None:
    while True:
        counter += 1
        await store.ask(Batch([Change(f"k/{writer}", (content(writer, counter),))]))
        os.write(pipe, _ACK.pack(writer, counter))


def one_life(path: Path, acknowledged: list[int], seconds: float, *, early: bool, served: bool) -> str:
    """Start a process, kill it after ``seconds``, take in what it acknowledged; what it found wrong, or ""."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be(path, acknowledged, writing, served=served)
    os.close(writing)
    end, data = time.monotonic() + (seconds if early else HANG_SECONDS), b""
    with os.fdopen(reading, "rb", buffering=0) as source:
        while (left := end - time.monotonic()) > 0 and select.select([source], [], [], left)[0]:
            if not (piece := source.read(65_536)):
                break
            if not data and not early:
                end = time.monotonic() + seconds
            data += piece
        os.kill(pid, signal.SIGKILL)
        while piece := source.read(65_536):
            data += piece
    os.waitpid(pid, 0)
    return _take(data, acknowledged)


def _be(path: Path, acknowledged: list[int], pipe: int, *, served: bool) -> None:
    """The child: never returns."""
    try:
        asyncio.run(live(path, acknowledged, pipe, served=served))
    except BaseException as error:
        os.write(pipe, _ACK.pack(VIOLATED, 0) + repr(error).encode())
    os._exit(1)


def _take(data: bytes, acknowledged: list[int]) -> str:
    for position in range(0, len(data) - _ACK.size + 1, _ACK.size):
        writer, counter = _ACK.unpack_from(data, position)
        if writer == VIOLATED:
            return data[position + _ACK.size :].decode(errors="replace")
        acknowledged[writer] = counter
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    total, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="podium-kill-") as root:
        acknowledged = [0] * WRITERS
        for number in range(options.kills):
            if number % RESTART_EVERY == 0:
                total += sum(acknowledged)
                acknowledged = [0] * WRITERS
            log = number // RESTART_EVERY
            path = Path(root) / f"{log}" / "store.db"
            early = dice.random() < 0.2
            wrong = one_life(path, acknowledged, dice.uniform(0, LIFE_SECONDS), early=early, served=log % 2 == 1)
            if wrong:
                print(f"kill {number}: {wrong}")
                return 1
    total += sum(acknowledged)
    print(f"{options.kills} kills, {total} acknowledged puts, 0 lost, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
