"""Who asks: client certificates, service account tokens, nobody; and whom they pretend to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.apiserver.call import Environment
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.storage import encoded_of
from orchestrator.apiserver.tokens import Claims, InvalidToken
from orchestrator.client.protocol import Identity

ANONYMOUS = Identity("system:anonymous", ("system:unauthenticated",))
AUTHENTICATED = "system:authenticated"
ACCOUNTS = "system:serviceaccounts"
ACCOUNT_USER = "system:serviceaccount:"


class Unauthenticated(Exception):
    """Credentials that were shown and are not good; the message is for a TokenReview, a client just hears 401."""


def certificate_identity(subject: Mapping[str, Any]) -> Identity | None:
    """The identity of a verified peer certificate, as ``ssl.SSLObject.getpeercert`` gives it: CN and O."""
    user, groups = "", []
    for relative in subject.get("subject") or ():
        for name, value in relative:
            if name == "commonName":
                user = value
            elif name == "organizationName":
                groups.append(value)
    return Identity(user, (*groups, AUTHENTICATED)) if user else None


def account_identity(claims: Claims) -> Identity:
    groups = (ACCOUNTS, f"{ACCOUNTS}:{claims.namespace}", AUTHENTICATED)
    extra = {"authentication.kubernetes.io/credential-id": [f"JTI={claims.id}"]}
    for key, value in (("pod-name", claims.pod), ("pod-uid", claims.pod_uid), ("node-name", claims.node)):
        if value:
            extra[f"authentication.kubernetes.io/{key}"] = [value]
    return Identity(f"{ACCOUNT_USER}{claims.namespace}:{claims.account}", groups, claims.account_uid, extra)


async def token_identity(env: Environment, token: str, audiences: Sequence[str]) -> tuple[Identity, tuple[str, ...]]:
    """The identity behind a token and the audiences it is good for. Raises ``Unauthenticated``."""
    if env.tokens is None:
        raise Unauthenticated("this server reads no tokens")
    try:
        claims = env.tokens.read(token, env.clock.time())
    except InvalidToken as why:
        known = token.count(".") == 2
        raise Unauthenticated(f"[invalid bearer token, {why}]" if known else "invalid bearer token") from why
    good = tuple(audience for audience in audiences if audience in claims.audiences)
    if not good:
        raise Unauthenticated(
            f'[invalid bearer token, token audiences ["{" ".join(claims.audiences)}"] is invalid for the target '
            f'audiences ["{" ".join(audiences)}"]]'
        )
    await _check_bound(env, claims)
    return account_identity(claims), good


async def _check_bound(env: Environment, claims: Claims) -> None:
    """What the token is bound to still exists, and is the same."""
    namespace = claims.namespace
    bound = [(object_key("", "serviceaccounts", namespace, claims.account), claims.account_uid)]
    if claims.pod:
        bound.append((object_key("", "pods", namespace, claims.pod), claims.pod_uid))
    if claims.secret:
        bound.append((object_key("", "secrets", namespace, claims.secret), claims.secret_uid))
    reply = await env.storage.get([key for key, _ in bound])
    for (key, uid), value in zip(bound, reply.values, strict=True):
        if value is None or encoded_of(value).decode_metadata().get("uid") != uid:
            raise Unauthenticated(f"[invalid bearer token, service account token has been invalidated: {key} is gone]")


def groups_of_user(user: str, groups: Iterable[str]) -> tuple[str, ...]:
    """The groups of an impersonated user: service accounts have theirs when none are given."""
    given = tuple(groups)
    if user.startswith(ACCOUNT_USER) and not given:
        namespace = user.removeprefix(ACCOUNT_USER).partition(":")[0]
        given = (ACCOUNTS, f"{ACCOUNTS}:{namespace}")
    if user == ANONYMOUS.user:
        return given or ANONYMOUS.groups
    return given if AUTHENTICATED in given else (*given, AUTHENTICATED)
