from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.directory import KeyTree

KEYS = st.lists(st.sampled_from("ab-/"), min_size=1, max_size=6).map("".join)
PREFIXES = st.lists(st.sampled_from("ab-/"), max_size=4).map("".join)


@given(st.lists(KEYS), PREFIXES, PREFIXES)
def test_the_tree_lists_what_a_sorted_set_would(toggled: list[str], prefix: str, after: str) -> None:
    tree, model = KeyTree(), set[str]()
    for key in toggled:
        if key in model:
            tree.drop(key)
            model.remove(key)
        else:
            tree.add(key)
            model.add(key)
        tree.keys(key[:2])
    expected = sorted(key for key in model if key.startswith(prefix) and key > after)
    assert tree.keys(prefix, after) == expected
    assert tree.count(prefix, after) == len(expected)


def test_many_changes_at_once_are_sorted_in() -> None:
    tree = KeyTree()
    for number in range(200):
        tree.add(f"p/{number:03}")
    tree.keys("p/")
    for number in range(0, 200, 2):
        tree.drop(f"p/{number:03}")
    assert tree.keys("p/") == [f"p/{number:03}" for number in range(1, 200, 2)]
