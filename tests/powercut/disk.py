"""A disk that forgets: what was not synced when the power goes is there, in part, torn in sectors, or not at all."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

SECTOR_BYTES = 512
"""What a disk writes whole."""


class PowerCut(Exception):
    """The power is gone; nothing is written any more."""


@dataclass
class Write:
    offset: int
    data: bytes


@dataclass
class Truncate:
    size: int


@dataclass
class File:
    """``durable`` None: a cut may leave no such file. ``pending`` is what was not synced, in order."""

    durable: bytes | None
    pending: list[Write | Truncate] = field(default_factory=list)


class Disk:
    """Files by path. The real files are written through, so that they are read as they would be without a cut."""

    def __init__(self, random: random.Random) -> None:
        self._random = random
        self._files: dict[str, File] = {}
        self._gone: dict[str, File] = {}
        # Deleted, and the deletion is not on the disk yet.
        self._left = -1
        self.dead = False

    def cut_after(self, operations: int) -> None:
        """The power goes at the ``operations``-th write or sync from now (negative: never)."""
        self._left = operations

    def holds(self, path: str) -> None:
        """What stands at ``path`` has long been there."""
        with open(path, "rb") as real:
            self._files[path] = File(real.read())

    def opened(self, path: str) -> None:
        if path not in self._files:
            self._files[path] = self._gone.pop(path, File(None))

    def write(self, path: str, offset: int, data: bytes) -> None:
        """Raises ``PowerCut``; what is being written then may still reach the disk."""
        self._files[path].pending.append(Write(offset, bytes(data)))
        self._tick()

    def truncate(self, path: str, size: int) -> None:
        self._files[path].pending.append(Truncate(size))
        self._tick()

    def sync(self, path: str) -> None:
        """A cut during a sync leaves what it was to sync in any state."""
        self._tick()
        file = self._files[path]
        file.durable = _applied(file.durable or b"", file.pending)
        file.pending = []

    def delete(self, path: str, synced: bool) -> None:
        self._tick()
        file = self._files.pop(path, None)
        if file is not None and not synced:
            self._gone[path] = file

    def cut(self) -> None:
        """Leave on the real disk what a cut may leave, and come back up."""
        for path, file in (*self._files.items(), *self._gone.items()):
            content = self._survived(file)
            if path in self._gone and self._random.random() < 0.5:
                content = None
            if content is None:
                if os.path.exists(path):
                    os.unlink(path)
            else:
                with open(path, "wb") as real:
                    real.write(content)
        kept = [path for path in (*self._files, *self._gone) if os.path.exists(path)]
        self._files = {}
        for path in kept:
            with open(path, "rb") as real:
                self._files[path] = File(real.read())
        self._gone = {}
        self._left = -1
        self.dead = False

    def _tick(self) -> None:
        if self.dead:
            raise PowerCut
        if self._left == 0:
            self.dead = True
            raise PowerCut
        self._left -= 1

    def _survived(self, file: File) -> bytes | None:
        pending = file.pending
        way = self._random.choice(("none", "all", "first", "some"))
        if file.durable is None and (way == "none" or not pending):
            return None if self._random.random() < 0.5 else b""
        if way == "none":
            kept: list[Write | Truncate] = []
        elif way == "all":
            kept = pending
        elif way == "first":
            count = self._random.randint(0, len(pending))
            kept = [*pending[:count], *self._torn(pending[count : count + 1])]
        else:
            kept = self._torn(pending)
        return _applied(file.durable or b"", kept)

    def _torn(self, pending: list[Write | Truncate]) -> list[Write | Truncate]:
        """Each sector of each write is there or not."""
        kept: list[Write | Truncate] = []
        for one in pending:
            if isinstance(one, Truncate):
                if self._random.random() < 0.5:
                    kept.append(one)
                continue
            position = 0
            while position < len(one.data):
                end = min(len(one.data), position + SECTOR_BYTES - (one.offset + position) % SECTOR_BYTES)
                if self._random.random() < 0.5:
                    kept.append(Write(one.offset + position, one.data[position:end]))
                position = end
        return kept


def _applied(content: bytes, operations: list[Write | Truncate]) -> bytes:
    if not operations:
        return content
    made = bytearray(content)
    for one in operations:
        if isinstance(one, Truncate):
            del made[one.size :]
            continue
        if len(made) < one.offset:
            made.extend(bytes(one.offset - len(made)))
        made[one.offset : one.offset + len(one.data)] = one.data
    return bytes(made)
