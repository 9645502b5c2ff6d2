"""Reviews: questions about who somebody is and what they may, answered and never stored."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.authn import Unauthenticated, token_identity
from orchestrator.apiserver.call import Call, Environment, answer
from orchestrator.apiserver.chain import allowed
from orchestrator.apiserver.managed import own_by_update
from orchestrator.apiserver.objects import typed_body
from orchestrator.apiserver.rbac import Attributes
from orchestrator.client.protocol import Identity, Response

AUTHORIZATION = "authorization.k8s.io/v1"
AUTHENTICATION = "authentication.k8s.io/v1"


async def review(env: Environment, call: Call) -> Response:
    resource = call.resource
    body = typed_body(env, call, (resource.group, resource.version, resource.kind))
    owned = {"metadata": body.get("metadata") or {}, "spec": body.get("spec") or {}}
    own_by_update(env, call, None, owned)
    status = await REVIEWS[call.resource.kind](env, call, body.get("spec") or {})
    answered: Object = {
        "kind": call.resource.kind,
        "apiVersion": call.resource.api_version,
        "metadata": owned["metadata"] | {"creationTimestamp": rfc3339(call.now)},
        "spec": body.get("spec") or {},
        "status": status,
    }
    if call.resource.kind == "SelfSubjectReview":
        del answered["spec"]
    else:
        answered["metadata"].pop("creationTimestamp")
    return answer(answered, 201, call.warnings)


async def subject_access(env: Environment, call: Call, spec: Object) -> Object:
    groups = tuple(spec.get("groups") or ())
    if not spec.get("user") and not groups:
        raise _invalid(call, 'spec.user: Invalid value: "": at least one of user or group must be specified')
    if call.namespace and (spec.get("resourceAttributes") or {}).get("namespace") != call.namespace:
        raise errors.bad_request(f"spec.resourceAttributes.namespace must match namespace: {call.namespace}")
    who = Identity(spec.get("user", ""), groups, spec.get("uid", ""), spec.get("extra") or {})
    return _decide(env, call, who, spec)


async def self_access(env: Environment, call: Call, spec: Object) -> Object:
    return _decide(env, call, call.identity, spec)


def _decide(env: Environment, call: Call, who: Identity, spec: Object) -> Object:
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        raise _invalid(
            call,
            "spec: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )
    reason = allowed(env, who, _attributes(spec))
    if reason is None:
        return {"allowed": False}
    return {"allowed": True, "reason": reason} if reason else {"allowed": True}


def _attributes(spec: Object) -> Attributes:
    path = spec.get("nonResourceAttributes")
    if path:
        return Attributes(path.get("verb", ""), path=path.get("path", ""))
    asked = spec["resourceAttributes"]
    return Attributes(
        asked.get("verb", ""),
        asked.get("group", ""),
        asked.get("version", ""),
        asked.get("resource", ""),
        asked.get("subresource", ""),
        asked.get("namespace", ""),
        asked.get("name", ""),
    )


def _invalid(call: Call, text: str) -> errors.StatusError:
    field, _, message = text.partition(": ")
    details = {
        "group": call.resource.group,
        "causes": [{"reason": "FieldValueInvalid", "message": message, "field": field}],
    }
    return errors.status(422, "Invalid", f'.{call.resource.group} "" is invalid: {text}', details)


async def self_rules(env: Environment, call: Call, spec: Object) -> Object:
    if not spec.get("namespace"):
        raise errors.bad_request("no namespace on request")
    resource: list[Object] = []
    path: list[Object] = []
    for rule in env.rbac.rules_of(call.identity, spec["namespace"]):
        if rule.paths:
            path.append({"verbs": sorted(rule.verbs), "nonResourceURLs": list(rule.paths)})
        else:
            one: Object = {
                "verbs": sorted(rule.verbs),
                "apiGroups": sorted(rule.groups),
                "resources": sorted(rule.resources),
            }
            resource.append(one | ({"resourceNames": sorted(rule.names)} if rule.names else {}))
    return {"resourceRules": resource, "nonResourceRules": path, "incomplete": False}


async def self_subject(env: Environment, call: Call, spec: Object) -> Object:
    return {"userInfo": user_info(call.identity)}


def user_info(who: Identity) -> Object:
    info: Object = {"username": who.user}
    if who.uid:
        info["uid"] = who.uid
    if who.groups:
        info["groups"] = list(who.groups)
    if who.extra:
        info["extra"] = who.extra
    return info


async def token(env: Environment, call: Call, spec: Object) -> Object:
    text = spec.get("token") or ""
    if not text:
        raise errors.bad_request("token is required for TokenReview in authentication")
    wanted = tuple(spec.get("audiences") or env.config.audiences)
    try:
        who, audiences = await token_identity(env, text, wanted)
    except Unauthenticated as why:
        return {"error": str(why), "user": {}}
    return {"authenticated": True, "user": user_info(who), "audiences": list(audiences)}


REVIEWS = {
    "SubjectAccessReview": subject_access,
    "LocalSubjectAccessReview": subject_access,
    "SelfSubjectAccessReview": self_access,
    "SelfSubjectRulesReview": self_rules,
    "SelfSubjectReview": self_subject,
    "TokenReview": token,
}
