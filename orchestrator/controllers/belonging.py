"""Pods that a workload owns or should: whose work a change of a pod is, and the writes of adopting and letting go."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orchestrator.apimachinery.errors import StatusError
from orchestrator.client.cache import Cache, Selector
from orchestrator.client.client import Client
from orchestrator.client.kinds import Kind
from orchestrator.client.subscription import Keys, OwnerKeys
from orchestrator.client.view import View
from orchestrator.controllers.controller import owner_key


def belonging_keys(kind: Kind, owners: Callable[[], Cache], selector: Callable[[View], Selector]) -> Keys:
    """The owner of a pod before and after; for an orphan every workload of ``kind`` that selects it."""

    def keys(old: View | None, new: View | None) -> Iterable[str]:
        found = dict.fromkeys(owner_key(view, kind) for view in (new, old) if view is not None)
        if new is not None and new.owner is None and not new.deleting:
            for candidate in owners().list(new.namespace):
                if candidate.facts(selector).matches(new.labels):
                    found[candidate.key] = None
        found.pop("", None)
        return found

    return OwnerKeys(kind.kind, lambda view: owner_key(view, kind), keys)


async def still_there(client: Client, kind: Kind, owner: View) -> bool:
    """A read past the cache: one that was deleted meanwhile must not adopt."""
    try:
        live = await client.get(kind, owner.name, owner.namespace)
    except StatusError as refused:
        if refused.code == 404:
            return False
        raise
    return live["metadata"]["uid"] == owner.uid and "deletionTimestamp" not in live["metadata"]
