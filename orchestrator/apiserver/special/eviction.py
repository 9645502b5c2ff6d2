"""``pods/eviction``: a delete that asks the pod's disruption budgets first."""

from __future__ import annotations

import msgspec

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object, decode_part, encode_part
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apimachinery.selectors import from_label_selector
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.cause import cause_of
from orchestrator.apiserver.keys import list_prefix
from orchestrator.apiserver.objects import typed_body
from orchestrator.apiserver.special.binding import CREATED
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.delete import check_preconditions, prepare_delete, with_body
from orchestrator.apiserver.write import Pending, Write
from orchestrator.client.protocol import Options, Response, Verb
from orchestrator.store.protocol import Change, Outcome, Value

MAX_ATTEMPTS = 8
MAX_DISRUPTED = 2000
"""Pods that a budget remembers as on their way out; more and it says no until its controller caught up."""

TARGET: Object = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
"""Why an evicted pod ends."""


async def evict(env: Environment, call: Call) -> Response:
    """201 when the pod goes, 429 with the cause DisruptionBudget when a budget says no."""
    body = typed_body(env, call, ("policy", "v1", "Eviction"))
    named = (body.get("metadata") or {}).get("name") or call.name
    if named != call.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    options = with_body(call.options, body.get("deleteOptions") or {})
    value = (await env.storage.get([call.key])).values[0]
    if value is None:
        raise call.not_found()
    pod = encoded_of(value).decode()
    check_preconditions(call, options, pod)
    if not _free_to_go(pod):
        await _ask_budgets(env, call, pod, options)
    request = msgspec.structs.replace(
        call.request,
        verb=Verb.DELETE,
        target=msgspec.structs.replace(call.request.target, subresource=""),
        options=options,
        body=b"",
    )
    deletion = Call(call.identity, request, call.resource, call.now)
    response = (await env.writer.write([Pending(deletion, prepare_eviction, call.key, 0)], single=True))[0]
    return response if response.code >= 400 else answer(CREATED, 201)


def prepare_eviction(env: Environment, call: Call, current: Value | None) -> Write:
    """A delete; the pod that waits for its grace says in its conditions why it goes."""
    write = prepare_delete(env, call, current)
    change, encoded = write.change, write.encoded
    if change is None or change.parts is None or encoded is None:
        return write
    status = decode_part(encoded.status)
    others = [one for one in status.get("conditions") or () if one.get("type") != TARGET["type"]]
    times = {"lastProbeTime": None, "lastTransitionTime": rfc3339(call.now)}
    part = encode_part(status | {"conditions": [*others, TARGET | times]})
    write.encoded = Encoded(encoded.metadata, part, encoded.rest, encoded.revision)
    write.change = msgspec.structs.replace(change, parts=(change.parts[0], part, change.parts[2]))
    return write


def _free_to_go(pod: Object) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


async def _ask_budgets(env: Environment, call: Call, pod: Object, options: Options) -> None:
    for _ in range(MAX_ATTEMPTS):
        budget = await _budget_of(env, call, pod)
        if budget is None or await _take_one(env, call, pod, budget, options.dry_run):
            return
    raise errors.too_many_requests("the disruption budget changes too often to be asked", 1)


async def _budget_of(env: Environment, call: Call, pod: Object) -> Value | None:
    reply = await env.storage.range(list_prefix("policy", "poddisruptionbudgets", call.namespace))
    labels = pod["metadata"].get("labels") or {}
    found = [value for value in reply.values if _selects(value, labels)]
    if len(found) > 1:
        raise errors.status(
            500,
            "InternalError",
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        )
    return found[0] if found else None


def _selects(value: Value, labels: dict[str, str]) -> bool:
    selector = encoded_of(value).decode_rest()["spec"].get("selector")
    return selector is not None and from_label_selector(selector).matches(labels)


async def _take_one(env: Environment, call: Call, pod: Object, value: Value, dry_run: bool) -> bool:
    """Count the pod against the budget. False: the budget changed meanwhile."""
    budget = encoded_of(value).decode()
    status = budget.get("status") or {}
    if not _ready(pod) and _lets_unready_go(budget):
        return True
    _check(budget, status)
    name = budget["metadata"]["name"]
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        needed, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _refused(f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently")
    disrupted = (status.get("disruptedPods") or {}) | {call.name: rfc3339(call.now)}
    changed = status | {"disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    changed["conditions"] = _conditions(status, budget, allowed - 1, rfc3339(call.now))
    if dry_run:
        return True
    why = cause_of(env.context.cause, call.identity.user)
    change = Change(value.key, (None, encode_part(changed), None), value.mod_revision, cause=why)
    return (await env.storage.commit([change]))[0].outcome == Outcome.DONE


def _conditions(status: Object, budget: Object, allowed: int, now: str) -> list[Object]:
    """``DisruptionAllowed`` as it is once this pod has gone."""
    kind = "DisruptionAllowed"
    held: Object = next((one for one in status.get("conditions") or () if one.get("type") == kind), {})
    state = "True" if allowed > 0 else "False"
    since = held.get("lastTransitionTime") if held.get("status") == state else now
    made: Object = {
        "type": kind,
        "status": state,
        "observedGeneration": budget["metadata"].get("generation", 0),
        "lastTransitionTime": since,
        "reason": "SufficientPods" if allowed > 0 else "InsufficientPods",
        "message": "",
    }
    return [*(one for one in status.get("conditions") or () if one.get("type") != kind), made]


def _check(budget: Object, status: Object) -> None:
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", seconds=10)
    if len(status.get("disruptedPods") or {}) > MAX_DISRUPTED:
        raise _refused("DisruptedPods map too big - too many evictions not confirmed by PDB controller")


def _refused(text: str, seconds: int = 0) -> errors.StatusError:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    details: Object = {"causes": [{"reason": "DisruptionBudget", "message": text}], "retryAfterSeconds": seconds}
    return errors.status(429, "TooManyRequests", message, details)


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _lets_unready_go(budget: Object) -> bool:
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    healthy, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    return bool(healthy >= desired > 0)
