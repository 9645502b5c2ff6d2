"""What every request passes before its handler: is it served, may they."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from actors import Ref
from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.schema import Resource
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.quoting import quote
from orchestrator.apiserver.bootstrap.roles import NODE, rule
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.rbac import Attributes, Rule, nameless
from orchestrator.client.protocol import Identity, Request, Target, Verb

NODE_RULES = tuple(Rule.of(rule(row)) for row in NODE)
MAX_NODE_DECISIONS = 4096
"""Remembered decisions about nodes: verbs times resources."""
NODES = "system:nodes"
NODE_USER = "system:node:"

OWNED_BY_NODES = frozenset(("nodes", "leases", "csinodes"))
"""A node writes only its own of these."""
SUBRESOURCE_VERBS = frozenset(("get", "create", "update", "patch", "delete"))


def resource_of(schema: Catalog, request: Request) -> Resource:
    """The served resource; 404 for a path that leads nowhere, 405 for a verb it does not have."""
    target = request.target
    resource = schema.resource(target.group, target.version, target.resource)
    if resource is None:
        raise errors.no_such_route()
    if target.subresource:
        below = resource.subresources.get(target.subresource)
        if below is None:
            raise errors.no_such_route()
        verbs: tuple[str, ...] = below.verbs
    else:
        verbs = resource.verbs
    if request.verb not in verbs or _is_closing(resource, request):
        if target.subresource:
            raise errors.method_not_served()
        raise errors.method_not_allowed(resource.group, resource.plural, request.verb)
    return resource


def _is_closing(resource: Resource, request: Request) -> bool:
    """A kind whose definition is being deleted takes no new objects."""
    return resource.custom is not None and resource.custom.terminating and request.verb == Verb.CREATE


def admitted(
    env: Environment, who: Identity, request: Request, subscriber: Ref[Any] | None = None, tag: str = ""
) -> Call:
    """The request as it may go on. Raises NotFound, MethodNotAllowed, Forbidden."""
    call = Call(who, request, resource_of(env.schema, request), env.clock.time(), subscriber, tag)
    authorize(env, call)
    return call


def attributes_of(verb: Verb, target: Target) -> Attributes:
    namespace = target.name if target.resource == "namespaces" and not target.group else target.namespace
    return Attributes(verb, target.group, target.version, target.resource, target.subresource, namespace, target.name)


def authorize(env: Environment, call: Call) -> None:
    """Raises Forbidden."""
    asked = attributes_of(call.verb, call.request.target)
    if allowed(env, call.identity, asked) is None:
        raise denied(call.identity, asked)


def allowed(env: Environment, who: Identity, asked: Attributes) -> str | None:
    """Why ``who`` may, or None: the node authorizer, then RBAC."""
    if not env.config.authorize:
        return ""
    if NODES in who.groups and who.user.startswith(NODE_USER) and node_allows(who, asked):
        return ""
    return env.rbac.allows(who, asked)


def whatever_the_name(env: Environment, who: Identity, request: Request) -> bool:
    """Whether ``who`` may ask this of every object of the target's kind and namespace. False says nothing."""
    target = request.target
    if target.resource == "namespaces" or (NODES in who.groups and target.resource in OWNED_BY_NODES):
        return False
    return allowed(env, who, nameless(attributes_of(request.verb, target))) is not None


def node_allows(who: Identity, asked: Attributes) -> bool:
    """A node may do a node's work, and write to no other node's Node, Lease or CSINode."""
    own = asked.resource not in OWNED_BY_NODES or asked.verb in ("get", "list", "watch")
    if not own and asked.name and asked.name != who.user.removeprefix(NODE_USER):
        return False
    return _any_node_may(asked.verb, asked.group, asked.resource, asked.subresource)


@lru_cache(MAX_NODE_DECISIONS)
def _any_node_may(verb: str, group: str, resource: str, subresource: str) -> bool:
    """The rules of nodes name no objects."""
    asked = Attributes(verb, group, "", resource, subresource)
    return any(one.allows(asked) for one in NODE_RULES)


def denied(who: Identity, asked: Attributes) -> errors.StatusError:
    return errors.forbidden(asked.group, asked.resource, asked.name, why_not(who, asked))


def why_not(who: Identity, asked: Attributes) -> str:
    """Kubernetes' sentence: User "u" cannot list resource "pods" in API group "" in the namespace "n"."""
    if asked.path:
        return f"User {quote(who.user)} cannot {asked.verb} path {quote(asked.path)}"
    where = f"in the namespace {quote(asked.namespace)}" if asked.namespace else "at the cluster scope"
    what = f"resource {quote(asked.full_resource)} in API group {quote(asked.group)}"
    return f"User {quote(who.user)} cannot {asked.verb} {what} {where}"
