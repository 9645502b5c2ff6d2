"""``x-kubernetes-validations``: the rules in CEL of a schema, compiled at their first use. Pure.

A rule sees ``self``, and ``oldSelf`` where there is an object to compare with; a rule that names ``oldSelf`` is not
asked about what is new, unless it is ``optionalOldSelf``. Values go to the engine as their schema has them: numbers as
doubles, field names escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.api.custom import times
from orchestrator.api.custom.cel import CelError, Expression, compile_expression, escaped
from orchestrator.api.custom.structural import type_name
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import ErrorType, FieldError, Path
from orchestrator.apimachinery.timestamps import parse_time

RULES = "x-kubernetes-validations"
MAX_FAULTS = 10
"""Told of one object; more help nobody."""
_OLD = re.compile(r"\boldSelf\b")
_REASONS = {
    "FieldValueInvalid": ErrorType.INVALID,
    "FieldValueForbidden": ErrorType.FORBIDDEN,
    "FieldValueRequired": ErrorType.REQUIRED,
    "FieldValueDuplicate": ErrorType.DUPLICATE,
}
_TYPES = {"string": "STRING", "integer": "INT", "number": "DOUBLE", "boolean": "BOOL"}


class Rule:
    """One rule of one place in a schema."""

    def __init__(self, given: Object, schema: Object) -> None:
        self.given = given
        self.compares = bool(_OLD.search(given["rule"]))
        self.optional = bool(given.get("optionalOldSelf"))
        kind = _variable_type(schema)
        self.variables = {"self": kind}
        if self.compares:
            self.variables["oldSelf"] = "DYN" if self.optional else kind
        seen = {name: times.timed(name, schema) for name in self.variables} if kind == "DYN" else {}
        self.bound = {name: text for name, text in seen.items() if text and not (name == "oldSelf" and self.optional)}
        self._rule: Expression | None = None
        self._message: Expression | None = None

    def compiled(self) -> Expression:
        """Raises ``CelError``."""
        if self._rule is None:
            made = compile_expression(self.given["rule"], self.variables, self.bound)
            if made.returns not in ("BOOL", "DYN"):
                raise CelError(f"expected a rule that gives bool, found {made.returns.lower()}")
            self._rule = made
        return self._rule

    def message(self, values: dict[str, Any]) -> str:
        expression = self.given.get("messageExpression")
        if expression:
            try:
                self._message = self._message or compile_expression(expression, self.variables, self.bound)
                said = self._message.evaluate(values).value
            except CelError:
                said = None
            if isinstance(said, str) and said.strip() and "\n" not in said:
                return said
        return str(self.given.get("message") or f"failed rule: {self.given['rule'].strip()}")


class Expressions:
    """All rules of a schema."""

    def __init__(self, schema: Object) -> None:
        self._schema = schema
        self._any = has_rules(schema)
        self._known: dict[int, list[Rule]] = {}

    def faults(self, new: Any, old: Any) -> list[FieldError]:
        """The rules that do not hold. ``old`` None: there was nothing before."""
        if not self._any:
            return []
        found: list[FieldError] = []
        for fault in self._walk(new, old, self._schema, Path(), root=True):
            found.append(fault)
            if len(found) == MAX_FAULTS:
                break
        return found

    def _walk(self, new: Any, old: Any, schema: Object, path: Path, *, root: bool = False) -> Iterator[FieldError]:
        for rule in self._rules(schema):
            yield from _ask(rule, new, old, schema, path)
        if isinstance(new, dict):
            properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
            for name, item in new.items():
                below = properties.get(name, rest)
                if isinstance(below, dict):
                    before = old.get(name) if isinstance(old, dict) else None
                    yield from self._walk(
                        item, before, below, Path(f".{name}", parent=path) if not root else Path(name)
                    )
        elif isinstance(new, list) and isinstance(schema.get("items"), dict):
            for position, item in enumerate(new):
                before = _correlated(item, old, schema)
                yield from self._walk(item, before, schema["items"], path.index(position))

    def _rules(self, schema: Object) -> list[Rule]:
        given = schema.get(RULES)
        if not given:
            return []
        known = self._known.get(id(schema))
        if known is None:
            known = self._known[id(schema)] = [Rule(each, schema) for each in given]
        return known


def has_rules(schema: Object) -> bool:
    if schema.get(RULES):
        return True
    below = [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, dict) and has_rules(each) for each in below)


def _correlated(item: Any, old: Any, schema: Object) -> Any:
    """What stood in the place of a list's element: known by its keys, else nobody can say."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return None
    wanted = [item.get(key) for key in keys or ()]
    return next((each for each in old if isinstance(each, dict) and [each.get(k) for k in keys or ()] == wanted), None)


