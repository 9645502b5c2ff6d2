from __future__ import annotations

from orchestrator.apimachinery.encoded import encode
from orchestrator.apiserver.mirror import Mirror

KEY = "core/namespaces/a"
PARTS = encode({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}).parts()


def test_what_is_put_is_found_with_its_revision() -> None:
    mirror = Mirror()
    mirror.put(KEY, PARTS, 3)
    found = mirror.get(KEY)
    assert found is not None
    assert found["metadata"]["resourceVersion"] == "3"


def test_an_older_event_changes_nothing() -> None:
    mirror = Mirror()
    mirror.put(KEY, PARTS, 3)
    mirror.drop(KEY, 4)
    mirror.put(KEY, PARTS, 2)
    assert mirror.get(KEY) is None


def test_the_generation_counts_real_changes_only() -> None:
    mirror = Mirror()
    mirror.put(KEY, PARTS, 3)
    before = mirror.generation
    mirror.put(KEY, PARTS, 3)
    assert mirror.generation == before


def test_a_fresh_list_forgets_what_is_not_in_it() -> None:
    mirror = Mirror()
    mirror.put(KEY, PARTS, 3)
    mirror.keep_only("core/namespaces/", set(), 9)
    assert mirror.get(KEY) is None


def test_a_kind_that_is_not_mirrored_is_not_kept() -> None:
    mirror = Mirror()
    mirror.put("core/pods/default/p", PARTS, 3)
    assert mirror.get("core/pods/default/p") is None
