"""ClusterRole aggregation: the rules of the chosen roles, whenever one of them changes."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.controllers.role_aggregation import CLUSTERROLES, RoleAggregation
from tests.controllers.stage import Stage, stage

AGGREGATE = {"clusterRoleSelectors": [{"matchLabels": {"to": "admin"}}]}


def role(name: str, resource: str, labels: dict[str, str] | None = None) -> Object:
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": [resource]}]
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


async def resources(s: Stage) -> list[str]:
    held = await s.client.get(CLUSTERROLES, "admin")
    return [rule["resources"][0] for rule in held["rules"]]


async def test_an_aggregating_role_has_the_rules_of_all_that_it_chooses() -> None:
    async with stage() as s:
        await s.play(RoleAggregation)
        await s.client.create(CLUSTERROLES, {**role("admin", "secrets"), "aggregationRule": AGGREGATE})
        await s.client.create(CLUSTERROLES, role("b", "pods", {"to": "admin"}))
        await s.client.create(CLUSTERROLES, role("a", "nodes", {"to": "admin"}))
        await s.client.create(CLUSTERROLES, role("c", "events"))
        await s.settle()
        assert await resources(s) == ["nodes", "pods"]
        await s.client.delete(CLUSTERROLES, "a")
        await s.settle()
        assert await resources(s) == ["pods"]


async def test_a_role_whose_label_goes_takes_its_rules_along() -> None:
    async with stage() as s:
        await s.play(RoleAggregation)
        await s.client.create(CLUSTERROLES, {**role("admin", "secrets"), "aggregationRule": AGGREGATE})
        await s.client.create(CLUSTERROLES, role("b", "pods", {"to": "admin"}))
        await s.settle()
        assert await resources(s) == ["pods"]
        await s.client.patch(CLUSTERROLES, "b", "", {"metadata": {"labels": {"to": None}}})
        await s.settle()
        assert await resources(s) == []
