"""StatefulSet: for each ordinal from ``start`` one pod of a stable name, with claims of its own.

Pods are created upwards and removed downwards, one after the other unless the policy is Parallel; an update
replaces them from the highest ordinal down to the partition. A claim outlives its pod unless the retention policy says
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import CONTROLLERREVISIONS, PERSISTENTVOLUMECLAIMS, PODS, STATEFULSETS
from orchestrator.client.protocol import Request, Response, Want
from orchestrator.client.requests import create, delete, patch, update_status
from orchestrator.client.view import View
from orchestrator.controllers.belonging import belonging_keys, still_there
from orchestrator.controllers.claim import Claim, adopt_request, claim, release_request
from orchestrator.controllers.controller import (
    Controller,
    Watched,
    controller_reference,
    own_keys,
    owner_keys,
    refusals,
)
from orchestrator.controllers.controller_history import HASH_LABEL, template_of
from orchestrator.controllers.outcome import DONE, Outcome, requeue_after, retry
from orchestrator.controllers.pods import ORPHANS, orphans, pod
from orchestrator.controllers.revision_keeper import Kept, keep, truncate
from orchestrator.controllers.statefulset_plan import Plan, Situation, by_ordinal, plan
from orchestrator.controllers.statefulset_pod import (
    claim_name,
    claim_references,
    claim_templates,
    facts,
    make_claim,
    make_pod,
    ordinal,
    set_selector,
)
from orchestrator.controllers.statefulset_status import status_of

OWNED_CLAIM_KINDS = frozenset(("StatefulSet", "Pod"))


class StatefulSets(Controller, kind=STATEFULSETS):
    """Drives the pods of each ordinal."""

    workers: ClassVar[int] = 16

    def watches(self) -> list[Watched]:
        return [
            Watched(STATEFULSETS, own_keys),
            Watched(
                PODS, belonging_keys(STATEFULSETS, lambda: self.cache(STATEFULSETS), set_selector), {ORPHANS: orphans}
            ),
            Watched(CONTROLLERREVISIONS, owner_keys(STATEFULSETS), {ORPHANS: orphans}),
            Watched(PERSISTENTVOLUMECLAIMS, self._claim_keys),
        ]

    def _claim_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        """A claim that vanishes may be one that a set waits to replace."""
        if new is not None or old is None:
            return ()
        owners = self.cache(STATEFULSETS).list(old.namespace)
        return [owner.key for owner in owners if any(_is_claim_of(owner, old.name))]

    async def reconcile(self, key: str) -> Outcome:
        owner = self.cache(STATEFULSETS).get_key(key)
        if owner is None:
            return DONE
        wanted = owner.facts(facts)
        claimed = self._claimed(owner)
        if claimed.adopt and not await still_there(self.client, STATEFULSETS, owner):
            return retry(f"{key} is being deleted: nothing is adopted")
        kept = await keep(self, key, owner, wanted.selector)
        update = kept.history.name
        current = owner.status.get("currentRevision") or update
        if kept.object(current) is None:
            current = update
        mine = [*claimed.mine, *claimed.adopt]
        situation = Situation(wanted, by_ordinal(owner.name, mine), current, update, self.now())
        planned = Plan() if owner.deleting else plan(situation)
        await self._claims(key, owner, situation)
        failure = await self._perform_plan(key, owner, planned, claimed, kept, situation)
        await truncate(self, key, owner, kept, [current, *(view.labels.get(HASH_LABEL, "") for view in mine)])
        return await self._report(key, owner, planned, failure, situation, kept.collisions)

    def _claimed(self, owner: View) -> Claim:
        """Only pods of the set's own names are adopted."""
        pods = self.cache(PODS)
        orphaned = [
            view for view in pods.by_index(ORPHANS, owner.namespace) if ordinal(owner.name, view.name) is not None
        ]
        return claim(owner, owner.facts(facts).selector, pods.by_owner(owner.uid), orphaned)

    # -- pods -----------------------------------------------------------------------------------------------------

    async def _perform_plan(
        self, key: str, owner: View, planned: Plan, claimed: Claim, kept: Kept, situation: Situation
    ) -> str:
        """Do what is planned. Returns why the first create or delete was refused, or nothing."""
        reference = controller_reference(owner)
        makes = [self._pod(owner, kept, situation, number, reference) for number in planned.create]
        stale = self._stale_claim(owner, planned.create)
        if stale:
            return stale
        if makes and (failure := await self._make_claims(key, owner, planned.create)):
            return failure
        writes = [create(PODS, made, owner.namespace, want=Want.REVISION) for made in makes]
        writes += [delete(PODS, view.name, view.namespace, uid=view.uid) for view in planned.delete]
        writes += [adopt_request(PODS, view, reference) for view in claimed.adopt]
        writes += [release_request(PODS, view, owner.uid) for view in claimed.release]
        if not writes:
            return ""
        responses = await self.write(key, PODS, writes)
        names = [made["metadata"]["name"] for made in makes]
        return self._tell(owner, names, planned.delete, responses)

    def _pod(self, owner: View, kept: Kept, situation: Situation, number: int, reference: Object) -> Object:
        revision = situation.revision_for(number)
        template = owner.spec.get("template") or {}
        if revision != situation.update:
            template = template_of(kept.object(revision)) or template
        return make_pod(owner, template, revision, number, reference)

    def _tell(self, owner: View, created: list[str], deleted: list[View], responses: list[Response]) -> str:
        """Say in events what was done; the first refusal that matters is returned."""
        first = ""
        refused = {position: (reason, message) for position, reason, message in refusals(responses)}
        steps = [("create", "Create", name) for name in created]
        for view in deleted:
            if pod(view).finished:
                text = f"StatefulSet {owner.key} is recreating failed Pod {view.name}"
                self.event(STATEFULSETS, owner, "RecreatingFailedPod", text, warning=True)
            steps.append(("delete", "Delete", view.name))
        for position, (verb, noun, name) in enumerate(steps):
            reason, message = refused.get(position, ("", ""))
            text = f"{verb} Pod {name} in StatefulSet {owner.name} "
            if not reason:
                self.event(STATEFULSETS, owner, f"Successful{noun}", text + "successful")
            elif (verb, reason) not in (("create", "AlreadyExists"), ("delete", "NotFound")):
                first = first or message
                self.event(STATEFULSETS, owner, f"Failed{noun}", f"{text}failed error: {message}", warning=True)
            elif verb == "create":
                first = first or message
        return first

    # -- claims ---------------------------------------------------------------------------------------------------

    def _stale_claim(self, owner: View, numbers: list[int]) -> str:
        """A claim that is being deleted must be gone before a pod may use its name."""
        for template in claim_templates(owner):
            for number in numbers:
                held = self.cache(PERSISTENTVOLUMECLAIMS).get(owner.namespace, claim_name(template, owner.name, number))
                if held is not None and held.deleting:
                    return f"claim {held.name} is being deleted"
        return ""

    async def _make_claims(self, key: str, owner: View, numbers: list[int]) -> str:
        wanted = owner.facts(facts)
        references = claim_references(wanted, owner, None, condemned=False)
        cache = self.cache(PERSISTENTVOLUMECLAIMS)
        missing = [
            make_claim(owner, template, number, references)
            for number in numbers
            for template in claim_templates(owner)
            if cache.get(owner.namespace, claim_name(template, owner.name, number)) is None
        ]
        if not missing:
            return ""
        writes = [create(PERSISTENTVOLUMECLAIMS, made, owner.namespace, want=Want.REVISION) for made in missing]
        responses = await self.write(key, PERSISTENTVOLUMECLAIMS, writes)
        refused = {position: message for position, reason, message in refusals(responses) if reason != "AlreadyExists"}
        for position, made in enumerate(missing):
            name, failed = made["metadata"]["name"], refused.get(position)
            text = f"create Claim {name} for StatefulSet {owner.name} " + (f"failed: {failed}" if failed else "success")
            reason = "FailedCreate" if failed else "SuccessfulCreate"
            self.event(STATEFULSETS, owner, reason, text, warning=bool(failed))
        return next(iter(refused.values()), "")

    async def _claims(self, key: str, owner: View, situation: Situation) -> None:
        """Let each claim go with whom the retention policy says."""
        writes: list[Request] = []
        for number, view in situation.pods.items():
            condemned = number not in situation.wanted.ordinals
            references = claim_references(situation.wanted, owner, view, condemned=condemned)
            for template in claim_templates(owner):
                held = self.cache(PERSISTENTVOLUMECLAIMS).get(owner.namespace, claim_name(template, owner.name, number))
                if held is not None:
                    writes += _own_claim(held, references)
        if writes:
            await self.write(key, PERSISTENTVOLUMECLAIMS, writes)

    # -- status ---------------------------------------------------------------------------------------------------

    async def _report(
        self, key: str, owner: View, planned: Plan, failure: str, situation: Situation, collisions: int
    ) -> Outcome:
        status = status_of(owner, situation, Plan() if failure else planned, collisions)
        if status != owner.status:
            refused = refusals(await self.write(key, STATEFULSETS, [update_status(STATEFULSETS, owner, status)]))
            if refused and refused[0][1] != "NotFound":
                return retry(refused[0][2])
        if failure:
            return retry(failure)
        return requeue_after(planned.again_seconds) if planned.again_seconds is not None else DONE


def _is_claim_of(owner: View, name: str) -> Iterable[bool]:
    for template in claim_templates(owner):
        yield ordinal(f"{template['metadata']['name']}-{owner.name}", name) is not None


def _own_claim(held: View, references: list[Object]) -> list[Request]:
    """The write that gives a claim these owners in place of others of the controller's making."""
    stated = held.metadata.get("ownerReferences") or []
    others = [one for one in stated if one.get("kind") not in OWNED_CLAIM_KINDS]
    plain = [{name: one.get(name) for name in ("apiVersion", "kind", "name", "uid")} for one in stated]
    if [one for one in plain if one["kind"] in OWNED_CLAIM_KINDS] == references:
        return []
    metadata = {
        "uid": held.uid,
        "resourceVersion": str(held.revision),
        "ownerReferences": [*others, *references] or None,
    }
    change = {"metadata": metadata}
    return [patch(PERSISTENTVOLUMECLAIMS, held.name, held.namespace, change, want=Want.REVISION)]
