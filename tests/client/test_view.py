"""Views, spliced bytes, caches and their indexes."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Encoded, decode_part, encode, encode_part
from orchestrator.client.cache import MutableCache
from orchestrator.client.kinds import PODS, kind_for, kind_of
from orchestrator.client.requests import update_status
from orchestrator.client.splice import extend, whole
from orchestrator.client.view import Parts, View


def pod(name: str, revision: int, *, owner: str = "", node: str = "", app: str = "web") -> Encoded:
    metadata: dict[str, object] = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": {"app": app}}
    if owner:
        metadata["ownerReferences"] = [{"kind": "ReplicaSet", "name": "rs", "uid": owner, "controller": True}]
    obj = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"nodeName": node}}
    return encode(obj, revision)


def test_a_spliced_body_is_the_object() -> None:
    encoded = pod("a", 7)
    assert decode_part(whole(encoded.rest, encoded.metadata)) == {
        **encoded.decode(),
        "metadata": decode_part(encoded.metadata),
    }


def test_maps_of_any_size_are_extended() -> None:
    for size in (0, 14, 15, 16, 70_000):
        part = encode_part({str(number): number for number in range(size)})
        extended = decode_part(extend(part, encode_part("more") + encode_part(1)))  # type: ignore[arg-type]
        assert len(extended) == size + 1
        assert extended["more"] == 1


def test_a_status_update_bears_the_revision_and_the_new_status() -> None:
    view = View(pod("a", 7), Parts())
    body = decode_part(update_status(PODS, view, {"phase": "Running"}).body)
    assert body["metadata"]["resourceVersion"] == "7"
    assert body["status"] == {"phase": "Running"}
    assert body["spec"] == {"nodeName": ""}


def test_equal_specs_are_decoded_once() -> None:
    parts = Parts()
    one, two = View(pod("a", 1), parts), View(pod("b", 2), parts)
    assert one.spec is two.spec
    assert len(parts) == 1


def node(name: str, revision: int) -> Encoded:
    labels = {"kubernetes.io/hostname": name, "pool": "of-all-nodes"}
    metadata = {"name": name, "uid": f"uid-{name}", "labels": labels, "annotations": {"note": "the same"}}
    return encode({"apiVersion": "v1", "kind": "Node", "metadata": metadata}, revision)


def lease(name: str, revision: int) -> Encoded:
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": f"uid-{name}"}
    metadata = {"name": name, "namespace": "kube-node-lease", "uid": f"uid-lease-{name}", "ownerReferences": [owner]}
    return encode({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}, revision)


def test_nodes_share_what_is_equal_among_them() -> None:
    one, two = View(node("a", 1), Parts()), View(node("b", 2), Parts())
    assert one.annotations is two.annotations
    assert one.labels["pool"] is two.labels["pool"]
    assert one.labels["kubernetes.io/hostname"] is one.name


def test_the_owner_of_a_lease_is_named_by_the_texts_of_its_node() -> None:
    held, view = View(node("a", 1), Parts()), View(lease("a", 2), Parts())
    [owner] = view.meta.ownerReferences
    assert owner.uid is held.uid
    assert owner.name is held.name
    assert owner == view.meta.ownerReferences[0]
    assert (owner.apiVersion, owner.kind, owner.controller) == ("v1", "Node", None)


def test_the_next_revision_has_the_key_of_the_one_before() -> None:
    cache = MutableCache(PODS)
    cache.put(pod("a", 1))
    key = next(cache.keys())
    cache.put(pod("a", 2, app="other"), cache.get_key("default/a"))
    found = cache.get_key("default/a")
    assert found is not None
    assert found.revision == 2
    assert found.key is key


def test_decoded_parts_are_bounded() -> None:
    parts = Parts(capacity=2)
    for number in range(5):
        parts.decoded(encode_part({"n": number}))
    assert len(parts) == 2


def test_indexes_follow_changes() -> None:
    cache = MutableCache(PODS, {"node": lambda view: (view.spec["nodeName"],)})
    cache.put(pod("a", 1, owner="o1", node="n1"))
    cache.put(pod("b", 2, owner="o1", node="n1"))
    cache.put(pod("a", 3, owner="o2", node="n2"))
    assert [view.name for view in cache.by_owner("o1")] == ["b"]
    assert [view.name for view in cache.by_index("node", "n2")] == ["a"]
    cache.remove("default/a", 4)
    assert cache.by_owner("o2") == []
    assert list(cache.values("node")) == ["n1"]
    assert [view.name for view in cache.list("default")] == ["b"]


def test_what_is_older_than_the_cache_changes_nothing() -> None:
    cache = MutableCache(PODS)
    cache.put(pod("a", 5))
    assert cache.put(pod("a", 4)) is None
    assert cache.put(pod("a", 5)) is None
    assert cache.remove("default/a", 3) is None


def test_a_relist_tells_the_difference_only() -> None:
    cache = MutableCache(PODS)
    cache.replace([pod("a", 1), pod("b", 2)], 2)
    changes = cache.replace([pod("b", 2), pod("c", 5)], 6)
    assert [(change.old and change.old.name, change.new and change.new.name) for change in changes] == [
        (None, "c"),
        ("a", None),
    ]
    assert cache.revision == 6


def test_a_history_that_went_backwards_replaces_everything() -> None:
    cache = MutableCache(PODS)
    cache.replace([pod("a", 100), pod("b", 90)], 100)
    cache.replace([pod("a", 3)], 5)
    assert [view.revision for view in cache.list()] == [3]
    assert cache.revision == 5


def test_kinds_are_found_by_their_names() -> None:
    assert kind_of("pods") is PODS
    custom = kind_of("certificates.example.com/v1beta1")
    assert (custom.group, custom.version, custom.resource) == ("example.com", "v1beta1", "certificates")
    assert kind_for("apps/v1", "Deployment").resource == "deployments"  # type: ignore[union-attr]
