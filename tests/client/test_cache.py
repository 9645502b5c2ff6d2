from __future__ import annotations

from collections.abc import Iterable

import pytest

from orchestrator.apimachinery.encoded import encode
from orchestrator.client.cache import MutableCache
from orchestrator.client.kinds import PODS
from orchestrator.client.view import View


def by_app(view: View) -> Iterable[str]:
    return (view.labels.get("app", ""),)


def by_tier(view: View) -> Iterable[str]:
    return (view.labels.get("tier", ""),)


def cache() -> MutableCache:
    one = MutableCache(PODS, {"label": by_app})
    metadata = {"name": "a", "namespace": "default", "uid": "1", "labels": {"app": "web", "tier": "front"}}
    one.put(encode({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}, 5))
    return one


def test_an_index_finds_what_is_there_already() -> None:
    one = cache()
    one.add_index("tier", by_tier)
    assert [view.name for view in one.by_index("tier", "front")] == ["a"]


def test_two_components_may_ask_for_the_same_index() -> None:
    one = cache()
    one.add_index("label", by_app)
    assert [view.name for view in one.by_index("label", "web")] == ["a"]


def test_one_name_cannot_stand_for_two_indexes() -> None:
    with pytest.raises(ValueError, match=r"index 'label' of pods is .*by_app, not .*by_tier"):
        cache().add_index("label", by_tier)


def test_an_index_that_says_something_else_than_the_objects_is_found() -> None:
    one = cache()
    assert one.verify() == []
    one._indexes["label"]["nobody"] = {"default/a": None}
    assert one.verify() == ["pods: the index label finds 1 under nobody, there are 0"]
