"""etcd's ranges and the store's: bytes and text, an end that is excluded and a prefix."""

from __future__ import annotations

import sys

import msgspec

from orchestrator.store.gateway.errors import INVALID_ARGUMENT, KEY_MISSING, GatewayError

EVERYTHING = b"\x00"
"""As an end: no end. As both key and end: all keys."""
_LAST = "\U0010ffff"


class Span(msgspec.Struct, frozen=True):
    """The keys from ``start`` on that sort before ``end`` ("": no end); with ``single`` only ``start``."""

    start: str
    end: str
    single: bool

    @property
    def prefix(self) -> str:
        """The longest prefix that all keys of the range have."""
        if not self.end:
            return ""
        common = _common(self.start, self.end)
        # The end of all keys with one prefix is that prefix with its last letter one higher.
        longer = self.start[: len(common) + 1]
        return longer if _past(longer) == self.end else common

    @property
    def before(self) -> str:
        """Where the store is to stop, "" when the end of the prefix does."""
        prefix = self.prefix
        return "" if prefix and self.end == _past(prefix) else self.end

    @property
    def after(self) -> str:
        """A key that sorts before ``start``, so that no usual key is between the two."""
        prefix = self.prefix
        if self.start <= prefix:
            return ""
        if self.start.endswith("\x00"):
            return self.start[:-1]
        return self.start[:-1] + chr(ord(self.start[-1]) - 1) + _LAST

    def holds(self, key: str) -> bool:
        if self.single:
            return key == self.start
        return key >= self.start and (not self.end or key < self.end)


def _past(prefix: str) -> str:
    """The end of all keys with a prefix: the prefix with its last letter one higher; "" when there is none higher."""
    last = ord(prefix[-1]) if prefix else sys.maxunicode
    return "" if last == sys.maxunicode else prefix[:-1] + chr(last + 1)


def _common(one: str, other: str) -> str:
    size = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        size += 1
    return one[:size]


def span(key: bytes, end: bytes) -> Span:
    """Raises ``GatewayError`` for an empty key, and for what is no UTF-8: keys are text here."""
    if not key:
        raise GatewayError(INVALID_ARGUMENT, KEY_MISSING)
    if not end:
        return Span(text(key), "", True)
    start = "" if key == EVERYTHING else text(key)
    return Span(start, "" if end == EVERYTHING else _end_text(end), False)


def text(key: bytes) -> str:
    """Raises ``GatewayError``. Unicode's last code point, which is no letter, marks the end of ranges in the store."""
    try:
        made = key.decode()
    except UnicodeDecodeError:
        raise GatewayError(INVALID_ARGUMENT, f"etcdserver: a key is UTF-8 here, found {key!r}") from None
    if _LAST in made:
        raise GatewayError(INVALID_ARGUMENT, f"etcdserver: a key without U+10FFFF is expected here, found {key!r}")
    return made


def _end_text(end: bytes) -> str:
    """The least text that sorts at or after ``end``: one past a prefix may end inside a letter."""
    try:
        return end.decode()
    except UnicodeDecodeError as error:
        # Bytes up to the broken letter, then the next letter that could stand there.
        head = end[: error.start].decode()
        broken = end[error.start :]
        if broken[0] >= 0xF8:
            return head + _LAST + _LAST
        least = _least_letter(broken)
        return head + least


def _least_letter(broken: bytes) -> str:
    """The first letter whose bytes sort after ``broken``."""
    low, high = 0, 0x10FFFF
    while low < high:
        middle = (low + high) // 2
        if _letter(middle) >= broken:
            high = middle
        else:
            low = middle + 1
    return chr(low if not 0xD800 <= low <= 0xDFFF else 0xE000)


def _letter(number: int) -> bytes:
    if 0xD800 <= number <= 0xDFFF:
        number = 0xE000
    return chr(number).encode()
