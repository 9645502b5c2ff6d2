from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.directory import SLICE_KEYS, KeyTree

KEYS = st.lists(st.sampled_from("ab-/"), min_size=1, max_size=6).map("".join)
PREFIXES = st.lists(st.sampled_from("ab-/"), max_size=4).map("".join)


@given(st.lists(KEYS), PREFIXES, PREFIXES, PREFIXES, st.integers(0, 4))
def test_the_tree_lists_what_a_sorted_set_would(
    toggled: list[str], prefix: str, after: str, before: str, limit: int
) -> None:
    tree, model = KeyTree(), set[str]()
    for key in toggled:
        if key in model:
            tree.drop(key)
            model.remove(key)
        else:
            tree.add(key)
            model.add(key)
        tree.keys(key[:2])
    expected = sorted(key for key in model if key.startswith(prefix) and key > after and (not before or key < before))
    assert tree.keys(prefix, after, before, limit) == (expected[:limit] if limit else expected)
    assert tree.count(prefix, after, before) == len(expected)


def test_many_changes_at_once_are_sorted_in() -> None:
    tree = KeyTree()
    for number in range(800):
        tree.add(f"p/{number:03}")
    tree.keys("p/")
    for number in range(0, 800, 2):
        tree.drop(f"p/{number:03}")
    assert tree.keys("p/") == [f"p/{number:03}" for number in range(1, 800, 2)]


def test_many_keys_of_a_directory_are_read_slice_by_slice() -> None:
    tree = KeyTree()
    names = [f"p/{number:05}" for number in range(3 * SLICE_KEYS)]
    for name in names:
        tree.add(name)
    assert tree.keys("p/") == names
    assert tree.keys("p/", after=names[5], before=names[-5]) == names[6:-5]
