"""What the schema of a definition must be: structural, with defaults that fit and rules that compile. Pure.

Source: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions (Specifying a structural
schema).
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.api.custom.cel import CelError, compile_expression
from orchestrator.api.custom.expressions import RULES, Rule
from orchestrator.api.custom.structural import faults
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden, invalid, not_supported, required

TYPES = ("array", "boolean", "integer", "number", "object", "string")
UNKNOWN = "x-kubernetes-preserve-unknown-fields"
EITHER = "x-kubernetes-int-or-string"
MAX_DEPTH = 64
"""Schemas that are deeper are refused; upstream's own recursion is bounded by the size of a request."""


def vet(schema: Object, path: Path) -> list[FieldError]:
    """The faults of one version's ``openAPIV3Schema``."""
    kind = schema.get("type")
    if not kind:
        return [required(path.child("type"), "must not be empty at the root")]
    if kind != "object":
        return [invalid(path.child("type"), kind, "must be object at the root")]
    return list(_vet(schema, path, 0))


def _vet(schema: Object, path: Path, depth: int) -> Iterator[FieldError]:
    if depth > MAX_DEPTH:
        yield invalid(path, "", f"must not be nested deeper than {MAX_DEPTH}")
        return
    yield from _shape(schema, path, depth)
    yield from _forbidden(schema, path)
    if "default" in schema:
        yield from faults(schema["default"], schema, path.child("default"))
    for position, given in enumerate(schema.get(RULES) or ()):
        yield from _rule(given, schema, path.child(RULES).index(position))
    for name, below in (schema.get("properties") or {}).items():
        yield from _vet(below, path.child("properties").key(name), depth + 1)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from _vet(schema[name], path.child(name), depth + 1)


def _shape(schema: Object, path: Path, depth: int) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind and kind not in TYPES:
        yield not_supported(path.child("type"), kind, TYPES)
    elif not kind and depth and not schema.get(UNKNOWN) and not schema.get(EITHER):
        yield required(path.child("type"), "must not be empty for specified object fields")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        yield required(path.child("items"), "must be specified")
    if schema.get("properties") and schema.get("additionalProperties"):
        yield forbidden(path.child("additionalProperties"), "additionalProperties and properties are mutual exclusive")
    if schema.get("x-kubernetes-list-type") == "map" and not schema.get("x-kubernetes-list-map-keys"):
        text = "must not be empty if x-kubernetes-list-type is map"
        yield required(path.child("x-kubernetes-list-map-keys"), text)


def _forbidden(schema: Object, path: Path) -> Iterator[FieldError]:
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(path.child("uniqueItems"), text)
    for name in ("$ref", "definitions", "dependencies", "patternProperties", "id", "additionalItems"):
        if schema.get(name):
            yield forbidden(path.child(name), f"{name} is not supported")


def _rule(given: Object, schema: Object, path: Path) -> Iterator[FieldError]:
    text = given.get("rule") or ""
    if not text.strip():
        yield required(path.child("rule"), "rule is not specified")
        return
    rule = Rule(given, schema)
    try:
        rule.compiled()
    except CelError as error:
        yield invalid(path.child("rule"), text, f"compilation failed: {error}")
    expression = given.get("messageExpression")
    if expression:
        try:
            compile_expression(expression, rule.variables, rule.bound)
        except CelError as error:
            yield invalid(path.child("messageExpression"), expression, f"messageExpression compilation failed: {error}")
