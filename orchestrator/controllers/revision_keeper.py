"""Writes a history plan: ControllerRevisions created, renumbered, adopted, and the old ones removed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.selectors import Selector
from orchestrator.client.kinds import CONTROLLERREVISIONS
from orchestrator.client.view import View
from orchestrator.controllers import controller_history as histories
from orchestrator.controllers.claim import adopt_request, claim
from orchestrator.controllers.controller import Controller, controller_reference, refusals
from orchestrator.controllers.pods import ORPHANS

COLLISIONS_PER_LOOK = 8
"""Names tried for a new revision before the reconcile gives up until later."""


class Kept(msgspec.Struct, frozen=True):
    """The history is written: the revision of the present template and how often its name was taken."""

    history: histories.History
    collisions: int

    def object(self, name: str) -> Object | None:
        """The revision of this name."""
        made = self.history.create
        if made is not None and made["metadata"]["name"] == name:
            return made
        return next((view.rest for view in self.history.held if view.name == name), None)


async def keep(controller: Controller, key: str, owner: View, selector: Selector) -> Kept:
    """Bring the history to the owner's template; a taken name counts as a collision."""
    cache = controller.cache(CONTROLLERREVISIONS)
    claimed = claim(owner, selector, cache.by_owner(owner.uid), cache.by_index(ORPHANS, owner.namespace))
    reference = controller_reference(owner)
    collisions: int = owner.status.get("collisionCount", 0)
    if claimed.adopt:
        adopted = [adopt_request(CONTROLLERREVISIONS, view, reference) for view in claimed.adopt]
        await controller.write(key, CONTROLLERREVISIONS, adopted)
    revisions = [*claimed.mine, *claimed.adopt]
    for _ in range(COLLISIONS_PER_LOOK):
        planned = histories.history(owner, revisions, reference, collisions)
        requests = planned.requests(owner.namespace)
        if not requests:
            return Kept(planned, collisions)
        refused = refusals(await controller.write(key, CONTROLLERREVISIONS, requests))
        if not refused:
            return Kept(planned, collisions)
        _, reason, message = refused[0]
        if reason != "AlreadyExists" or planned.create is None:
            raise StatusError({"message": message, "reason": reason, "code": 500})
        live = await controller.client.get(CONTROLLERREVISIONS, planned.name, owner.namespace)
        if histories.is_ours(live, planned.create):
            return Kept(planned, collisions)
        collisions += 1
    raise StatusError({"message": f"no free name for a revision of {key}", "reason": "AlreadyExists", "code": 409})


async def truncate(controller: Controller, key: str, owner: View, kept: Kept, living: Iterable[str]) -> None:
    """Remove the oldest revisions that no pod bears, beyond the owner's ``revisionHistoryLimit``."""
    limit: int = owner.spec.get("revisionHistoryLimit", histories.DEFAULT_LIMIT)
    requests = histories.surplus(kept.history.held, [*living, kept.history.name], limit)
    if requests:
        await controller.write(key, CONTROLLERREVISIONS, requests)
