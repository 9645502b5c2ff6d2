"""What SQLite would silently leave out: its write-ahead log, read frame by frame before SQLite reads it.

SQLite takes the frames up to the first one whose checksum does not fit and says nothing of the rest. After a power cut
the rest is the transaction that was not synced yet: a torn tail, never acknowledged. But a transaction is begun only
after the one before it was synced: where more than one follows a damaged frame, acknowledged data is damaged.

The checksum is SQLite's (its file format, "Checksum Algorithm"): for each pair of words ``s0 += x0 + s1`` and
``s1 += x1 + s0`` modulo 2**32. It is linear, so the sums of all frames are one product with a fixed matrix.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.store.batch import Damaged

if TYPE_CHECKING:
    import numpy as np

_HEADER = Struct(">IIIIIIII")
# Magic, version, page size, checkpoint, two salts, two checksums.
MAGIC = 0x377F0682
"""The lowest bit says that checksums are over big endian words."""
FRAME_HEADER_BYTES = 24
MAX_FRAMES_AT_ONCE = 2_048
"""Frames whose sums are made in one go: some 16 MB of words."""


class Tail(NamedTuple):
    """What stands behind the last whole transaction: nothing when ``frames`` is 0."""

    transactions: int
    """Whole transactions before it."""
    frames: int
    bytes: int


def inspect(data: bytes | memoryview) -> Tail:
    """Read a write-ahead log. Raises ``Damaged`` when what SQLite would leave out was once synced."""
    used = len(bytes(data).rstrip(b"\0"))
    if len(data) <= _HEADER.size or not used:
        return Tail(0, 0, 0)
    magic, _, page, _, salt0, salt1, *seal = _HEADER.unpack_from(data)
    if magic | 1 != MAGIC | 1 or page < 512 or page & (page - 1):
        raise Damaged("the write-ahead log's header", f"magic {MAGIC:08x}", f"{magic:08x}, pages of {page} bytes")
    import numpy as np

    # What was reserved and never written takes no time: frames of zeros are none of ours.
    data = data[: max(used, _HEADER.size) + FRAME_HEADER_BYTES + page]
    words = np.dtype(">u4") if magic & 1 else np.dtype("<u4")
    header = np.frombuffer(data, words, 6).astype(np.uint32)
    if [int(sum) for sum in _coefficients(6)[0] @ header] != seal:
        raise Damaged("the write-ahead log's header", f"checksum {seal[0]:08x} {seal[1]:08x}", "another")
    frames = _Frames(data, page, words)
    ours = (frames.heads[:, 2] == salt0) & (frames.heads[:, 3] == salt1)
    tail = _judge(frames, ours, ours & frames.sound(seal))
    rest = bytes(data[_HEADER.size + len(ours) * frames.size :])
    begun = rest[8:16] == bytes(data[16:24])
    return Tail(tail.transactions, tail.frames + 1, tail.bytes + len(rest)) if begun else tail


class _Frames:
    """The whole frames of a write-ahead log; a part of one at the end does not count."""

    def __init__(self, data: bytes | memoryview, page: int, words: np.dtype[Any]) -> None:
        import numpy as np

        size = FRAME_HEADER_BYTES + page
        count = (len(data) - _HEADER.size) // size
        self.size = size
        raw = np.frombuffer(data, np.uint8, count * size, _HEADER.size).reshape(count, size)
        self.heads = raw[:, :FRAME_HEADER_BYTES].copy().view(">u4").astype(np.uint32)
        # Page number, database size after a commit or 0, two salts, two checksums.
        self._raw = raw
        self._words = words
        self._count = (8 + page) // 4

    def sound(self, seal: list[int]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether each frame's checksum follows from its content and the checksum written in the frame before it."""
        import numpy as np

        of_words, of_seal = _coefficients(self._count)
        written = self.heads[:, 4:6]
        before = np.vstack([np.array([seal], np.uint32), written[:-1]])
        found = np.empty_like(written)
        for start in range(0, len(written), MAX_FRAMES_AT_ONCE):
            part = self._raw[start : start + MAX_FRAMES_AT_ONCE]
            covered = np.hstack([part[:, :8], part[:, FRAME_HEADER_BYTES:]])
            content = np.ascontiguousarray(covered).view(self._words).astype(np.uint32)
            found[start : start + len(part)] = content @ of_words.T
        found += before @ of_seal.T
        fits: np.ndarray[Any, np.dtype[np.bool_]] = np.all(found == written, axis=1)
        return fits


def _judge(frames: _Frames, ours: np.ndarray[Any, Any], sound: np.ndarray[Any, Any]) -> Tail:
    """Where SQLite stops, and whether what follows is one transaction or more."""
    import numpy as np

    bad = np.flatnonzero(~sound)
    end = int(bad[0]) if len(bad) else len(sound)
    commits = np.flatnonzero(frames.heads[:end, 1])
    kept = int(commits[-1]) + 1 if len(commits) else 0
    left = np.flatnonzero(ours[end:]) + end
    if not len(left):
        return Tail(len(commits), end - kept, (end - kept) * frames.size)
    after = np.flatnonzero(sound[end:]) + end
    whole = after[frames.heads[after, 1] != 0]
    pages = frames.heads[np.concatenate([np.arange(kept, end), after]), 0]
    if len(whole) and (int(left[-1]) > int(whole[0]) or len(np.unique(pages)) < len(pages)):
        raise Damaged(
            f"frame {end + 1} of the write-ahead log", "its checksum", "another, and whole transactions after it"
        )
    last = int(left[-1]) + 1
    return Tail(len(commits), last - kept, (last - kept) * frames.size)


def _coefficients(count: int) -> tuple[np.ndarray[Any, np.dtype[np.uint32]], np.ndarray[Any, np.dtype[np.uint32]]]:
    """The two sums over ``count`` words as a matrix over the words, and one over the sums that they begin with."""
    import numpy as np

    matrix = np.zeros((2, count), np.uint64)
    step = (1, 0, 0, 1)
    # The matrix that takes the sums right after a pair to the sums at the end; one pair is ((1, 1), (1, 2)).
    for pair in range(count // 2 - 1, -1, -1):
        a, b, c, d = step
        # x0 adds (1, 1) to the sums, x1 adds (0, 1).
        matrix[:, 2 * pair] = ((a + b) & 0xFFFFFFFF, (c + d) & 0xFFFFFFFF)
        matrix[:, 2 * pair + 1] = (b, d)
        step = ((a + b) & 0xFFFFFFFF, (a + 2 * b) & 0xFFFFFFFF, (c + d) & 0xFFFFFFFF, (c + 2 * d) & 0xFFFFFFFF)
    return matrix.astype(np.uint32), np.array([[step[0], step[1]], [step[2], step[3]]], np.uint32)
