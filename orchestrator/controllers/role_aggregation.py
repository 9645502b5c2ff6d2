"""ClusterRole aggregation: a role with an ``aggregationRule`` has the rules of all roles that its selectors choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import Selector, from_label_selector
from orchestrator.client.kinds import Kind
from orchestrator.client.protocol import Want
from orchestrator.client.requests import patch
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, refusals
from orchestrator.controllers.outcome import DONE, Outcome, retry

CLUSTERROLES = Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)


def selectors(role: View) -> tuple[Selector, ...]:
    """Empty where the role does not aggregate."""
    stated = (role.rest.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    return tuple(from_label_selector(one) for one in stated)


def aggregated(role: View, roles: Iterable[View]) -> list[Object]:
    """Pure: the rules of the chosen roles in the order of their names, each rule once."""
    rules: list[Object] = []
    for other in sorted(roles, key=lambda view: view.name):
        if other.name != role.name and any(one.matches(other.labels) for one in role.facts(selectors)):
            rules += [rule for rule in other.rest.get("rules") or () if rule not in rules]
    return rules


class RoleAggregation(Controller, kind=CLUSTERROLES):
    """Keeps the rules of aggregating roles."""

    def watches(self) -> list[Watched]:
        return [Watched(CLUSTERROLES, self._keys)]

    def _keys(self, old: View | None, new: View | None) -> Sequence[str]:
        """Any role may be a part of those that aggregate."""
        if old is not None and new is not None and old.encoded.rest == new.encoded.rest and old.labels == new.labels:
            return ()
        return [view.key for view in self.cache(CLUSTERROLES).list() if view.facts(selectors)]

    async def reconcile(self, key: str) -> Outcome:
        role = self.cache(CLUSTERROLES).get_key(key)
        if role is None or role.deleting or not role.facts(selectors):
            return DONE
        rules = aggregated(role, self.cache(CLUSTERROLES).list())
        if rules == (role.rest.get("rules") or []):
            return DONE
        metadata = {"uid": role.uid, "resourceVersion": str(role.revision)}
        change = patch(CLUSTERROLES, role.name, "", {"metadata": metadata, "rules": rules}, want=Want.REVISION)
        refused = refusals(await self.write(key, CLUSTERROLES, [change]))
        return retry(refused[0][2]) if refused and refused[0][1] != "NotFound" else DONE
