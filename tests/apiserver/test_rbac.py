from __future__ import annotations

from typing import Any

from orchestrator.apiserver.rbac import Attributes, Rbac, Rule, covers
from orchestrator.client.protocol import Identity

JANE = Identity("jane", ("dev", "system:authenticated"))


def rule(verbs: str, groups: str, resources: str, *names: str) -> dict[str, Any]:
    made: dict[str, Any] = {"verbs": verbs.split(), "apiGroups": groups.split(","), "resources": resources.split()}
    return made | ({"resourceNames": list(names)} if names else {})


def index(*rules: dict[str, Any], namespace: str = "", subject: str = "jane") -> Rbac:
    rbac = Rbac()
    rbac.put("ClusterRole", {"metadata": {"name": "r"}, "rules": list(rules)})
    metadata = {"name": "b", "namespace": namespace} if namespace else {"name": "b"}
    subjects = [{"kind": "User", "name": subject}]
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    rbac.put(kind, {"metadata": metadata, "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": subjects})
    return rbac


def test_a_bound_rule_allows_and_says_why() -> None:
    rbac = index(rule("get list", "", "pods"))
    reason = rbac.allows(JANE, Attributes("get", "", "v1", "pods", namespace="x"))
    assert reason == 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "r" to User "jane"'


def test_what_no_rule_names_is_not_allowed() -> None:
    assert index(rule("get", "", "pods")).allows(JANE, Attributes("delete", "", "v1", "pods")) is None


def test_a_rolebinding_holds_in_its_namespace_only() -> None:
    rbac = index(rule("get", "", "pods"), namespace="here")
    assert rbac.allows(JANE, Attributes("get", "", "v1", "pods", namespace="here")) is not None
    assert rbac.allows(JANE, Attributes("get", "", "v1", "pods", namespace="there")) is None


def test_a_rule_with_names_allows_these_names_only() -> None:
    rbac = index(rule("get", "", "secrets", "one"))
    assert rbac.allows(JANE, Attributes("get", "", "v1", "secrets", name="one")) is not None
    assert rbac.allows(JANE, Attributes("get", "", "v1", "secrets", name="two")) is None


def test_a_subresource_has_to_be_named() -> None:
    rbac = index(rule("get", "", "pods"))
    assert rbac.allows(JANE, Attributes("get", "", "v1", "pods", "log")) is None


def test_a_deleted_binding_allows_no_more() -> None:
    rbac = index(rule("get", "", "pods"))
    asked = Attributes("get", "", "v1", "pods")
    assert rbac.allows(JANE, asked) is not None
    rbac.drop("ClusterRoleBinding", "", "b")
    assert rbac.allows(JANE, asked) is None


def test_a_superuser_needs_no_rule() -> None:
    assert Rbac().allows(Identity("root", ("system:masters",)), Attributes("delete", "", "v1", "nodes")) is not None


def test_what_is_granted_must_be_held() -> None:
    owned = [Rule.of(rule("get list", "", "pods"))]
    assert covers(owned, [Rule.of(rule("get", "", "pods"))]) == []
    missing = covers(owned, [Rule.of(rule("get delete", "", "pods"))])
    assert [sorted(one.verbs) for one in missing] == [["delete"]]
