"""The RBAC authorizer: an index of roles by subject, fed with objects, answering in microseconds.

Pure: the server feeds it from its mirror of the store (``put``, ``drop``). A decision that does not hang on an
object's name is remembered until a role or a binding changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.protocol import Identity

MAX_DECISIONS = 16_384
"""Remembered decisions; the table is emptied when it is full."""

SUPERUSERS = "system:masters"
RBAC_GROUP = "rbac.authorization.k8s.io"


class Attributes(msgspec.Struct, frozen=True, gc=False):
    """What is asked: a resource (``path`` is "") or a non-resource path."""

    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Rule:
    """One PolicyRule."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    paths: tuple[str, ...]

    @classmethod
    def of(cls, rule: Object) -> Rule:
        return cls(
            frozenset(rule.get("verbs") or ()),
            frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("resources") or ()),
            frozenset(rule.get("resourceNames") or ()),
            tuple(rule.get("nonResourceURLs") or ()),
        )

    def allows(self, asked: Attributes) -> bool:
        if asked.verb not in self.verbs and "*" not in self.verbs:
            return False
        if asked.path:
            return any(path_matches(pattern, asked.path) for pattern in self.paths)
        if asked.group not in self.groups and "*" not in self.groups:
            return False
        return self.covers_resource(asked) and (not self.names or asked.name in self.names)

    def covers_resource(self, asked: Attributes) -> bool:
        if asked.full_resource in self.resources or "*" in self.resources:
            return True
        return bool(asked.subresource) and f"*/{asked.subresource}" in self.resources


def path_matches(pattern: str, path: str) -> bool:
    """``/healthz`` is itself; ``/healthz/*`` is everything below; ``*`` is all."""
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


@dataclass(frozen=True, slots=True)
class Binding:
    """A binding as the index keeps it; ``namespace`` is "" for a ClusterRoleBinding."""

    kind: str
    namespace: str
    name: str
    role_kind: str
    role: str
    subjects: tuple[str, ...]

    def reason(self, subject: str) -> str:
        title = f"{self.namespace}/{self.name}" if self.namespace else self.name
        kind, _, who = subject.partition(":")
        shown = f'{kind} "{who}"'
        return f'RBAC: allowed by {self.kind} "{title}" of {self.role_kind} "{self.role}" to {shown}'


def subject_key(subject: Object, namespace: str) -> str:
    """``User:name`` or ``Group:name``; a service account is shown as such and matched by its user name."""
    if subject.get("kind") == "ServiceAccount":
        account = f"{subject.get('namespace') or namespace}:{subject.get('name', '')}"
        return f"User:system:serviceaccount:{account}"
    return f"{subject.get('kind', '')}:{subject.get('name', '')}"


