"""The environment of a container, and what a pod can learn of itself."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from orchestrator.kubelet.downward import Place, field_value, resource_value
from orchestrator.kubelet.environment import environment, expand, service_variables
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from tests.kubelet.pods import UID, container, pod

PLACE = Place("node-1", "192.0.2.1", "127.64.0.1", 4000, 8 * 1024**3)
CONFIG = {"data": {"color": "red", "not a name": "x"}}
SECRET = {"data": {"key": base64.b64encode(b"hidden").decode()}}


def env(found: dict[tuple[str, str], Any] | None = None, **fields: Any) -> dict[str, str]:
    one = container(**fields)
    return environment(pod(one), one, found or {}, [], PLACE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A", "$A"),
        ("$(A", "$(A"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


def test_a_variable_sees_those_before_it() -> None:
    variables = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)"}, {"name": "C", "value": "3"}]
    assert env(env=variables) == {"A": "1", "B": "1$(C)", "C": "3"}


def test_env_from_takes_all_keys_with_its_prefix() -> None:
    sources = [{"prefix": "P_", "configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}]
    found = {("configmap", "c"): CONFIG, ("secret", "s"): SECRET}
    assert env(found, envFrom=sources) == {"P_color": "red", "key": "hidden"}


def test_a_missing_key_is_a_config_error_unless_it_is_optional() -> None:
    reference = {"name": "c", "key": "size"}
    variables = [{"name": "A", "valueFrom": {"configMapKeyRef": reference}}]
    with pytest.raises(RuntimeFailure, match="couldn't find key size in ConfigMap default/c"):
        env({("configmap", "c"): CONFIG}, env=variables)
    reference["optional"] = True  # type: ignore[assignment]
    assert env({("configmap", "c"): CONFIG}, env=variables) == {}


def test_a_missing_secret_is_named_but_not_shown() -> None:
    variables = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "key"}}}]
    with pytest.raises(RuntimeFailure) as failure:
        env({("secret", "s"): None}, env=variables)
    assert (failure.value.reason, failure.value.message) == ("CreateContainerConfigError", 'secret "s" not found')


def test_a_pod_knows_its_names_and_addresses() -> None:
    one = pod()
    paths = ("metadata.name", "metadata.uid", "status.podIP", "status.hostIP", "spec.nodeName")
    assert [field_value(one, path, PLACE) for path in paths] == ["web", UID, "127.64.0.1", "192.0.2.1", "node-1"]


def test_resources_are_divided_and_rounded_up() -> None:
    one = pod(container(resources={"limits": {"cpu": "1500m"}, "requests": {"memory": "32Mi"}}))
    assert resource_value(one, {"resource": "limits.cpu"}, "app", PLACE) == "2"
    assert resource_value(one, {"resource": "limits.cpu", "divisor": "1m"}, "app", PLACE) == "1500"
    assert resource_value(one, {"resource": "requests.memory"}, "app", PLACE) == str(32 * 1024**2)
    assert resource_value(one, {"resource": "limits.memory"}, "app", PLACE) == str(8 * 1024**3)


def test_services_are_variables_and_headless_ones_are_not() -> None:
    web = {"metadata": {"name": "my-web"}, "spec": {"clusterIP": "10.0.0.9", "ports": [{"port": 80, "name": "http"}]}}
    headless = {"metadata": {"name": "none"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    values = service_variables([web, headless], "default")
    assert values["MY_WEB_SERVICE_HOST"] == "10.0.0.9"
    assert values["MY_WEB_SERVICE_PORT_HTTP"] == "80"
    assert values["MY_WEB_PORT_80_TCP"] == "tcp://10.0.0.9:80"
    assert not any(name.startswith("NONE") for name in values)
