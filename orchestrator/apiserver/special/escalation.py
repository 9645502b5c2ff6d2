"""Nobody grants more than they have: the checks on roles and on bindings."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quoting import quote
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.rbac import RBAC_GROUP, SUPERUSERS, Attributes, Rule, covers


def check_role(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """A role may hold only what its writer may do, or its writer may ``escalate``."""
    if _trusted(env, call) or (old is not None and _same(obj, old, "rules", "aggregationRule")):
        return
    if _may(env, call, "escalate", call.resource.plural, obj["metadata"].get("name", "")):
        return
    wanted = [Rule.of(rule) for rule in obj.get("rules") or ()]
    if obj.get("aggregationRule"):
        everything = frozenset(("*",))
        wanted.append(Rule(everything, everything, everything, frozenset(), ()))
    _demand(env, call, obj, wanted)


def check_binding(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """A binding may hand out only what its writer may do, or its writer may ``bind`` that role."""
    if _trusted(env, call) or (old is not None and _same(obj, old, "roleRef", "subjects")):
        return
    role = obj.get("roleRef") or {}
    plural = "clusterroles" if role.get("kind") == "ClusterRole" else "roles"
    if _may(env, call, "bind", plural, role.get("name", "")):
        return
    namespace = call.namespace if plural == "roles" else ""
    rules = env.rbac.role(namespace, role.get("name", ""))
    if rules is None:
        raise errors.not_found(RBAC_GROUP, plural.removesuffix("s"), role.get("name", ""))
    _demand(env, call, obj, rules)


def _trusted(env: Environment, call: Call) -> bool:
    return not env.config.authorize or SUPERUSERS in call.identity.groups


def _same(obj: Object, old: Object, *keys: str) -> bool:
    return all(obj.get(key) == old.get(key) for key in keys)


def _may(env: Environment, call: Call, verb: str, plural: str, name: str) -> bool:
    asked = Attributes(verb, RBAC_GROUP, "v1", plural, "", call.namespace, name)
    return env.rbac.allows(call.identity, asked) is not None


def _demand(env: Environment, call: Call, obj: Object, wanted: Iterable[Rule]) -> None:
    owned = env.rbac.rules_of(call.identity, call.namespace)
    missing = covers(owned, wanted)
    if not missing:
        return
    who = call.identity
    groups = " ".join(quote(group) for group in who.groups)
    lines = "\n".join(_shown(rule) for rule in missing)
    attempt = "is attempting to grant RBAC permissions not currently held"
    why = f"user {quote(who.user)} (groups=[{groups}]) {attempt}:\n{lines}"
    raise call.forbidden(why, obj["metadata"].get("name", ""))


def _shown(rule: Rule) -> str:
    parts = []
    if rule.paths:
        parts.append(f"NonResourceURLs:[{' '.join(map(quote, rule.paths))}]")
    else:
        parts.append(f"APIGroups:[{_list(rule.groups)}], Resources:[{_list(rule.resources)}]")
    if rule.names:
        parts.append(f"ResourceNames:[{_list(rule.names)}]")
    return "{" + ", ".join([*parts, f"Verbs:[{_list(rule.verbs)}]"]) + "}"


def _list(values: Iterable[str]) -> str:
    return " ".join(quote(value) for value in sorted(values))
