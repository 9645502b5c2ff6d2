"""``serviceaccounts/token``: a TokenRequest is answered with a token bound to a pod, a secret or a node."""

from __future__ import annotations

import dataclasses

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import Path, invalid
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.managed import own_by_update
from orchestrator.apiserver.objects import typed_body
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.tokens import Claims
from orchestrator.client.protocol import Response

DEFAULT_SECONDS = 3600
MIN_SECONDS = 600
MAX_SECONDS = 2**32
KINDS = {"Pod": ("", "pods"), "Secret": ("", "secrets"), "Node": ("", "nodes")}


async def issue_token(env: Environment, call: Call) -> Response:
    if env.tokens is None:
        raise errors.service_unavailable("this server has no key to sign tokens with")
    body = typed_body(env, call, ("authentication.k8s.io", "v1", "TokenRequest"))
    spec = body.get("spec") or {}
    seconds = spec.get("expirationSeconds") or DEFAULT_SECONDS
    _check(call, seconds)
    account = (await env.storage.get([call.key])).values[0]
    if account is None:
        raise call.not_found()
    metadata = encoded_of(account).decode_metadata()
    audiences = tuple(spec.get("audiences") or env.config.audiences)
    claims = Claims(call.namespace, call.name, metadata["uid"], audiences=audiences, id=env.uid())
    reference = spec.get("boundObjectRef")
    if reference:
        claims = await _bound(env, call, claims, reference)
    owned: Object = {"metadata": {}, "spec": {"expirationSeconds": seconds} | spec}
    form = dataclasses.replace(call.resource, group="authentication.k8s.io", version="v1", kind="TokenRequest")
    own_by_update(env, call.about(call.resource, call.request, form), None, owned)
    expires = call.now + seconds
    token = env.tokens.sign(claims, call.now, expires)
    request: Object = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": owned["metadata"]
        | {
            "name": call.name,
            "namespace": call.namespace,
            "uid": env.uid(),
            "creationTimestamp": rfc3339(call.now),
        },
        "spec": {"boundObjectRef": None} | spec | {"audiences": list(audiences), "expirationSeconds": seconds},
        "status": {"token": token, "expirationTimestamp": rfc3339(expires)},
    }
    return answer(request, 201)


def _check(call: Call, seconds: int) -> None:
    path = Path("spec").child("expirationSeconds")
    wrong = []
    if seconds < MIN_SECONDS:
        wrong.append(invalid(path, seconds, "may not specify a duration less than 10 minutes"))
    if seconds > MAX_SECONDS:
        wrong.append(invalid(path, seconds, "may not specify a duration larger than 2^32 seconds"))
    if wrong:
        raise errors.invalid("authentication.k8s.io", "TokenRequest", "", wrong)


async def _bound(env: Environment, call: Call, claims: Claims, reference: Object) -> Claims:
    """The claims with the referenced object in them, which must exist and be the one that is meant."""
    kind, name, uid = reference.get("kind", ""), reference.get("name", ""), reference.get("uid", "")
    if kind not in KINDS:
        version = reference.get("apiVersion", "")
        version = version if "/" in version else f"/{version}"
        raise errors.bad_request(f"cannot bind token to object of type {version}, Kind={kind}")
    group, plural = KINDS[kind]
    namespace = "" if kind == "Node" else call.namespace
    value = (await env.storage.get([object_key(group, plural, namespace, name)])).values[0]
    if value is None:
        raise errors.not_found(group, plural, name)
    found = encoded_of(value)
    stands = found.decode_metadata()["uid"]
    if uid and uid != stands:
        why = (
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise errors.conflict(group, plural, name, why)
    changes = {kind.lower(): name, f"{kind.lower()}_uid": stands}
    if kind == "Pod":
        spec = found.decode_rest()["spec"]
        if spec.get("serviceAccountName") != call.name:
            why = (
                f'cannot bind token for serviceaccount "{call.name}" to pod running with different serviceaccount name.'
            )
            raise errors.bad_request(why)
        if node := spec.get("nodeName"):
            changes |= {"node": node}
    return Claims(**({field: getattr(claims, field) for field in Claims.__slots__} | changes))
