"""A snapshot as a file of its own: for backup, for restoring, for carrying a state to another machine.

Magic and version (16 bytes), each chunk behind its length and checksum (little endian, 4 and 4 bytes), an end mark and
the SHA-256 of all before it. A file is read to its end before anything is made of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import BinaryIO
from zlib import crc32

MAGIC = b"podium-snapshot\x01"
END = 0xFFFFFFFF
MAX_CHUNK_BYTES = 256 << 20
"""Far above any chunk that is written: one value may be as large as a request's body."""
_HEAD = Struct("<II")


class SnapshotDamaged(Exception):
    """The file is no snapshot, or not all of one."""

    def __init__(self, path: str, where: str, expected: str, found: str) -> None:
        super().__init__(f"{path} is no whole snapshot: at {where} expected {expected}, found {found}")
        self.path = path
        self.where = where
        self.expected = expected
        self.found = found


def frame(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a snapshot file, piece by piece."""
    digest = hashlib.sha256(MAGIC)
    yield MAGIC
    for chunk in chunks:
        head = _HEAD.pack(len(chunk), crc32(chunk))
        digest.update(head)
        digest.update(chunk)
        yield head + chunk
    end = _HEAD.pack(END, 0)
    digest.update(end)
    yield end + digest.digest()


def write(path: str | os.PathLike[str], pieces: Iterable[bytes]) -> int:
    """Write what ``frame`` made, durably, under a name that counts only when it is whole; its bytes."""
    target = Path(path)
    draft = target.with_name(target.name + ".part")
    size = 0
    with draft.open("wb") as file:
        os.chmod(draft, 0o600)
        for piece in pieces:
            size += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return size


def verify(path: str | os.PathLike[str]) -> int:
    """Read the whole file; the number of its chunks. Raises ``SnapshotDamaged``, ``OSError``."""
    return sum(1 for _ in read(path))


def read(path: str | os.PathLike[str]) -> Iterator[bytes]:
    """The chunks. Raises ``SnapshotDamaged``: at the latest after the last chunk, so ``verify`` first."""
    name = os.fspath(path)
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        found = file.read(len(MAGIC))
        if found != MAGIC:
            raise SnapshotDamaged(name, "its beginning", repr(MAGIC), repr(found))
        digest.update(found)
        while (chunk := _chunk(name, file, digest)) is not None:
            yield chunk


def _chunk(name: str, file: BinaryIO, digest: hashlib._Hash) -> bytes | None:
    where = f"byte {file.tell()}"
    head = _exactly(name, file, _HEAD.size)
    length, seal = _HEAD.unpack(head)
    digest.update(head)
    if length == END:
        written = _exactly(name, file, digest.digest_size)
        if written != digest.digest():
            raise SnapshotDamaged(name, where, f"SHA-256 {digest.hexdigest()}", written.hex())
        if file.read(1):
            raise SnapshotDamaged(name, where, "the end of the file", "more bytes")
        return None
    if length > MAX_CHUNK_BYTES:
        raise SnapshotDamaged(name, where, f"a chunk of at most {MAX_CHUNK_BYTES} bytes", f"{length}")
    chunk = _exactly(name, file, length)
    digest.update(chunk)
    if crc32(chunk) != seal:
        raise SnapshotDamaged(name, where, f"checksum {seal:08x}", f"{crc32(chunk):08x}")
    return chunk


def _exactly(name: str, file: BinaryIO, size: int) -> bytes:
    where = f"byte {file.tell()}"
    found = file.read(size)
    if len(found) != size:
        raise SnapshotDamaged(name, where, f"{size} bytes", f"{len(found)}")
    return found
