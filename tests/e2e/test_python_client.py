"""The ``kubernetes`` package for Python, unmodified: create, list, watch, patch, apply, exec and its errors."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import kubernetes
import pytest
from kubernetes.client.exceptions import ApiException

from tests.e2e import workloads
from tests.e2e.space import Space

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # The client leaves the sockets of ended watches to the collector: they are its own, and collected below.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def api(space: Space) -> Iterator[kubernetes.client.ApiClient]:
    with kubernetes.config.new_client_from_config(str(space.daemon.kubeconfig)) as client:
        yield client
        client.rest_client.pool_manager.clear()
    del client
    gc.collect()


@pytest.fixture
def core(api: kubernetes.client.ApiClient) -> kubernetes.client.CoreV1Api:
    return kubernetes.client.CoreV1Api(api)


def config_map(name: str, **data: str) -> kubernetes.client.V1ConfigMap:
    metadata = kubernetes.client.V1ObjectMeta(name=name, labels={"made": "here"})
    return kubernetes.client.V1ConfigMap(metadata=metadata, data=data)


def test_objects_are_created_listed_patched_and_deleted(space: Space, core: Any) -> None:
    made = core.create_namespaced_config_map(space.namespace, config_map("one", a="1"))
    assert made.metadata.uid
    listed = core.list_namespaced_config_map(space.namespace, label_selector="made=here")
    assert [item.metadata.name for item in listed.items] == ["one"]
    patched = core.patch_namespaced_config_map("one", space.namespace, {"data": {"b": "2"}})
    assert patched.data == {"a": "1", "b": "2"}
    patched.data = {"c": "3"}
    assert core.replace_namespaced_config_map("one", space.namespace, patched).data == {"c": "3"}
    core.delete_namespaced_config_map("one", space.namespace)
    assert not core.list_namespaced_config_map(space.namespace, label_selector="made=here").items


def test_a_watch_sees_each_change_from_a_revision_on(space: Space, core: Any) -> None:
    revision = core.list_namespaced_config_map(space.namespace).metadata.resource_version
    core.create_namespaced_config_map(space.namespace, config_map("one", a="1"))
    core.patch_namespaced_config_map("one", space.namespace, {"data": {"a": "2"}})
    core.delete_namespaced_config_map("one", space.namespace)
    seen = [
        (event["type"], event["object"].data)
        for event in kubernetes.watch.Watch().stream(
            core.list_namespaced_config_map,
            space.namespace,
            label_selector="made=here",
            resource_version=revision,
            timeout_seconds=2,
        )
    ]
    assert seen == [("ADDED", {"a": "1"}), ("MODIFIED", {"a": "2"}), ("DELETED", {"a": "2"})]


def test_the_dynamic_client_applies_and_reports_conflicts(space: Space, api: Any) -> None:
    resource = kubernetes.dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "1"}}
    made = resource.server_side_apply(body=body, name="one", namespace=space.namespace, field_manager="first")
    assert made.metadata.managedFields[0].manager == "first"
    other = {**body, "data": {"a": "2"}}
    with pytest.raises(kubernetes.dynamic.exceptions.ConflictError):
        resource.server_side_apply(body=other, name="one", namespace=space.namespace, field_manager="second")
    taken = resource.server_side_apply(
        body=other, name="one", namespace=space.namespace, field_manager="second", force_conflicts=True
    )
    assert taken.data.a == "2"


def test_create_from_yaml_makes_a_deployment_that_rolls_out(space: Space, api: Any) -> None:
    manifest = workloads.web(space.runtime, "web", 2)
    kubernetes.utils.create_from_dict(api, manifest, namespace=space.namespace)
    apps: Any = kubernetes.client.AppsV1Api(api)
    space.wait(
        "two are ready", lambda: apps.read_namespaced_deployment("web", space.namespace).status.ready_replicas == 2
    )
    scale = apps.patch_namespaced_deployment_scale("web", space.namespace, {"spec": {"replicas": 1}})
    assert scale.spec.replicas == 1


def test_exec_and_logs_reach_the_container(space: Space, core: Any) -> None:
    container = workloads.shell(space.runtime, "echo started; while true; do sleep 0.2; done")
    core.create_namespaced_pod(space.namespace, workloads.pod("one", container))
    space.ready("one")
    answer = kubernetes.stream.stream(
        core.connect_get_namespaced_pod_exec, "one", space.namespace,
        command=["sh", "-c", "echo out; echo error >&2; exit 3"],
        stdout=True, stderr=True, stdin=False, tty=False, _preload_content=False,
    )  # fmt: skip
    answer.run_forever(timeout=20)
    assert (answer.read_stdout(), answer.read_stderr(), answer.returncode) == ("out\n", "error\n", 3)
    answer.close()
    assert core.read_namespaced_pod_log("one", space.namespace) == "started\n"


def test_errors_carry_the_code_and_the_status(space: Space, core: Any) -> None:
    with pytest.raises(ApiException) as missing:
        core.read_namespaced_pod("none", space.namespace)
    assert (missing.value.status, missing.value.reason) == (404, "Not Found")
    core.create_namespaced_config_map(space.namespace, config_map("one"))
    with pytest.raises(ApiException) as twice:
        core.create_namespaced_config_map(space.namespace, config_map("one"))
    assert twice.value.status == 409
    assert '"reason":"AlreadyExists"' in (twice.value.body or "").replace(" ", "")
    with pytest.raises(ApiException) as invalid:
        core.create_namespaced_config_map(space.namespace, config_map("Not Valid"))
    assert invalid.value.status == 422