class Rbac:
    """Roles and bindings by subject."""

    def __init__(self) -> None:
        self._roles: dict[tuple[str, str], tuple[Rule, ...]] = {}
        self._bindings: dict[tuple[str, str], Binding] = {}
        self._by_subject: dict[str, dict[tuple[str, str], Binding]] = {}
        self._decisions: dict[tuple[str, tuple[str, ...], str, str, str, str], str | None] = {}

    # Feeding

    def put(self, kind: str, obj: Object) -> None:
        """A Role, ClusterRole, RoleBinding or ClusterRoleBinding as it now stands."""
        metadata = obj["metadata"]
        at = (metadata.get("namespace") or "", metadata["name"])
        if kind in ("Role", "ClusterRole"):
            self._roles[at] = tuple(Rule.of(rule) for rule in obj.get("rules") or ())
        else:
            self._unbind(at)
            self._bind(at, binding_of(kind, at, obj))
        self._decisions.clear()

    def drop(self, kind: str, namespace: str, name: str) -> None:
        if kind in ("Role", "ClusterRole"):
            self._roles.pop((namespace, name), None)
        else:
            self._unbind((namespace, name))
        self._decisions.clear()

    def _bind(self, at: tuple[str, str], binding: Binding) -> None:
        self._bindings[at] = binding
        for subject in binding.subjects:
            self._by_subject.setdefault(subject, {})[at] = binding

    def _unbind(self, at: tuple[str, str]) -> None:
        binding = self._bindings.pop(at, None)
        for subject in binding.subjects if binding else ():
            self._by_subject[subject].pop(at, None)

    # Asking

    def allows(self, who: Identity, asked: Attributes) -> str | None:
        """The reason why ``who`` may, or None."""
        if SUPERUSERS in who.groups:
            return ""
        key = (who.user, who.groups, asked.verb, f"{asked.group}/{asked.full_resource}", asked.namespace, asked.path)
        if key in self._decisions:
            reason = self._decisions[key]
            if reason is not None or not asked.name:
                return reason
            return self._search(who, asked)
        reason = self._search(who, nameless(asked))
        if len(self._decisions) >= MAX_DECISIONS:
            self._decisions.clear()
        self._decisions[key] = reason
        return self._search(who, asked) if reason is None and asked.name else reason

    def _search(self, who: Identity, asked: Attributes) -> str | None:
        for binding, subject, rule in self._grants(who, asked.namespace):
            if rule.allows(asked):
                return binding.reason(subject)
        return None

    def rules_of(self, who: Identity, namespace: str) -> list[Rule]:
        """Every rule that holds for ``who`` in ``namespace`` ("": cluster wide)."""
        return [rule for _, _, rule in self._grants(who, namespace)]

    def role(self, namespace: str, name: str) -> tuple[Rule, ...] | None:
        """The rules of a Role, or of a ClusterRole where ``namespace`` is ""."""
        return self._roles.get((namespace, name))

    def _grants(self, who: Identity, namespace: str) -> Iterator[tuple[Binding, str, Rule]]:
        for subject in subjects_of(who):
            for binding in self._by_subject.get(subject, {}).values():
                if binding.namespace and binding.namespace != namespace:
                    continue
                role_namespace = binding.namespace if binding.role_kind == "Role" else ""
                for rule in self._roles.get((role_namespace, binding.role), ()):
                    yield binding, subject, rule


def subjects_of(who: Identity) -> Iterable[str]:
    yield f"User:{who.user}"
    for group in who.groups:
        yield f"Group:{group}"


def nameless(asked: Attributes) -> Attributes:
    return Attributes(
        asked.verb, asked.group, asked.version, asked.resource, asked.subresource, asked.namespace, "", asked.path
    )


def binding_of(kind: str, at: tuple[str, str], obj: Object) -> Binding:
    role = obj.get("roleRef") or {}
    subjects = tuple(subject_key(subject, at[0]) for subject in obj.get("subjects") or ())
    return Binding(kind, at[0], at[1], role.get("kind", ""), role.get("name", ""), subjects)


# Escalation


def covers(owned: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """The rules of ``wanted``, cut to one verb, group, resource and name each, that no rule of ``owned`` covers."""
    owners = list(owned)
    return [small for rule in wanted for small in atoms(rule) if not any(contains(o, small) for o in owners)]


def atoms(rule: Rule) -> Iterator[Rule]:
    none: frozenset[str] = frozenset()
    for verb in sorted(rule.verbs):
        for path in rule.paths:
            yield Rule(frozenset((verb,)), none, none, none, (path,))
        for group in sorted(rule.groups):
            for resource in sorted(rule.resources):
                for name in sorted(rule.names) or [""]:
                    names = frozenset((name,)) if name else none
                    yield Rule(frozenset((verb,)), frozenset((group,)), frozenset((resource,)), names, ())


def contains(owner: Rule, small: Rule) -> bool:
    """Whether ``owner`` allows everything that the one-piece rule ``small`` allows."""
    if "*" not in owner.verbs and not small.verbs <= owner.verbs:
        return False
    if small.paths:
        return any(path_matches(pattern, small.paths[0]) for pattern in owner.paths)
    if "*" not in owner.groups and not small.groups <= owner.groups:
        return False
    resource = next(iter(small.resources))
    _, slash, subresource = resource.partition("/")
    if not ({"*", resource} & owner.resources or (slash and f"*/{subresource}" in owner.resources)):
        return False
    return not owner.names or (bool(small.names) and small.names <= owner.names)
