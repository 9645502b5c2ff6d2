from __future__ import annotations

from orchestrator.cli.verb.top import node_rows, pod_rows

POD = {
    "metadata": {"name": "a", "namespace": "shop"},
    "containers": [
        {"name": "x", "usage": {"cpu": "250m", "memory": "64Mi"}},
        {"name": "y", "usage": {"cpu": "1500000n", "memory": "1048576"}},
    ],
}
SMALL = {
    "metadata": {"name": "b", "namespace": "shop"},
    "containers": [{"name": "x", "usage": {"cpu": "1m", "memory": "1Gi"}}],
}


def test_a_pod_is_the_sum_of_its_containers() -> None:
    assert pod_rows([POD], "", namespaces=True, containers=False)[1] == ["shop", "a", "252m", "65Mi"]


def test_containers_are_shown_one_by_one_on_demand() -> None:
    assert pod_rows([POD], "", namespaces=False, containers=True)[1:] == [
        ["a", "x", "250m", "64Mi"],
        ["a", "y", "2m", "1Mi"],
    ]


def test_the_largest_comes_first_when_sorted() -> None:
    rows = pod_rows([POD, SMALL], "memory", namespaces=False, containers=False)
    assert [row[0] for row in rows[1:]] == ["b", "a"]


def test_a_node_is_shown_with_its_share() -> None:
    entry = {"metadata": {"name": "n"}, "usage": {"cpu": "500m", "memory": "1Gi"}}
    node = {"status": {"allocatable": {"cpu": "2", "memory": "4Gi"}}}
    assert node_rows([entry], {"n": node}, "")[1] == ["n", "500m", "25%", "1024Mi", "25%"]
