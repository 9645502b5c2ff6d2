"""Encryption at rest: a log that seals what has keys of chosen prefixes in it before it reaches the disk.

A whole entry, or a whole chunk of a snapshot, is sealed with AES-256-GCM when one of the prefixes occurs in it; its
place in the log is authenticated with it, so that no two can be exchanged. Sealed bytes begin with ``MARKER``, the
first four bytes of the key's SHA-256 and the nonce. What was written in the clear or under an older key is read, and
makes a snapshot due that seals it anew.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from struct import pack
from typing import Any

import msgspec

from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.store.errors import LogCorrupt, LogError
from orchestrator.store.log import Log, LogStatistics, Recovered

MARKER = b"\xc1\xc5"
"""MessagePack never begins so, nor does a membership entry."""
KEY_BYTES = 32
NONCE_BYTES = 12
NAME_BYTES = 4
SECRETS = ("core/secrets/",)
"""What is sealed by default once there is a key."""


class KeyMissing(LogError):
    """Something is sealed under a key that is not in the key file."""

    def __init__(self, where: str, name: bytes, have: list[str]) -> None:
        keys = ", ".join(have) or "none"
        super().__init__(f"{where} is encrypted with key {name.hex()}: found {keys}. Add it to the key file")
        self.where = where
        self.name = name.hex()


class KeysUnusable(LogError):
    """The key file cannot be read as one."""

    def __init__(self, path: str, found: str) -> None:
        super().__init__(f"{path}: expected one key of {KEY_BYTES} bytes in base64 a line, newest first; found {found}")
        self.path = path


class Keyring:
    """The keys: the first seals, all of them open."""

    def __init__(self, keys: list[bytes]) -> None:
        self._keys = {sha256(key).digest()[:NAME_BYTES]: key for key in keys}
        self.first = next(iter(self._keys), None)
        self._ciphers: dict[bytes, Any] = {}

    @property
    def names(self) -> list[str]:
        return [name.hex() for name in self._keys]

    def seal(self, data: bytes, place: bytes, nonce: bytes) -> bytes:
        assert self.first is not None, "there is a key"
        sealed: bytes = self._cipher(self.first).encrypt(nonce, data, place)
        return MARKER + self.first + nonce + sealed

    def open(self, sealed: bytes, place: bytes, where: str) -> bytes:
        """Raises ``KeyMissing``, ``LogCorrupt``."""
        name, rest = sealed[2 : 2 + NAME_BYTES], sealed[2 + NAME_BYTES :]
        if name not in self._keys:
            raise KeyMissing(where, name, self.names)
        from cryptography.exceptions import InvalidTag

        try:
            opened: bytes = self._cipher(name).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place)
        except (InvalidTag, ValueError) as error:
            raise LogCorrupt("the log", where, f"what was sealed with key {name.hex()}", "something else") from error
        return opened

    def _cipher(self, name: bytes) -> Any:
        cipher = self._ciphers.get(name)
        if cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            cipher = self._ciphers[name] = AESGCM(self._keys[name])
        return cipher


def load_keys(path: Path) -> Keyring:
    """The keys of a file, which is made with a fresh one when it is not there. Raises ``KeysUnusable``, ``OSError``."""
    if not path.exists():
        rotate(path)
    keys = []
    for line in path.read_text().split():
        try:
            key = b64decode(line, validate=True)
        except ValueError:
            raise KeysUnusable(str(path), f"a line of {len(line)} letters that is no base64") from None
        if len(key) != KEY_BYTES:
            raise KeysUnusable(str(path), f"a key of {len(key)} bytes")
        keys.append(key)
    if not keys:
        raise KeysUnusable(str(path), "an empty file")
    return Keyring(keys)


def rotate(path: Path) -> str:
    """Put a fresh key before the others; its name. It seals from the next start on."""
    before = path.read_text() if path.exists() else ""
    key = os.urandom(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".part")
    draft.touch(mode=0o600)
    with draft.open("w") as file:
        file.write(b64encode(key).decode() + "\n" + before)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return sha256(key).digest()[:NAME_BYTES].hex()


class SealedLog:
    """A ``Log`` over another. Without keys it writes in the clear, and says so when it finds what is sealed."""

    def __init__(
        self,
        log: Log,
        keys: Keyring | None = None,
        prefixes: tuple[str, ...] = SECRETS,
        *,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._log = log
        self._keys = keys or Keyring([])
        self._prefixes = tuple(prefix.encode() for prefix in prefixes) if self._keys.first else ()
        self._random_bytes = random_bytes
        self._mark = Mark()
        self._old_entries = False
        self._old_chunks = False
        # Whether something that is to be sealed is not, or not under the first key.

    async def open(self) -> Recovered:
        found = await self._log.open()
        self._mark = found.snapshot
        self._old_entries = self._old_chunks = False
        try:
            entries = [self._entry(entry) for entry in found.entries]
        except BaseException:
            await self._log.close()
            raise
        return msgspec.structs.replace(found, entries=entries)

    async def append(self, state: HardState, entries: list[Entry]) -> None:
        if self._prefixes:
            entries = [
                Entry(entry.index, entry.term, self._seal(entry.payload, _entry_place(entry)))
                if self._wanted(entry.payload)
                else entry
                for entry in entries
            ]
        await self._log.append(state, entries)

    async def save_snapshot(self, mark: Mark, chunks: Iterable[bytes]) -> None:
        await self._log.save_snapshot(mark, self._sealed_chunks(mark, chunks))
        self._mark = mark
        self._old_chunks = False

    async def read_snapshot(self) -> AsyncIterator[bytes]:
        number = 0
        async for chunk in self._log.read_snapshot():
            number += 1
            if chunk.startswith(MARKER):
                self._old_chunks = self._old_chunks or not self._current(chunk)
                yield self._keys.open(chunk, _chunk_place(self._mark, number), f"chunk {number} of the snapshot")
            else:
                self._old_chunks = self._old_chunks or self._wanted(chunk)
                yield chunk

    async def truncate(self, through: int) -> None:
        await self._log.truncate(through)
        self._old_entries = False

    async def tidy(self) -> None:
        await self._log.tidy()

    @property
    def untidy(self) -> bool:
        return self._log.untidy

    async def close(self) -> None:
        await self._log.close()

    def statistics(self) -> LogStatistics:
        found = self._log.statistics()
        return msgspec.structs.replace(found, rewrite=found.rewrite or self._old_entries or self._old_chunks)

    def _entry(self, entry: Entry) -> Entry:
        payload = entry.payload
        if not payload.startswith(MARKER):
            self._old_entries = self._old_entries or self._wanted(payload)
            return entry
        self._old_entries = self._old_entries or not self._current(payload)
        opened = self._keys.open(payload, _entry_place(entry), f"entry {entry.index}")
        return Entry(entry.index, entry.term, opened)

    def _sealed_chunks(self, mark: Mark, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for number, chunk in enumerate(chunks, 1):
            yield self._seal(chunk, _chunk_place(mark, number)) if self._wanted(chunk) else chunk

    def _wanted(self, data: bytes) -> bool:
        return any(prefix in data for prefix in self._prefixes)

    def _seal(self, data: bytes, place: bytes) -> bytes:
        return self._keys.seal(data, place, self._random_bytes(NONCE_BYTES))

    def _current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it."""
        return sealed[2 : 2 + NAME_BYTES] == self._keys.first


def _entry_place(entry: Entry) -> bytes:
    return pack("<cQQ", b"e", entry.index, entry.term)


def _chunk_place(mark: Mark, number: int) -> bytes:
    return pack("<cQQQ", b"c", mark.index, mark.term, number)
