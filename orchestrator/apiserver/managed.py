"""Who owns which field: ``metadata.managedFields`` at every write."""

from __future__ import annotations

from orchestrator.apimachinery import apply as server_side
from orchestrator.apimachinery.apply import RESET_MAIN, RESET_STATUS
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field_sets import FieldSet
from orchestrator.apiserver.call import Call, Environment


def own_by_update(env: Environment, call: Call, live: Object | None, new: Object) -> None:
    """The caller's manager owns what it changed."""
    entries = server_side.update_managed(
        live,
        new,
        env.schema.type(call.resource.group, call.resource.version, call.resource.kind),
        call.manager,
        version=call.resource.api_version,
        now=call.now,
        subresource=call.subresource,
        reset=_reset(call),
    )
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
        env.schema.type(resource.group, resource.version, resource.kind),
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
