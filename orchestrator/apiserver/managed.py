"""Who owns which field: ``metadata.managedFields`` at every write."""

from __future__ import annotations

from orchestrator.apimachinery import apply as server_side
from orchestrator.apimachinery.apply import RESET_MAIN, RESET_STATUS
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field_sets import FieldSet
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.objects import type_of
from orchestrator.apiserver.versions import form_of


def own_by_update(env: Environment, call: Call, live: Object | None, new: Object) -> None:
    """The caller's manager owns what it changed."""
    resource, form = call.served or call.resource, form_of(call.served or call.resource)
    entries = server_side.update_managed(
        live if form is None or live is None else form.read(live),
        new if form is None else form.read(new),
        type_of(env, resource),
        call.manager,
        version=resource.api_version,
        now=call.now,
        subresource=call.subresource,
        reset=_reset(call),
    )
    if call.subresource == "scale":
        for entry in entries:  # Upstream keeps no time of what is written through a Scale.
            if entry.get("subresource") == "scale":
                entry.pop("time", None)
    if entries:
        new["metadata"]["managedFields"] = entries
    else:
        new["metadata"].pop("managedFields", None)


def apply_owned(env: Environment, call: Call, live: Object | None, applied: Object) -> Object:
    """The live object after the manager's configuration was applied; its managed fields are set."""
    resource = call.resource
    return server_side.apply(
        live,
        applied,
        type_of(env, resource),
        call.manager,
        force=call.options.force,
        version=resource.api_version,
        now=call.now,
        subresource=call.subresource,
        reset=_reset(call),
    )


def _reset(call: Call) -> FieldSet:
    """What this write cannot own: the status, or everything but it."""
    if call.subresource == "status":
        return RESET_STATUS
    return RESET_MAIN if "status" in call.resource.subresources else {}
