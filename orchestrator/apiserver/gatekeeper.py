"""Answers the door's questions: authentication, impersonation, non-resource paths."""

from __future__ import annotations

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.authn import ANONYMOUS, Unauthenticated, groups_of_user, token_identity
from orchestrator.apiserver.call import Environment
from orchestrator.apiserver.chain import allowed, denied
from orchestrator.apiserver.door_messages import Authenticate, Authenticated, Authorize
from orchestrator.apiserver.rbac import Attributes
from orchestrator.client.protocol import Identity


async def authenticate(env: Environment, message: Authenticate) -> Authenticated:
    who = await _caller(env, message)
    if who is None or not message.as_user:
        return Authenticated(who)
    refusal = _impersonation(env, who, message)
    if refusal is not None:
        return Authenticated(None, refusal.status)
    groups = groups_of_user(message.as_user, message.as_groups)
    return Authenticated(Identity(message.as_user, groups, message.as_uid, message.as_extra))


async def _caller(env: Environment, message: Authenticate) -> Identity | None:
    if message.certificate is not None:
        return message.certificate
    if message.token:
        try:
            return (await token_identity(env, message.token, env.config.audiences))[0]
        except Unauthenticated:
            return None
    return ANONYMOUS if env.config.anonymous else None


def _impersonation(env: Environment, who: Identity, message: Authenticate) -> errors.StatusError | None:
    """Each of what they want to be must be granted: the user, every group, uid and extra."""
    for asked in _asked(message):
        if allowed(env, who, asked) is None:
            return denied(who, asked)
    return None


def _asked(message: Authenticate) -> list[Attributes]:
    user = message.as_user
    if user.startswith("system:serviceaccount:") and user.count(":") == 3:
        _, _, namespace, name = user.split(":")
        asked = [Attributes("impersonate", "", "v1", "serviceaccounts", "", namespace, name)]
    else:
        asked = [Attributes("impersonate", "", "v1", "users", name=user)]
    asked.extend(Attributes("impersonate", "", "v1", "groups", name=group) for group in message.as_groups)
    group = "authentication.k8s.io"
    for key, values in message.as_extra.items():
        asked.extend(Attributes("impersonate", group, "v1", "userextras", key, name=value) for value in values)
    if message.as_uid:
        asked.append(Attributes("impersonate", group, "v1", "uids", name=message.as_uid))
    return asked


def authorize_path(env: Environment, message: Authorize) -> Object | None:
    """The Status of a refusal, None when they may."""
    asked = Attributes(message.verb, path=message.path)
    if allowed(env, message.identity, asked) is not None:
        return None
    return denied(message.identity, asked).status
