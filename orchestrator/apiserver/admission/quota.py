"""ResourceQuota: what a batch of writes adds is charged to the quotas of its namespaces before it is committed.

All the writes of one namespace are charged with one conditional update of each quota's status, so two requests cannot
both take the last place. What a failed write was charged the quota controller gives back when it recounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object, encode_part
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apiserver.admission.usage import Usage, matches_scopes, usage_of
from orchestrator.apiserver.call import Environment, failure
from orchestrator.apiserver.cause import cause_of
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.write import Pending
from orchestrator.store.protocol import Change, Outcome

MAX_CHARGES = 8
"""Attempts to write a quota's status before the request is told to come again."""


async def charge_quotas(env: Environment, pending: Sequence[Pending]) -> None:
    """Answers with Forbidden the writes that would go over a quota; charges the others."""
    if "ResourceQuota" not in env.config.admission or not any(True for _ in env.mirror.items("", "resourcequotas")):
        return
    by_namespace: dict[str, list[Pending]] = defaultdict(list)
    for one in pending:
        if one.write is not None and one.write.charge is not None and one.write.change is not None:
            by_namespace[one.call.namespace].append(one)
    for namespace, writes in by_namespace.items():
        if namespace and any(True for _ in env.mirror.items("", "resourcequotas", namespace)):
            await _charge_namespace(env, namespace, writes)


async def _charge_namespace(env: Environment, namespace: str, writes: list[Pending]) -> None:
    for _ in range(MAX_CHARGES):
        changes, refused = _plan(env, namespace, writes)
        for one, error in refused:
            assert one.write is not None
            if one.write.undo is not None:
                one.write.undo()
            one.write, one.response = None, failure(error)
        writes = [one for one in writes if one.write is not None]
        if not changes or await _commit(env, changes):
            return
    for one in writes:
        error = errors.conflict("", "resourcequotas", "", "the quota changes too often to be charged")
        one.write, one.response = None, failure(error)


def _plan(
    env: Environment, namespace: str, writes: list[Pending]
) -> tuple[dict[str, tuple[Object, Object]], list[tuple[Pending, errors.StatusError]]]:
    """The new statuses by key, and who is refused."""
    quotas = list(env.mirror.items("", "resourcequotas", namespace))
    used = [_used(quota) for quota in quotas]
    touched: set[int] = set()
    refused: list[tuple[Pending, errors.StatusError]] = []
    for one in writes:
        assert one.write is not None
        assert one.write.charge is not None
        added = usage_of(one.call.resource, one.write.charge)
        if one.write.credit is not None:
            added = _minus(added, usage_of(one.call.resource, one.write.credit))
        error = None
        for position, quota in enumerate(quotas):
            if matches_scopes(quota, one.write.charge):
                error = error or _exceeds(one, quota, used[position], added)
        if error is not None:
            refused.append((one, error))
            continue
        for position, quota in enumerate(quotas):
            if matches_scopes(quota, one.write.charge) and not one.call.options.dry_run and _add(used[position], added):
                touched.add(position)
    changes = {}
    for position in touched:
        quota = quotas[position]
        key = object_key("", "resourcequotas", namespace, quota["metadata"]["name"])
        status = (quota.get("status") or {}) | {"hard": _hard(quota)}
        status["used"] = {name: str(value) for name, value in used[position].items()}
        changes[key] = (quota, status)
    return changes, refused


def _hard(quota: Object) -> Object:
    hard: Object = (quota.get("spec") or {}).get("hard") or {}
    return hard


def _used(quota: Object) -> Usage:
    known = (quota.get("status") or {}).get("used") or {}
    return {name: Quantity.parse(known.get(name, "0")) for name in _hard(quota)}


def _minus(added: Usage, credit: Usage) -> Usage:
    zero = Quantity.of(0)
    left = {name: value - credit.get(name, zero) for name, value in added.items()}
    return {name: value for name, value in left.items() if value > zero}


def _add(used: Usage, added: Usage) -> bool:
    touched = False
    for name, value in added.items():
        if name in used and value:
            used[name] = used[name] + value
            touched = True
    return touched


def _exceeds(one: Pending, quota: Object, used: Usage, added: Usage) -> errors.StatusError | None:
    assert one.write is not None
    assert one.write.charge is not None
    name, hard = one.write.key.rpartition("/")[2], _hard(quota)
    given = usage_of(one.call.resource, one.write.charge)
    missing = sorted(item for item in hard if item not in given and _must_be_given(one, item))
    if missing:
        return one.call.forbidden(
            f"failed quota: {quota['metadata']['name']}: must specify {_each(missing, one)}", name
        )
    over = sorted(
        item
        for item, value in added.items()
        if item in used and value and used[item] + value > Quantity.parse(hard[item])
    )
    if not over:
        return None
    asked = ",".join(f"{item}={added[item]}" for item in over)
    taken = ",".join(f"{item}={used[item]}" for item in over)
    limit = ",".join(f"{item}={Quantity.parse(hard[item])}" for item in over)
    why = f"exceeded quota: {quota['metadata']['name']}, requested: {asked}, used: {taken}, limited: {limit}"
    return one.call.forbidden(why, name)


def _must_be_given(one: Pending, item: str) -> bool:
    return one.call.resource.kind == "Pod" and item in (
        "cpu",
        "memory",
        "requests.cpu",
        "requests.memory",
        "limits.cpu",
        "limits.memory",
    )


def _each(missing: list[str], one: Pending) -> str:
    assert one.write is not None
    assert one.write.charge is not None
    containers = one.write.charge["spec"].get("containers") or ()
    names = ",".join(container["name"] for container in containers)
    return "; ".join(f"{item} for: {names}" for item in missing)


async def _commit(env: Environment, changes: dict[str, tuple[Object, Object]]) -> bool:
    """Whether all quotas took their new status; those that changed meanwhile are read again."""
    why = cause_of(env.context.cause, "quota")
    batch = [
        Change(key, (None, encode_part(status), None), int(quota["metadata"]["resourceVersion"]), cause=why)
        for key, (quota, status) in changes.items()
    ]
    results = await env.storage.commit(batch)
    keys = [change.key for change in batch]
    for value in (await env.storage.get(keys)).values:
        if value is not None:
            env.mirror.put(value.key, value.parts, value.mod_revision)
    return all(result.outcome == Outcome.DONE for result in results)
