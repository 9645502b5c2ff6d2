"""Label selectors: their texts, their object form, and what they match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NoReturn

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, aggregate, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.names import label_key, label_value
from orchestrator.apimachinery.quoting import quote

REMEMBERED = 1024
"""Parsed selector texts that are kept."""

_INT64 = 2**63
_OPERATORS = ("in", "notin", "=", "==", "!=", "gt", "lt", "exists", "!")
_FROM_OBJECT = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


class SelectorError(ValueError):
    """A selector that cannot be understood; the message is the one Kubernetes gives."""


class Requirement:
    """One condition on one label: ``key operator values``."""

    __slots__ = ("key", "operator", "values")

    def __init__(self, key: str, operator: str, values: Sequence[str] = ()) -> None:
        """Raises ``SelectorError`` when key, operator and values do not fit each other."""
        self.key = key
        self.operator = operator
        self.values = tuple(values)
        errors = self._errors()
        if errors:
            raise SelectorError(aggregate(errors))

    def _errors(self) -> list[FieldError]:
        errors: list[FieldError] = []
        if texts := label_key(self.key):
            errors.append(invalid("key", self.key, "; ".join(texts)))
        errors.extend(self._value_errors())
        for position, value in enumerate(self.values):
            if texts := label_value(value):
                path = Path("values").index(position).key(self.key)
                errors.append(invalid(path, value, "; ".join(texts)))
        return errors

    def _value_errors(self) -> list[FieldError]:
        count, shown = len(self.values), list(self.values) or None
        match self.operator:
            case "in" | "notin":
                text = "for 'in', 'notin' operators, values set can't be empty"
                return [] if count else [invalid("values", shown, text)]
            case "=" | "==" | "!=":
                text = "exact-match compatibility requires one single value"
                return [] if count == 1 else [invalid("values", shown, text)]
            case "exists" | "!":
                text = "values set must be empty for exists and does not exist"
                return [invalid("values", shown, text)] if count else []
            case "gt" | "lt":
                return self._number_errors()
        return [not_supported("operator", self.operator, _OPERATORS)]

    def _number_errors(self) -> list[FieldError]:
        errors: list[FieldError] = []
        if len(self.values) != 1:
            text = "for 'Gt', 'Lt' operators, exactly one value is required"
            errors.append(invalid("values", list(self.values), text))
        text = "for 'Gt', 'Lt' operators, the value must be an integer"
        errors.extend(
            invalid(Path("values").index(position), value, text)
            for position, value in enumerate(self.values)
            if _integer(value) is None
        )
        return errors

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        number, limit = _integer(value or ""), _integer(self.values[0])
        if number is None or limit is None:
            return False
        return number > limit if self.operator == "gt" else number < limit

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Requirement) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return f"Requirement({str(self)!r})"

    def __str__(self) -> str:
        values = ",".join(sorted(self.values))
        match self.operator:
            case "in" | "notin":
                return f"{self.key} {self.operator} ({values})"
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "gt":
                return f"{self.key}>{values}"
            case "lt":
                return f"{self.key}<{values}"
        return f"{self.key}{self.operator}{values}"


def _integer(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not digits.isascii() or not digits.isdigit():
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None


class Selector:
    """All requirements must hold. Without any it matches everything; ``NOTHING`` matches nothing."""

    __slots__ = ("_exact", "nothing", "requirements")

    def __init__(self, requirements: Iterable[Requirement] = (), *, nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda requirement: requirement.key))
        self.nothing = nothing
        exact = all(requirement.operator in ("=", "==") for requirement in self.requirements)
        wanted = {requirement.key: requirement.values[0] for requirement in self.requirements} if exact else {}
        # Two values wanted of one key match nothing: such a selector goes the long way.
        self._exact = wanted.items() if exact and len(wanted) == len(self.requirements) else None

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self.nothing:
            return False
        have = labels or {}
        if self._exact is not None:
            return self._exact <= have.items()
        return all(requirement.matches(have) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        """Matches everything."""
        return not self.nothing and not self.requirements

    def exact(self) -> dict[str, str]:
        """The labels that a match must have with one certain value: what an index can be asked for."""
        return {
            requirement.key: requirement.values[0]
            for requirement in self.requirements
            if len(requirement.values) == 1 and requirement.operator in ("=", "==", "in")
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and (self.nothing, str(self)) == (other.nothing, str(other))

    def __hash__(self) -> int:
        return hash((self.nothing, str(self)))

    def __repr__(self) -> str:
        return f"Selector({str(self)!r})"

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


def from_set(labels: Mapping[str, str]) -> Selector:
    """The selector of objects that have all of ``labels``."""
    return Selector(Requirement(key, "=", (value,)) for key, value in labels.items())


def from_label_selector(selector: Object | None) -> Selector:
    """Of a ``metav1.LabelSelector``: None selects nothing, an empty one everything. Raises ``SelectorError``."""
    if selector is None:
        return NOTHING
    requirements = [Requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        word = expression.get("operator", "")
        if word not in _FROM_OBJECT:
            raise SelectorError(f"{quote(word)} is not a valid label selector operator")
        requirements.append(Requirement(expression.get("key", ""), _FROM_OBJECT[word], expression.get("values") or ()))
    return Selector(requirements)


def validate_label_selector(selector: Object | None, path: Path) -> list[FieldError]:
    """The errors of a ``metav1.LabelSelector`` inside an object."""
    errors: list[FieldError] = []
    if not selector:
        return errors
    labels = path.child("matchLabels")
    for key, value in (selector.get("matchLabels") or {}).items():
        errors.extend(invalid(labels, key, text) for text in label_key(key))
        errors.extend(invalid(labels, value, text) for text in label_value(value))
    for position, expression in enumerate(selector.get("matchExpressions") or ()):
        _validate_expression(expression, path.child("matchExpressions").index(position), errors)
    return errors


def _validate_expression(expression: Object, path: Path, errors: list[FieldError]) -> None:
    operator, values = expression.get("operator"), expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            errors.append(required(path.child("values"), text))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            errors.append(forbidden(path.child("values"), text))
    else:
        errors.append(invalid(path.child("operator"), operator or "", "not a valid selector operator"))
    key = expression.get("key", "")
    errors.extend(invalid(path.child("key"), key, text) for text in label_key(key))
    for position, value in enumerate(values):
        place = path.child("values").index(position)
        errors.extend(invalid(place, value, text) for text in label_value(value))


def selector_text(selector: Object | None) -> str:
    """A label selector as the wide columns of ``kubectl get`` show it."""
    if selector is None:
        return "<none>"
    try:
        text = str(from_label_selector(selector))
    except SelectorError as error:
        return f"error:{error}"
    return text or "<none>"


_token = re.compile(r"[ \t\r\n]*(?:(?P<symbol>[=!(),<>]+)|(?P<word>[^=!(),<> \t\r\n]+)|$)").match
_SYMBOLS = ("==", "!=", "!", "=", ",", "(", ")", "<", ">")
_SYMBOL_OPERATORS = {"=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_BINARY_TEXT = "in, notin, =, ==, !=, gt, lt"


def _tokens(text: str) -> list[str]:
    """Words and symbols in order, "" at the end. Adjacent symbols are split, the longest first."""
    tokens: list[str] = []
    position = 0
    while position < len(text):
        found = _token(text, position)
        assert found is not None
        position = found.end()
        if found["word"]:
            tokens.append(found["word"])
        symbols = found["symbol"] or ""
        while symbols:
            symbol = next(known for known in _SYMBOLS if symbols.startswith(known))
            tokens.append(symbol)
            symbols = symbols[len(symbol) :]
    tokens.append("")
    return tokens


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position]

    def take(self) -> str:
        token = self.tokens[self.position]
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def parse(self) -> list[Requirement]:
        requirements: list[Requirement] = []
        while (token := self.peek()) != "":
            if not _is_word(token) and token != "!":
                _fail(token, ", expected: !, identifier, or 'end of string'")
            try:
                requirements.append(self.requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token = self.take()
            if token == "":
                break
            if token != ",":
                _fail(token, ", expected: ',' or 'end of string'")
            if not _is_word(self.peek()) and self.peek() != "!":
                _fail(self.peek(), ", expected: identifier after ','")
        return requirements

    def requirement(self) -> Requirement:
        token = self.take()
        absent = token == "!"
        key = self.take() if absent else token
        if not _is_word(key):
            _fail(key, ", expected: identifier")
        if texts := label_key(key):
            raise SelectorError(str(invalid("<nil>", key, "; ".join(texts))))
        if absent or self.peek() in ("", ","):
            return Requirement(key, "!" if absent else "exists")
        operator = self.take()
        if operator in ("in", "notin"):
            return Requirement(key, operator, sorted(self.values()))
        if operator not in _SYMBOL_OPERATORS:
            _fail(operator, f", expected: {_BINARY_TEXT}")
        return Requirement(key, _SYMBOL_OPERATORS[operator], (self.exact_value(),))

    def exact_value(self) -> str:
        if self.peek() in ("", ","):
            return ""
        token = self.take()
        if not _is_word(token):
            _fail(token, ", expected: identifier")
        return token

    def values(self) -> set[str]:
        token = self.take()
        if token != "(":
            _fail(token, " expected: '('")
        values: set[str] = set()
        wants_word = True
        while (token := self.take()) != ")":
            if token == ",":
                if wants_word:
                    values.add("")
                wants_word = True
            elif not wants_word:
                _fail(token, ", expected: ',' or ')'")
            elif not _is_word(token):
                _fail(token, ", expected: ',', or identifier" if values else ", expected: ',', ')' or identifier")
            else:
                values.add(token)
                wants_word = False
        if wants_word:
            values.add("")
        return values


def _is_word(token: str) -> bool:
    return token != "" and token[0] not in "=!(),<>"


def _fail(found: str, rest: str) -> NoReturn:
    raise SelectorError(f"found '{found}'{rest}")


@lru_cache(REMEMBERED)
def parse_labels(text: str) -> Selector:
    """A selector from its text (``app=web,tier in (a,b),!old``). Raises ``SelectorError``."""
    return Selector(_Parser(text).parse()) if text else EVERYTHING
