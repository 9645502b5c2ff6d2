"""``namespaces/finalize``: the only way to change ``spec.finalizers``; the last one gone removes the namespace."""

from __future__ import annotations

from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.objects import decode_object, revision_in
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.update import check_preconditions, finish_update
from orchestrator.apiserver.write import Write
from orchestrator.store.protocol import Value


def prepare_finalize(env: Environment, call: Call, current: Value | None) -> Write:
    if current is None:
        raise call.not_found()
    asked = decode_object(env, call, call.body())
    old = encoded_of(current).decode()
    expect = revision_in(asked["metadata"], call)
    check_preconditions(call, asked, old, current, expect)
    spec = dict(old.get("spec") or {})
    finalizers = (asked.get("spec") or {}).get("finalizers") or []
    if finalizers:
        spec["finalizers"] = finalizers
    else:
        spec.pop("finalizers", None)
    return finish_update(call, old | {"spec": spec}, old, current, expect)
