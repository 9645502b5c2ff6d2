"""JSON patch and merge patch apply without touching what they are given."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from orchestrator.apimachinery import json_patch, merge_patch
from orchestrator.apimachinery.copying import deep, drop, put

DOC = {"a": {"b": [1, 2, 3]}, "c": "d", "x/y": 1}


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/a/b/-", "value": 4}, {**DOC, "a": {"b": [1, 2, 3, 4]}}),
        ({"op": "add", "path": "/a/b/0", "value": 0}, {**DOC, "a": {"b": [0, 1, 2, 3]}}),
        ({"op": "remove", "path": "/a/b/-1"}, {**DOC, "a": {"b": [1, 2]}}),
        ({"op": "replace", "path": "/x~1y", "value": 2}, {**DOC, "x/y": 2}),
        ({"op": "copy", "from": "/c", "path": "/e"}, {**DOC, "e": "d"}),
        ({"op": "move", "from": "/c", "path": "/a/c"}, {"a": {"b": [1, 2, 3], "c": "d"}, "x/y": 1}),
        ({"op": "test", "path": "/c", "value": "d"}, DOC),
    ],
)
def test_an_operation_applies(operation: dict[str, Any], result: Any) -> None:
    before = deepcopy(DOC)
    assert json_patch.apply(DOC, [operation]) == result
    assert before == DOC


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"op": "test", "path": "/c", "value": "e"}, "testing value /c failed: test failed"),
        ({"op": "remove", "path": "/z"}, "error in remove for path: '/z': Unable to remove nonexistent key: z"),
        ({"op": "replace", "path": "/z", "value": 1}, "replace operation does not apply: doc is missing key: /z"),
        ({"op": "add", "path": "/z/y", "value": 1}, 'add operation does not apply: doc is missing path: "/z/y"'),
        ({"op": "twist", "path": "/a"}, "Unexpected kind: twist"),
    ],
)
def test_what_does_not_apply_says_why(operation: dict[str, Any], message: str) -> None:
    with pytest.raises(json_patch.PatchError) as caught:
        json_patch.apply(DOC, [operation])
    assert str(caught.value).startswith(message)


def test_true_is_not_one_for_a_test() -> None:
    with pytest.raises(json_patch.PatchError):
        json_patch.apply({"a": True}, [{"op": "test", "path": "/a", "value": 1}])


def test_a_patch_that_is_no_list_is_of_the_wrong_form() -> None:
    with pytest.raises(json_patch.PatchFormatError, match="cannot unmarshal object"):
        json_patch.apply(DOC, {"a": "b"})


def test_a_merge_patch_removes_with_null_and_replaces_lists() -> None:
    patch = {"a": {"b": [9], "n": {"gone": None, "kept": 1}}, "c": None}
    assert merge_patch.apply(DOC, patch) == {"a": {"b": [9], "n": {"kept": 1}}, "x/y": 1}


def test_copy_on_write_shares_what_it_does_not_touch() -> None:
    changed = put(DOC, ("q", "r"), 1)
    assert changed["a"] is DOC["a"]
    assert "q" not in DOC
    assert drop(DOC, ("a", "nothing")) is DOC
    assert deep(DOC)["a"] is not DOC["a"]
