"""Amounts of resources: ``500m``, ``1Gi``, ``1e3``. Exact integers of nano units with the form they were written in."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Any

REMEMBERED = 8192
"""Texts whose canonical form is remembered."""

NANO = 10**9
MAX_VALUE = (2**63 - 1) * NANO

_FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_SUFFIX_WRONG = "unable to parse quantity's suffix"
_NUMBER_WRONG = "unable to parse numeric part of quantity"

_parts = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)").fullmatch
_exponent = re.compile(r"[eE]([-+]?[0-9]+)").fullmatch


class Form(IntEnum):
    """How a quantity was written, and so how it is shown again."""

    DECIMAL = 0
    BINARY = 1
    EXPONENT = 2


_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL_NAMES = {power: name for name, power in _DECIMAL.items()}
_BINARY_NAMES = ("", *_BINARY)


class QuantityError(ValueError):
    """A text that is no quantity; the message is the one Kubernetes gives."""


class Quantity:
    """An exact amount. Comparable, hashable, immutable; ``str()`` is the canonical text."""

    __slots__ = ("form", "nanos")

    def __init__(self, nanos: int, form: Form = Form.DECIMAL) -> None:
        self.nanos = nanos
        self.form = form

    @classmethod
    def parse(cls, text: str | int | float) -> Quantity:
        """Raises ``QuantityError``. Numbers are taken as their JSON text."""
        return _parse(text if isinstance(text, str) else _number_text(text))

    @classmethod
    def of(cls, value: int, form: Form = Form.DECIMAL) -> Quantity:
        """``value`` whole units."""
        return cls(value * NANO, form)

    @classmethod
    def of_milli(cls, milli: int, form: Form = Form.DECIMAL) -> Quantity:
        return cls(milli * 1_000_000, form)

    def value(self) -> int:
        """Whole units, rounded up (away from zero)."""
        return _round_up(self.nanos, NANO)

    def milli(self) -> int:
        """Thousandths, rounded up (away from zero)."""
        return _round_up(self.nanos, 1_000_000)

    def as_float(self) -> float:
        return self.nanos / NANO

    def rounded_to_milli(self) -> Quantity:
        return Quantity(self.milli() * 1_000_000, self.form)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos + other.nanos, self.form if self.nanos else other.form)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos - other.nanos, self.form if self.nanos else other.form)

    def __mul__(self, factor: int) -> Quantity:
        return Quantity(self.nanos * factor, self.form)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nanos, self.form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: Quantity) -> bool:
        return self.nanos <= other.nanos

    def __gt__(self, other: Quantity) -> bool:
        return self.nanos > other.nanos

    def __ge__(self, other: Quantity) -> bool:
        return self.nanos >= other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __str__(self) -> str:
        if not self.nanos:
            return "0"
        if self.form is Form.BINARY and abs(self.nanos) >= 1024 * NANO and self.nanos % NANO == 0:
            return _binary_text(self.nanos // NANO)
        return _decimal_text(self.nanos, self.form)


def _round_up(nanos: int, unit: int) -> int:
    return -(-nanos // unit) if nanos >= 0 else nanos // unit


def _number_text(number: int | float) -> str:
    if isinstance(number, int):
        return str(number)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _binary_text(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < 6:
        value //= 1024
        power += 1
    return f"{value}{_BINARY_NAMES[power]}"


def _decimal_text(nanos: int, form: Form) -> str:
    power = -9
    while nanos % 1000 == 0 and power < 18:
        nanos //= 1000
        power += 3
    if form is Form.EXPONENT:
        return f"{nanos}e{power}" if power else str(nanos)
    return f"{nanos}{_DECIMAL_NAMES[power]}"


@lru_cache(REMEMBERED)
def _parse(text: str) -> Quantity:
    found = _parts(text)
    if not text or found is None or (not found[2] and not found[3] and found[4]):
        raise QuantityError(_FORMAT_WRONG)
    sign, whole, fraction, suffix = found[1], found[2], found[3] or "", found[4]
    if not whole and not fraction:
        raise QuantityError(_NUMBER_WRONG if text.strip("+-") else _FORMAT_WRONG)
    numerator, form = _scaled(int(whole + fraction), suffix)
    nanos = _round_up(numerator, 10 ** len(fraction)) if numerator < 10**80 else MAX_VALUE
    if form is Form.BINARY:
        nanos = min(nanos, MAX_VALUE)
        if 0 < nanos < NANO:
            form = Form.DECIMAL
    return Quantity(-nanos if sign == "-" else nanos, form)


def _scaled(number: int, suffix: str) -> tuple[int, Form]:
    """``number`` with ``suffix`` in nano units (a fraction of one is rounded up), and the suffix's form."""
    if suffix in _DECIMAL:
        return number * 10 ** (_DECIMAL[suffix] + 9), Form.DECIMAL
    if suffix in _BINARY:
        return number * 1024 ** _BINARY[suffix] * NANO, Form.BINARY
    found = _exponent(suffix)
    if found is None:
        raise QuantityError(_SUFFIX_WRONG)
    power = max(-100, min(int(found[1]) + 9, 100))
    if power >= 0:
        return number * 10**power, Form.EXPONENT
    return _round_up(number, 10**-power), Form.EXPONENT


@lru_cache(REMEMBERED)
def canonical(text: str) -> str:
    """The canonical text of a quantity (``0.5`` -> ``500m``). Raises ``QuantityError``."""
    return str(_parse(text))


@lru_cache(REMEMBERED)
def canonical_milli(text: str) -> str:
    """As ``canonical`` with what is finer than a thousandth rounded up, as resource lists are kept."""
    return str(_parse(text).rounded_to_milli())


@lru_cache(REMEMBERED)
def compare(left: Any, right: Any) -> int:
    """-1, 0 or 1 of two quantities in their JSON form."""
    a, b = Quantity.parse(left).nanos, Quantity.parse(right).nanos
    return (a > b) - (a < b)
