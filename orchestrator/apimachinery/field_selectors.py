"""Field selectors: their texts, and what they match."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from orchestrator.apimachinery.selectors import SelectorError

REMEMBERED = 256
"""Parsed texts that are kept: each kubelet of a fleet asks once for its own node's pods."""


class FieldTerm:
    """``field = value`` or ``field != value``."""

    __slots__ = ("equal", "field", "value")

    def __init__(self, field: str, value: str, equal: bool) -> None:
        self.field = field
        self.value = value
        self.equal = equal

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{self.field}{'=' if self.equal else '!='}{value}"


class FieldSelector:
    """All terms must hold; without terms everything matches."""

    __slots__ = ("terms",)

    def __init__(self, terms: Sequence[FieldTerm] = ()) -> None:
        self.terms = tuple(terms)

    @property
    def empty(self) -> bool:
        return not self.terms

    def matches(self, fields: Mapping[str, Any]) -> bool:
        """A field the object does not have counts as ""."""
        return all((fields.get(term.field, "") == term.value) is term.equal for term in self.terms)

    def exact(self) -> dict[str, str]:
        """The fields that must have one certain value."""
        return {term.field: term.value for term in self.terms if term.equal}

    def fields(self) -> list[str]:
        return [term.field for term in self.terms]

    def __repr__(self) -> str:
        return f"FieldSelector({str(self)!r})"

    def __str__(self) -> str:
        return ",".join(map(str, self.terms))


_terms = re.compile(r"(?:[^\\,]|\\.|\\$)+", re.DOTALL).findall
_term = re.compile(r"(.*?)(!=|==|=)(.*)", re.DOTALL).fullmatch


@lru_cache(REMEMBERED)
def parse_fields(text: str) -> FieldSelector:
    """A field selector from its text (``status.phase!=Failed,spec.nodeName=n1``). Raises ``SelectorError``."""
    terms: list[FieldTerm] = []
    for part in sorted(_terms(text)):
        found = _term(part)
        if found is None:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        terms.append(FieldTerm(found[1], _unescape(found[3]), found[2] != "!="))
    return FieldSelector(terms)


def _unescape(value: str) -> str:
    if "\\" not in value and "=" not in value:
        return value
    result: list[str] = []
    chars = iter(value)
    for char in chars:
        if char in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {char}")
        if char == "\\":
            escaped = next(chars, "")
            if not escaped or escaped not in "\\,=":
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{escaped}")
            char = escaped
        result.append(char)
    return "".join(result)
