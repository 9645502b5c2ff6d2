"""Rules in CEL."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.custom.cel import CelError, compile_expression, escaped
from orchestrator.api.custom.expressions import Expressions


def told(rule: str, new: Any, old: Any = None, *, kind: str = "object", **more: Any) -> list[str]:
    schema = {"type": kind, **more.pop("schema", {}), "x-kubernetes-validations": [{"rule": rule, **more}]}
    root = {"type": "object", "properties": {"spec": schema}}
    before = None if old is None else {"spec": old}
    return [str(fault) for fault in Expressions(root).faults({"spec": new}, before)]


NUMBERS = {"properties": {"a": {"type": "integer"}, "b": {"type": "number"}}}


def test_a_rule_that_holds_says_nothing_and_one_that_does_not_says_its_message() -> None:
    assert told("self.a > 1", {"a": 2}, schema=NUMBERS) == []
    assert told("self.a > 1", {"a": 1}, schema=NUMBERS, message="more") == ['spec: Invalid value: "object": more']
    assert told("self.a > 1", {"a": 1}, schema=NUMBERS) == ['spec: Invalid value: "object": failed rule: self.a > 1']


def test_a_message_may_be_made_by_an_expression() -> None:
    said = told("self > 1", 1, kind="integer", messageExpression="'found ' + string(self)", message="other")
    assert said == ['spec: Invalid value: "integer": found 1']


def test_transition_rules_are_asked_only_where_something_stood() -> None:
    assert told("self == oldSelf", 2, kind="integer") == []
    assert told("self == oldSelf", 2, 2, kind="integer") == []
    assert told("self == oldSelf", 2, 1, kind="integer", message="fixed") == ['spec: Invalid value: "integer": fixed']


def test_a_reason_and_a_path_of_the_rules_own() -> None:
    said = told("has(self.a)", {}, schema=NUMBERS, reason="FieldValueRequired", fieldPath=".a", message="set a")
    assert said == ["spec.a: Required value: set a"]


def test_numbers_of_the_schema_are_doubles_whatever_json_says() -> None:
    assert told("self.b * 2.0 > 1.0", {"b": 1}, schema=NUMBERS) == []


SINCE = {"type": "string", "format": "date-time"}
WAIT = {"type": "string", "format": "duration"}
BOTH: dict[str, Any] = {"properties": {"since": SINCE, "wait": WAIT, "name": {"type": "string"}}}


def test_times_and_durations_are_such_as_self() -> None:
    assert told("self < timestamp('2027-01-01T00:00:00Z')", "2026-01-01T00:00:00Z", kind="string", schema=SINCE) == []
    assert told("self < duration('2h')", "1h30m", kind="string", schema=WAIT) == []
    assert told("self < duration('2h')", "3h", kind="string", schema=WAIT) != []


@pytest.mark.parametrize(
    "rule",
    [
        "self.since < timestamp('2027-01-01T00:00:00Z') && self.wait < duration('2h')",
        "timestamp(self.since) < timestamp('2027-01-01T00:00:00Z') && duration(self.wait) < duration('2h')",
        "self.since.getFullYear() == 2026 && self.wait.getMinutes() == 90",
        "self.since + self.wait == timestamp('2026-01-01T01:30:00Z')",
        "has(self.since) && !has(self.name) && self == self // and a word about it",
        "string(self.since) == '2026-01-01T00:00:00Z'",
    ],
)
def test_times_inside_of_objects_are_times(rule: str) -> None:
    assert told(rule, {"since": "2026-01-01T00:00:00Z", "wait": "1h30m"}, schema=BOTH) == []


def test_times_inside_of_lists_and_of_objects_in_objects_are_times() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "foo-bar": {"type": "object", **BOTH},
            "list": {"type": "array", "items": {"type": "object", **BOTH}},
            "perhaps": {**SINCE, "nullable": True},
        }
    }
    value = {"foo-bar": {"wait": "1h"}, "list": [{"wait": "2h", "name": "a"}, {"wait": "3h"}], "perhaps": None}
    rule = "self.list.all(each, each.wait > self.foo__dash__bar.wait) && self.list[0].name == 'a'"
    assert told(f"{rule} && self.perhaps == null", value, schema=schema) == []
    assert told("self.list.exists(each, has(each.since))", value, schema=schema) != []


def test_the_old_object_has_its_times_too() -> None:
    rule = "self.since >= oldSelf.since"
    new, old = {"since": "2026-01-01T00:00:00Z"}, {"since": "2025-12-31T23:00:00-02:00"}
    assert told(rule, new, old, schema=BOTH, message="back") == ['spec: Invalid value: "object": back']
    assert told(rule, old, new, schema=BOTH) == []


def test_a_message_sees_times_as_the_rule_does() -> None:
    said = told("false", {"wait": "90s"}, schema=BOTH, messageExpression="'waits ' + string(self.wait)")
    assert said == ['spec: Invalid value: "object": waits 90s']


def test_elements_of_a_map_are_compared_by_their_keys() -> None:
    rule = {"rule": "self.v >= oldSelf.v", "message": "grows"}
    item = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "v": {"type": "integer"}},
        "x-kubernetes-validations": [rule],
    }
    keyed = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    root = {"type": "object", "properties": {"list": {"type": "array", "items": item, **keyed}}}
    old = {"list": [{"name": "a", "v": 1}, {"name": "b", "v": 5}]}
    new = {"list": [{"name": "b", "v": 4}, {"name": "a", "v": 2}]}
    assert [str(each) for each in Expressions(root).faults(new, old)] == ['list[0]: Invalid value: "object": grows']


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("self.find('[0-9]+') == '42'", "a42b"),
        ("self.findAll('[0-9]').size() == 2", "a4b2"),
        ("isURL(self)", "https://example.com/x"),
        ("isQuantity(self)", "100Mi"),
        ("self.split(',').isSorted()", "a,b,c"),
        ("self.lowerAscii() == 'abc'", "ABC"),
    ],
)
def test_kubernetes_functions_for_strings(rule: str, value: str) -> None:
    assert told(rule, value, kind="string") == []


def test_functions_for_lists() -> None:
    assert told("self.sum() == 6 && self.min() == 1 && self.max() == 3", [1, 2, 3], kind="array") == []


def test_a_missing_field_is_a_fault_of_the_object_and_not_a_crash() -> None:
    [said] = told("self.a > 1", {}, schema=NUMBERS, message="m")
    assert said.startswith('spec: Invalid value: "object": NOT_FOUND')


def test_a_rule_that_does_not_compile_says_why() -> None:
    with pytest.raises(CelError, match="undeclared reference to 'nobody'"):
        compile_expression("nobody > 1", {"self": "DYN"})
    with pytest.raises(CelError, match="expected at most 16384 characters, found 20000"):
        compile_expression("1" * 20_000, {})


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("plain", "plain"),
        ("foo-bar", "foo__dash__bar"),
        ("a.b", "a__dot__b"),
        ("a/b", "a__slash__b"),
        ("a__b", "a__underscores__b"),
        ("namespace", "__namespace__"),
    ],
)
def test_names_that_are_none_in_cel_are_escaped(name: str, spelled: str) -> None:
    assert escaped(name) == spelled
    assert told(f"self.{spelled} == 1", {name: 1}, schema={"properties": {name: {"type": "integer"}}}) == []
