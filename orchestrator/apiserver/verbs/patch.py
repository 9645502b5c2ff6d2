"""Patch: a patch document over what stands, then the way of an update (or of a create, when it is an apply)."""

from __future__ import annotations

from typing import Any

import orjson

from orchestrator.api.check import check
from orchestrator.apimachinery import errors, json_patch, merge_patch, strategic_patch
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import Path, invalid
from orchestrator.apimachinery.json_patch import PatchError, PatchFormatError
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.goword import restored, word_of
from orchestrator.apiserver.managed import apply_owned
from orchestrator.apiserver.objects import STRICT, check_kind, report_unknown, rules_of, settle_name, type_of, unnamed
from orchestrator.apiserver.renewals import renewal_of, renewals
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.verbs.create import create_object
from orchestrator.apiserver.verbs.update import update_object
from orchestrator.apiserver.write import Write
from orchestrator.client.protocol import PatchType
from orchestrator.store.protocol import Value

NO_OBJECT = "error decoding patch: json: cannot unmarshal {} into Go value of type map[string]interface {{}}"
OF_CUSTOM = ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml")
"""Patches of custom resources: what merges with what is known of built-in kinds only."""
UNPROCESSABLE = "the server rejected our request due to an error in our request"


def prepare_patch(env: Environment, call: Call, current: Value | None) -> Write:
    """Raises NotFound for a patch of nothing, Invalid for one that does not fit what stands."""
    if call.request.patch_type is PatchType.APPLY:
        return _apply(env, call, current)
    if current is None:
        raise call.not_found()
    renewal = renewal_of(call, current)
    known = None if renewal is None else renewals.write(renewal)
    if known is not None:
        return known
    write = _patch(env, call, current)
    if renewal is not None:
        renewals.remember(renewal, write)
    return write


def _patch(env: Environment, call: Call, current: Value) -> Write:
    patched = patch_document(env, call, encoded_of(current).decode(), call.body())
    return write_patched(env, call, patched, current)


def write_patched(env: Environment, call: Call, patched: Any, current: Value) -> Write:
    """The write of a patched document, checked and defaulted like any body."""
    if not isinstance(patched, dict):
        raise unprocessable()
    obj = finished(env, call, patched, call.body())
    asked = str(obj["metadata"].get("resourceVersion") or "")
    expect = 0 if asked in ("", str(current.mod_revision)) else -1
    if expect:
        raise call.conflict()
    return update_object(env, call, obj, current, 0, patched=True)


def finished(env: Environment, call: Call, patched: Object, patch: Any) -> Object:
    """``patched`` as a body is decoded. Raises Invalid with the document, or with a strategic ``patch``, in it."""
    resource = call.resource
    check_kind(env.schema, resource.api_version, resource.kind, patched)
    strategic = call.request.patch_type is PatchType.STRATEGIC
    result = check(patched, type_of(env, resource))
    problems = [*call.request.problems, *result.unknown]
    why = ""
    if result.errors:
        why = restored(result.errors[0]) if strategic else result.errors[0]
    elif problems and call.options.field_validation == STRICT:
        why = f"strict decoding error: {', '.join(problems)}"
    if why:
        raise unfit(strategic_patch.go_text(patch) if strategic else orjson.dumps(patched).decode(), why)
    report_unknown(call, problems, "")
    obj: Object = result.obj
    obj["apiVersion"], obj["kind"] = resource.api_version, resource.kind
    obj.setdefault("metadata", {})
    rules_of(resource).default(obj)
    settle_name(call, obj["metadata"])
    return obj


def unfit(document: str, why: str) -> errors.StatusError:
    """A patch whose outcome is no object of its kind."""
    wrong = invalid(Path("patch"), document, why)
    details = {"causes": [{"reason": "FieldValueInvalid", "message": wrong.body(), "field": "patch"}]}
    return errors.status(422, "Invalid", f' "" is invalid: {wrong}', details)


