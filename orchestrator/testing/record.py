"""Every frame of a run as canonical lines: two runs of one seed give the same lines, in any process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

import msgspec

from actors import Header
from actors.codec import Frame, body_of

MAX_FRAMES = 2_000_000
"""Frames kept; later ones are counted only."""


class Seen(msgspec.Struct, frozen=True):
    """One frame as it was put into a mailbox."""

    number: int
    at: float
    header: Header
    frame: Frame

    def line(self) -> str:
        """Sequence, virtual time, receiver, type, sender, hash of the body."""
        digest = hashlib.sha256(body_of(self.frame)).hexdigest()[:16]
        header = self.header
        return f"{self.number} {self.at:.9f} {header.receiver} {header.type} {header.sender or '-'} {digest}"


class Recording:
    """Give its ``note`` to a cluster as ``tap``; it sees every frame from the start on, in the time of the loop."""

    def __init__(self, keep: Callable[[Header], bool] | None = None) -> None:
        self.frames: list[Seen] = []
        self.count = 0
        self._keep = keep

    def note(self, header: Header, frame: Frame) -> None:
        self.count += 1
        if len(self.frames) < MAX_FRAMES and (self._keep is None or self._keep(header)):
            self.frames.append(Seen(self.count, asyncio.get_running_loop().time(), header, frame))

    def digest(self) -> str:
        """One hash of all lines."""
        total = hashlib.sha256()
        for seen in self.frames:
            total.update(seen.line().encode() + b"\n")
        return total.hexdigest()