def _ask(rule: Rule, new: Any, old: Any, schema: Object, path: Path) -> Iterator[FieldError]:
    if rule.compares and old is None and not rule.optional:
        return
    values = {"self": _variable(new, schema)}
    if rule.compares:
        values["oldSelf"] = _variable(old, schema)
    place = _place(rule, path)
    try:
        verdict = rule.compiled().evaluate(values)
    except CelError as error:
        yield _fault(rule, place, new, f"rule compile error: {error}", ErrorType.INVALID)
        return
    if verdict.problem:
        yield _fault(rule, place, new, f"{verdict.problem} evaluating rule: {rule.message(values)}", ErrorType.INVALID)
    elif verdict.value is not True:
        reason = _REASONS.get(rule.given.get("reason") or "", ErrorType.INVALID)
        yield _fault(rule, place, new, rule.message(values), reason)


def _place(rule: Rule, path: Path) -> Path:
    below = rule.given.get("fieldPath") or ""
    return Path(below if str(path) else below.removeprefix("."), parent=path) if below else path


def _fault(rule: Rule, place: Path, value: Any, detail: str, reason: ErrorType) -> FieldError:
    return FieldError(reason, str(place) or "<nil>", type_name(value), detail)


def _variable_type(schema: Object) -> str:
    if schema.get("x-kubernetes-int-or-string") or schema.get("nullable"):
        return "DYN"
    if schema.get("type") == "string" and schema.get("format") in times.TYPES:
        return times.TYPES[schema["format"]]
    return _TYPES.get(schema.get("type", ""), "DYN")


def _variable(value: Any, schema: Object) -> Any:
    """``self``: of a place that is a time or a duration, one of these."""
    if isinstance(value, str) and schema.get("format") in times.TYPES:
        return _time(value, schema["format"])
    return celled(value, schema)


def celled(value: Any, schema: Object) -> Any:
    """``value`` as the engine is to see it. Times inside of it are text, which ``times`` lets rules see as times."""
    if isinstance(value, dict):
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        return {
            (escaped(name) if name in properties else name): celled(
                item, properties.get(name) or (rest if isinstance(rest, dict) else {})
            )
            for name, item in value.items()
            if name in properties or isinstance(rest, dict) or _open(schema)
        }
    if isinstance(value, list):
        items = schema.get("items")
        return [celled(item, items if isinstance(items, dict) else {}) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and schema.get("type") == "number":
        return float(value)
    return value


def _open(schema: Object) -> bool:
    """Whether rules may look at fields that the schema does not name."""
    return bool(schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")) or (
        "properties" not in schema
    )


def _time(value: str, kind: str) -> Any:
    """The structural validation has seen to it that it is one."""
    if kind == "date-time":
        return datetime.fromtimestamp(parse_time(value), UTC)
    return timedelta(seconds=_seconds(value) or 0.0)


_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


def _seconds(text: str) -> float | None:
    """A duration as Go writes it; None: it is none."""
    pieces = _PIECE.findall(text)
    if "".join(number + unit for number, unit in pieces) != text.lstrip("+-") or not pieces:
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in pieces)
    return -total if text.startswith("-") else total
