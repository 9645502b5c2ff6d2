from __future__ import annotations

import pytest

from orchestrator.apiserver.http.paths import resource_path
from orchestrator.client.protocol import Target


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/v1/pods", Target("", "v1", "pods")),
        ("/api/v1/namespaces", Target("", "v1", "namespaces")),
        ("/api/v1/namespaces/x", Target("", "v1", "namespaces", "", "x")),
        ("/api/v1/namespaces/x/finalize", Target("", "v1", "namespaces", "", "x", "finalize")),
        ("/api/v1/namespaces/x/pods/p/log", Target("", "v1", "pods", "x", "p", "log")),
        ("/apis/apps/v1/namespaces/x/deployments/d", Target("apps", "v1", "deployments", "x", "d")),
    ],
)
def test_a_path_names_a_resource(path: str, target: Target) -> None:
    found = resource_path(path)
    assert found is not None
    assert found.target == target


@pytest.mark.parametrize("path", ["/", "/version", "/api/v1", "/apis", "/apis/apps/v1", "/openapi/v3/apis/apps/v1"])
def test_other_paths_are_no_resources(path: str) -> None:
    assert resource_path(path) is None
