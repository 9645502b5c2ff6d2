from __future__ import annotations

from tests.cli.resources import DEPLOYMENTS, NODES, PODS


def test_paths_follow_group_namespace_and_name() -> None:
    assert PODS.path("default", "a", "log") == "/api/v1/namespaces/default/pods/a/log"
    assert DEPLOYMENTS.path("") == "/apis/apps/v1/deployments"
    assert NODES.path("default", "n") == "/api/v1/nodes/n"


def test_a_title_names_the_group() -> None:
    assert (PODS.title("a"), DEPLOYMENTS.title("b")) == ("pod/a", "deployment.apps/b")
