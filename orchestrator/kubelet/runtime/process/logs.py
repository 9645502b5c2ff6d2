"""Reads log files as CRI runtimes write them: ``<time> <stream> <F or P> <text>``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.kubelet.runtime.runtime import LogOptions

POLL_SECONDS = 0.1
"""Between looks at a file that is followed."""
CHUNK_BYTES = 256 * 1024


class _Lines:
    """Turns stored lines into the lines to show, and counts what may still be shown."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._left = options.limit_bytes
        self._rest = b""
        self._continues: set[bytes] = set()

    @property
    def spent(self) -> bool:
        return self._left is not None and self._left <= 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole by now."""
        stored = (self._rest + data).split(b"\n")
        self._rest = stored.pop()
        return [shown for line in stored if (shown := self._show(line)) is not None]

    def _show(self, line: bytes) -> bytes | None:
        parts = line.split(b" ", 3)
        if len(parts) < 4:
            return None
        time, stream, tag, text = parts
        options = self._options
        if options.stream != "All" and stream != options.stream.lower().encode():
            return None
        if options.since and parse_time(time.decode()) < options.since:
            return None
        first = stream not in self._continues
        if tag == b"P":
            self._continues.add(stream)
        else:
            self._continues.discard(stream)
            text += b"\n"
        return time + b" " + text if options.timestamps and first else text

    def cut(self, text: bytes) -> bytes:
        if self._left is None:
            return text
        text = text[: max(self._left, 0)]
        self._left -= len(text)
        return text


def _read(path: Path, offset: int) -> tuple[bytes, int]:
    """From ``offset``, or from the start of a file that was rotated meanwhile."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = offset if offset <= size else 0
            file.seek(start)
            data = file.read(CHUNK_BYTES)
            return data, start + len(data)
    except FileNotFoundError:
        return b"", 0


def _older(path: Path) -> bytes:
    try:
        return path.with_name(path.name + ".1").read_bytes()
    except FileNotFoundError:
        return b""


async def read_log(path: Path, options: LogOptions, running: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Pieces of whole lines; with ``follow`` until ``running`` says no and everything was read."""
    lines = _Lines(options)
    kept: deque[bytes] = deque(maxlen=options.tail_lines)
    kept.extend(lines.feed(await asyncio.to_thread(_older, path)))
    offset = 0
    while True:
        data, offset = await asyncio.to_thread(_read, path, offset)
        kept.extend(lines.feed(data))
        if not data:
            break
    text = lines.cut(b"".join(kept))
    if text:
        yield text
    while options.follow and not lines.spent:
        alive = running()
        data, offset = await asyncio.to_thread(_read, path, offset)
        if data:
            text = lines.cut(b"".join(lines.feed(data)))
            if text:
                yield text
        elif not alive:
            return
        else:
            await asyncio.sleep(POLL_SECONDS)
