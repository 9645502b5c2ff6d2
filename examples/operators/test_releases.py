"""``releases.py`` with the synchronous client, against a cluster in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from releases import NotReleased, release

pytestmark = [pytest.mark.cluster(nodes=2, serve=True), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1"}]}
"""


@pytest.fixture
def api(cluster: Any, kubeconfig: Path) -> Iterator[client.ApiClient]:
    cluster.apply(WEB)
    cluster.wait("deployment/web", "Available")
    with config.new_client_from_config(str(kubeconfig)) as made:
        yield made
        made.rest_client.pool_manager.clear()


def test_an_image_is_rolled_out(cluster: Any, api: client.ApiClient) -> None:
    assert release(api, "web", "nginx:2") == 2
    assert {pod.spec.containers[0]["image"] for pod in cluster.list("pods", app="web")} == {"nginx:2"}


def test_an_image_that_does_not_exist_is_taken_back_and_says_why(cluster: Any, api: client.ApiClient) -> None:
    cluster.fail_pull("nginx:*")
    with pytest.raises(NotReleased) as refused:
        release(api, "web", "nginx:3", seconds=1)
    assert set(refused.value.reasons) & {"ErrImagePull", "ImagePullBackOff"}
    assert cluster.get("deployment/web").spec.template.spec.containers[0]["image"] == "nginx:1"
