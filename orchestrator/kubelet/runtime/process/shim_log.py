"""The log file of one container, as its shim writes it. Imports compiled-in modules only: see ``shim``."""

from __future__ import annotations

import os
import time

MAX_LINE = 16384
"""Longer lines are cut into partial ones, as CRI runtimes do."""
MAX_LOG_BYTES = 10 * 1024 * 1024
"""Then the log is rotated; one older file is kept."""


def stamp(now: int) -> str:
    """RFC 3339 with nanoseconds."""
    seconds, nanos = divmod(now, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanos:09d}Z"


class Log:
    """Lines of one container."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.size = os.fstat(self.file).st_size
        self.partial = {1: b"", 2: b""}

    def write(self, stream: int, data: bytes) -> None:
        data = self.partial[stream] + data
        lines = data.split(b"\n")
        self.partial[stream] = lines.pop()
        text = b"".join(self.line(stream, b"F", line) for line in lines)
        while len(self.partial[stream]) >= MAX_LINE:
            text += self.line(stream, b"P", self.partial[stream][:MAX_LINE])
            self.partial[stream] = self.partial[stream][MAX_LINE:]
        self.append(text)

    def close_stream(self, stream: int) -> None:
        if self.partial[stream]:
            self.append(self.line(stream, b"F", self.partial[stream]))
            self.partial[stream] = b""

    def line(self, stream: int, tag: bytes, text: bytes) -> bytes:
        name = b"stdout" if stream == 1 else b"stderr"
        now = stamp(time.time_ns()).encode()
        pieces = [text[at : at + MAX_LINE] for at in range(0, len(text), MAX_LINE)] or [b""]
        tags = [b"P"] * (len(pieces) - 1) + [tag]
        return b"".join(b"%s %s %s %s\n" % (now, name, one, piece) for one, piece in zip(tags, pieces, strict=False))

    def append(self, text: bytes) -> None:
        if not text:
            return
        if self.size + len(text) > MAX_LOG_BYTES and self.size:
            os.close(self.file)
            os.rename(self.path, self.path + ".1")
            self.__init_file()
        os.write(self.file, text)
        self.size += len(text)

    def __init_file(self) -> None:
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.size = 0
