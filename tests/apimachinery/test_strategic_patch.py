"""Strategic merge patch knows the lists that are merged by key, and its directives."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.schema import schema
from orchestrator.apimachinery import strategic_patch
from orchestrator.apimachinery.json_patch import PatchError

POD = schema().type("", "v1", "Pod")


def pod(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"metadata": more, "spec": {"containers": list(containers)}}


def patched(doc: dict[str, Any], patch: dict[str, Any]) -> Any:
    return strategic_patch.apply(doc, patch, POD)


def test_containers_merge_by_name() -> None:
    doc = pod({"name": "a", "image": "1", "args": ["x"]}, {"name": "b"})
    result = patched(doc, pod({"name": "a", "image": "2", "args": ["y"]}))
    assert result["spec"]["containers"] == [{"name": "a", "image": "2", "args": ["y"]}, {"name": "b"}]
    assert doc["spec"]["containers"][0]["image"] == "1"


def test_a_new_element_comes_before_those_the_patch_does_not_name() -> None:
    result = patched(pod({"name": "a"}), pod({"name": "z"}))
    assert [each["name"] for each in result["spec"]["containers"]] == ["z", "a"]


def test_an_element_is_deleted_by_its_key() -> None:
    result = patched(pod({"name": "a"}, {"name": "b"}), pod({"name": "a", "$patch": "delete"}))
    assert result["spec"]["containers"] == [{"name": "b"}]


def test_a_list_is_replaced() -> None:
    result = patched(pod({"name": "a"}), pod({"name": "b"}, {"$patch": "replace"}))
    assert result["spec"]["containers"] == [{"name": "b"}]


def test_the_order_can_be_set() -> None:
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}
    result = patched(pod({"name": "a"}, {"name": "b"}), patch)
    assert [each["name"] for each in result["spec"]["containers"]] == ["b", "a"]


def test_scalars_are_a_set_and_can_be_deleted_from() -> None:
    doc = pod(finalizers=["a", "b"])
    assert patched(doc, {"metadata": {"finalizers": ["b", "c"]}})["metadata"]["finalizers"] == ["a", "b", "c"]
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert patched(doc, patch)["metadata"]["finalizers"] == ["b"]


def test_only_retained_keys_stay() -> None:
    doc = {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}
    patch = {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}}
    assert patched(doc, patch)["spec"]["volumes"] == [{"name": "v", "hostPath": {"path": "/"}}]


def test_a_map_is_replaced_or_emptied_by_directive() -> None:
    doc = pod(labels={"a": "1"})
    assert patched(doc, {"metadata": {"labels": {"$patch": "replace", "b": "2"}}})["metadata"]["labels"] == {"b": "2"}
    assert patched(doc, {"metadata": {"labels": {"$patch": "delete"}}})["metadata"]["labels"] == {}


def test_an_element_without_its_key_is_refused() -> None:
    with pytest.raises(PatchError, match="does not contain declared merge key: name"):
        patched(pod({"name": "a"}), pod({"image": "x"}))


def test_nulls_of_a_patch_are_not_stored() -> None:
    assert patched({}, {"spec": {"a": None, "nodeName": "n"}}) == {"spec": {"nodeName": "n"}}