def patch_document(
    env: Environment, call: Call, document: Object, patch: Any, kind: tuple[str, str, str] | None = None
) -> Any:
    """``patch`` applied to ``document`` as its media type says; ``kind``: group, version and kind of the document."""
    try:
        match call.request.patch_type:
            case PatchType.JSON:
                return json_patch.apply(document, patch)
            case PatchType.STRATEGIC:
                if call.resource.custom is not None and kind is None:
                    raise errors.unsupported_media_type(OF_CUSTOM)
                if not isinstance(patch, dict):
                    raise errors.bad_request(NO_OBJECT.format(word_of(patch)))
                return strategic_patch.apply(document, patch, env.schema.type(*(kind or kind_of(call))))
            case _:
                if not isinstance(patch, dict):
                    raise errors.bad_request(NO_OBJECT.format(word_of(patch)))
                return merge_patch.apply(document, patch)
    except PatchError as wrong:
        if isinstance(wrong, PatchFormatError) or call.request.patch_type is not PatchType.JSON:
            raise errors.bad_request(str(wrong)) from wrong
        raise unprocessable() from wrong


def kind_of(call: Call) -> tuple[str, str, str]:
    return call.resource.group, call.resource.version, call.resource.kind


def unprocessable() -> errors.StatusError:
    return errors.status(422, "Invalid", UNPROCESSABLE, {})


def _apply(env: Environment, call: Call, current: Value | None) -> Write:
    """Server-side apply; creates the object when there is none."""
    body = call.body()
    if not isinstance(body, dict):
        raise errors.bad_request("the applied configuration is no object")
    if not call.options.field_manager:
        raise errors.status(
            422,
            "Invalid",
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
            {
                "group": "meta.k8s.io",
                "kind": "PatchOptions",
                "causes": [
                    {
                        "reason": "FieldValueRequired",
                        "message": "Required value: is required for apply patch",
                        "field": "fieldManager",
                    }
                ],
            },
        )
    resource = call.resource
    check_kind(env.schema, resource.api_version, resource.kind, body)
    applied = fit(env, call, body)
    applied["apiVersion"], applied["kind"] = resource.api_version, resource.kind
    settle_name(call, dict(applied.setdefault("metadata", {})))
    if applied["metadata"].get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    if current is None:
        return _create_applied(env, call, applied)
    live = encoded_of(current).decode()
    applied["metadata"].setdefault("name", call.name)
    asked = applied["metadata"].get("resourceVersion")
    if asked and asked != str(current.mod_revision):
        raise call.conflict()
    merged = apply_owned(env, call, live, applied)
    settle_name(call, merged["metadata"])
    rules_of(resource).default(merged)
    return update_object(env, call, merged, current, 0, applied=True, patched=True)


def fit(env: Environment, call: Call, body: Object) -> Object:
    """The configuration as it is checked by types; with unknown fields as it was sent, for apply to refuse.

    Raises BadRequest for a wrong type.
    """
    result = check(body, type_of(env, call.resource))
    if result.errors:
        metadata = body.get("metadata")
        namespace = metadata.get("namespace", "") if isinstance(metadata, dict) else ""
        version = body.get("apiVersion") or call.resource.api_version
        where = f"{namespace}/{call.name}; {version if '/' in version else '/' + version}, Kind={call.resource.kind}"
        raise errors.bad_request(f"failed to create typed patch object ({where}): {result.errors[0]}")
    obj: Object = body if result.unknown else result.obj
    return obj


def _create_applied(env: Environment, call: Call, applied: Object) -> Write:
    if call.subresource:
        raise call.not_found()
    if applied["metadata"].get("uid") or applied["metadata"].get("resourceVersion"):
        raise call.conflict()
    if not applied["metadata"].get("name"):
        raise unnamed(call)
    made = apply_owned(env, call, None, applied)
    settle_name(call, made["metadata"])
    rules_of(call.resource).default(made)
    write = create_object(env, call, made, applied=True)
    write.retry = True
    return write
