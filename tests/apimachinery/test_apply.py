"""Server-side apply and the tracking of managers."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.api.schema import schema
from orchestrator.apimachinery.apply import MAX_UPDATE_MANAGERS, RESET_STATUS, apply, update_managed
from orchestrator.apimachinery.errors import StatusError

TYPE = schema().type("apps", "v1", "Deployment")
NOW = 1_767_323_045.0


def deployment(**spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "c", "image": "busybox"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "d"},
        "spec": {"template": template, **spec},
    }


def applied(live: Any, body: Any, manager: str, force: bool = False, now: float = NOW) -> Any:
    return apply(live, body, TYPE, manager, force=force, version="apps/v1", now=now)


def updated(live: Any, new: Any, manager: str, **more: Any) -> Any:
    listed = update_managed(live, new, TYPE, manager, version="apps/v1", now=NOW, **more)
    return {**new, "metadata": {**new["metadata"], "managedFields": listed}}


def managers(obj: Any) -> dict[str, Any]:
    return {each["manager"]: each["fieldsV1"] for each in obj["metadata"]["managedFields"]}


def test_an_apply_creates_and_owns_what_it_says() -> None:
    obj = applied(None, deployment(replicas=2), "me")
    assert obj["spec"]["replicas"] == 2
    assert managers(obj)["me"]["f:spec"]["f:replicas"] == {}
    container = managers(obj)["me"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"c"}']
    assert container == {".": {}, "f:name": {}, "f:image": {}}


def test_another_value_by_another_manager_is_a_conflict() -> None:
    live = applied(None, deployment(replicas=2), "me")
    with pytest.raises(StatusError) as caught:
        applied(live, deployment(replicas=3), "you")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "me": .spec.replicas'
    assert caught.value.status["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "me"', "field": ".spec.replicas"}
    ]


def test_a_conflict_with_an_update_names_its_version() -> None:
    live = updated(None, deployment(replicas=2), "kubectl-scale")
    with pytest.raises(StatusError, match=r'conflict with "kubectl-scale" using apps/v1: \.spec\.replicas'):
        applied(live, deployment(replicas=3), "you")


def test_force_takes_the_field() -> None:
    live = applied(None, deployment(replicas=2), "me")
    obj = applied(live, deployment(replicas=3), "you", force=True)
    assert obj["spec"]["replicas"] == 3
    assert "f:replicas" not in managers(obj)["me"]["f:spec"]


def test_the_same_value_is_shared() -> None:
    live = applied(None, deployment(replicas=2), "me")
    obj = applied(live, deployment(replicas=2), "you")
    assert "f:replicas" in managers(obj)["me"]["f:spec"]
    assert "f:replicas" in managers(obj)["you"]["f:spec"]


def test_what_is_no_longer_applied_is_removed() -> None:
    live = applied(None, deployment(replicas=2, minReadySeconds=5), "me")
    obj = applied(live, deployment(replicas=2), "me")
    assert "minReadySeconds" not in obj["spec"]


def test_what_others_own_stays_when_one_gives_it_up() -> None:
    live = applied(None, deployment(replicas=2), "me")
    live = applied(live, deployment(replicas=2), "you")
    obj = applied(live, deployment(), "me")
    assert obj["spec"]["replicas"] == 2
    assert "f:replicas" not in managers(obj)["me"]["f:spec"]


def test_a_port_without_protocol_is_the_tcp_port() -> None:
    body = deployment()
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": 80}]
    owned = managers(applied(None, body, "me"))["me"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert 'k:{"containerPort":80,"protocol":"TCP"}' in owned['k:{"name":"c"}']["f:ports"]


def test_an_apply_that_changes_nothing_keeps_its_time() -> None:
    live = applied(None, deployment(replicas=2), "me")
    assert applied(live, deployment(replicas=2), "me", now=NOW + 60) == live


def test_an_object_without_managers_belongs_to_the_past() -> None:
    obj = applied(deployment(replicas=2), deployment(minReadySeconds=1), "me")
    assert "f:replicas" in managers(obj)["before-first-apply"]["f:spec"]


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(StatusError, match=r"\.spec\.colour: field not declared in schema"):
        applied(None, deployment(colour="red"), "me")


def test_managed_fields_may_not_be_applied() -> None:
    body = deployment()
    body["metadata"]["managedFields"] = []
    with pytest.raises(StatusError, match=r"metadata\.managedFields must be nil"):
        applied(None, body, "me")


def test_kubectl_takes_over_what_it_applied_client_side() -> None:
    last = '{"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":2}}'
    body = deployment(replicas=2)
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": last}
    live = updated(None, body, "kubectl-client-side-apply")
    assert applied(live, deployment(replicas=3), "kubectl")["spec"]["replicas"] == 3


def test_a_status_write_owns_the_status_only() -> None:
    live = updated(None, deployment(replicas=2), "me")
    new = {**live, "status": {"replicas": 1}}
    obj = updated(live, new, "controller", subresource="status", reset=RESET_STATUS)
    assert managers(obj)["controller"] == {"f:status": {"f:replicas": {}}}
    assert [each.get("subresource") for each in obj["metadata"]["managedFields"]] == ["status", None]


def test_nothing_changed_leaves_the_managers_as_they_are() -> None:
    live = updated(None, deployment(replicas=2), "me")
    assert updated(live, live, "you")["metadata"]["managedFields"] == live["metadata"]["managedFields"]


def test_a_removed_field_is_nobodys() -> None:
    live = updated(None, deployment(replicas=2, paused=True), "me")
    spec = {key: value for key, value in live["spec"].items() if key != "paused"}
    assert "f:paused" not in managers(updated(live, {**live, "spec": spec}, "you"))["me"]["f:spec"]


def test_old_updates_are_merged_into_one() -> None:
    live = updated(None, deployment(), "m0")
    for number in range(1, MAX_UPDATE_MANAGERS + 3):
        meta = {**live["metadata"], "labels": {**live["metadata"].get("labels", {}), f"l{number}": "x"}}
        live = updated(live, {**live, "metadata": meta}, f"m{number}")
    assert len(live["metadata"]["managedFields"]) == MAX_UPDATE_MANAGERS
    assert "ancient-changes" in managers(live)


def test_an_unmanaged_object_stays_so() -> None:
    live = deployment(replicas=1)
    assert update_managed(live, deployment(replicas=2), TYPE, "me", version="apps/v1", now=NOW) == []
