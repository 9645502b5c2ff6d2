"""Mail that reached nobody: counted, published to whoever subscribes, and logged at a bounded rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import structlog

from actors.asks import DOWN, FULL
from actors.codec import Frame, Header, size_of

if TYPE_CHECKING:
    from actors.system import System

LOG_BURST = 10
"""Dead letters logged in one window; the rest is only counted, and the count logged at its end."""
LOG_WINDOW_SECONDS = 10.0


class DeadLetter(msgspec.Struct, frozen=True):
    """``reason``: missing, stopped, dropped, full (not taken), undecodable, unknown type, expired, late."""

    header: Header
    reason: str
    size: int


class DeadLetters:
    def __init__(self, system: System) -> None:
        self._system = system
        self._log = structlog.get_logger("actors")
        self._subscribers: list[Callable[[DeadLetter], object]] = []
        self._window_ends = 0.0
        self._logged = 0
        self.counts: Counter[str] = Counter()

    def subscribe(self, function: Callable[[DeadLetter], object]) -> Callable[[], None]:
        """Call ``function`` with each dead letter; call what is returned to end that."""
        self._subscribers.append(function)
        return lambda: self._subscribers.remove(function)

    def publish(self, path: str, frame: Frame, reason: str) -> None:
        """``frame`` did not reach ``path``; an asker is told at once."""
        self.counts[reason] += 1
        header = self._system.codec.header(path, frame)
        letter = DeadLetter(header, reason, size_of(frame))
        self._report(letter)
        for function in list(self._subscribers):
            function(letter)
        if header.correlation and reason != "late":
            self._tell_asker(header, reason)

    def _tell_asker(self, header: Header, reason: str) -> None:
        system = self._system
        if reason in ("dropped", "full"):
            cell = system.cells.get(header.receiver)
            capacity = cell.box.capacity if cell is not None else 0
            system.asks.answer(header.correlation, FULL, system.codec.encode_value((header.receiver, capacity)))
        elif reason != "expired":
            body = system.codec.encode_value((header.receiver, "missing", reason, False))
            system.asks.answer(header.correlation, DOWN, body)

    def _report(self, letter: DeadLetter) -> None:
        if not self._system.running:
            return  # what still talks to the stopped while all stop is no news
        now = self._system.clock.monotonic()
        if now >= self._window_ends:
            if self._logged > LOG_BURST:
                self._log.warning("dead letters not logged", count=self._logged - LOG_BURST)
            self._window_ends = now + LOG_WINDOW_SECONDS
            self._logged = 0
        self._logged += 1
        if self._logged <= LOG_BURST:
            header = letter.header
            self._log.warning(
                "dead letter", actor=header.receiver, message=header.type, sender=header.sender, reason=letter.reason
            )
