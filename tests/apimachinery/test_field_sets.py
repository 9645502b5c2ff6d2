"""The algebra of field sets."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.apimachinery.field_sets import difference, intersection, path_text, paths, union, without

KEYS = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
PATHS = st.sets(st.lists(KEYS, min_size=1, max_size=3).map(tuple), max_size=6)


def tree(members: set[tuple[str, ...]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for path in members:
        node: dict[str, Any] = {}
        for key in reversed(path):
            node = {key: node}
        result = union(result, node)
    return result


@given(PATHS, PATHS)
def test_sets_of_fields_behave_as_sets_of_paths(left: set[tuple[str, ...]], right: set[tuple[str, ...]]) -> None:
    one, two = tree(left), tree(right)
    assert set(paths(union(one, two))) == left | right
    assert set(paths(difference(one, two))) == left - right
    assert set(paths(intersection(one, two))) == left & right


@given(PATHS, PATHS)
def test_without_drops_what_is_below_a_member_too(left: set[tuple[str, ...]], right: set[tuple[str, ...]]) -> None:
    kept = {path for path in left if not any(path[: len(gone)] == gone for gone in right)}
    assert set(paths(without(tree(left), tree(right)))) == kept


def test_paths_read_as_structured_merge_diff_writes_them() -> None:
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name")
    assert path_text(path) == '.spec.ports[port=80,protocol="TCP"].name'
    assert path_text(("f:a", 'v:"x"')) == '.a[="x"]'
