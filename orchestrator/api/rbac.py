"""The rules of ``rbac.authorization.k8s.io``: roles and who has them."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.names import dns_subdomain, path_segment
from orchestrator.apimachinery.selectors import validate_label_selector

GROUP = "rbac.authorization.k8s.io"


def _default_binding(obj: Object) -> None:
    reference = obj.setdefault("roleRef", {})
    if not reference.get("apiGroup"):
        reference["apiGroup"] = GROUP
    for subject in obj.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = GROUP


def _check_rules(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for position, rule in enumerate(obj.get("rules") or ()):
        _check_rule(rule, Path("rules").index(position), obj["kind"] == "Role", errors)
    for position, selector in enumerate((obj.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()):
        path = Path("aggregationRule", "clusterRoleSelectors").index(position)
        errors.extend(validate_label_selector(selector, path))
    return errors


def _check_rule(rule: Object, path: Path, namespaced: bool, errors: list[FieldError]) -> None:
    if not rule.get("verbs"):
        errors.append(required(path.child("verbs")))
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            errors.append(invalid(path.child("nonResourceURLs"), urls, text))
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            errors.append(invalid(path.child("nonResourceURLs"), urls, text))
        return
    if not rule.get("apiGroups"):
        text = "resource rules must supply at least one api group"
        errors.append(required(path.child("apiGroups"), text))
    if not rule.get("resources"):
        text = "resource rules must supply at least one resource"
        errors.append(required(path.child("resources"), text))


def _check_binding(obj: Object) -> list[FieldError]:
    reference = obj.get("roleRef") or {}
    path = Path("roleRef")
    kinds = ("Role", "ClusterRole") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
    errors: list[FieldError] = []
    if reference.get("apiGroup") != GROUP:
        errors.append(not_supported(path.child("apiGroup"), reference.get("apiGroup"), (GROUP,)))
    if reference.get("kind") not in kinds:
        errors.append(not_supported(path.child("kind"), reference.get("kind") or "", kinds))
    name = reference.get("name")
    if not name:
        errors.append(required(path.child("name")))
    else:
        errors.extend(invalid(path.child("name"), name, text) for text in path_segment(name))
    namespaced = obj["kind"] == "RoleBinding"
    for position, subject in enumerate(obj.get("subjects") or ()):
        _check_subject(subject, Path("subjects").index(position), namespaced, errors)
    return errors


def _check_subject(subject: Object, path: Path, namespaced: bool, errors: list[FieldError]) -> None:
    kind, name, group = subject.get("kind") or "", subject.get("name"), subject.get("apiGroup") or ""
    if not name:
        errors.append(required(path.child("name")))
    if kind == "ServiceAccount":
        if name:
            errors.extend(invalid(path.child("name"), name, text) for text in dns_subdomain(name))
        if group:
            errors.append(not_supported(path.child("apiGroup"), group, ("",)))
        if not namespaced and not subject.get("namespace"):
            errors.append(required(path.child("namespace")))
    elif kind in ("User", "Group"):
        if group != GROUP:
            errors.append(not_supported(path.child("apiGroup"), group, (GROUP,)))
        if subject.get("namespace"):
            errors.append(forbidden(path.child("namespace"), f"may not be specified when `kind` is '{kind}'"))
    else:
        errors.append(not_supported(path.child("kind"), kind, ("ServiceAccount", "User", "Group")))


def _check_binding_update(new: Object, old: Object) -> list[FieldError]:
    if new.get("roleRef") == old.get("roleRef"):
        return []
    reference = new.get("roleRef") or {}
    shown = {name: reference.get(name[0].lower() + name[1:], "") for name in ("Kind", "Name")}
    return [invalid("roleRef", {"APIGroup": reference.get("apiGroup", ""), **shown}, "field is immutable")]


def _binding_row(obj: Object, now: float) -> list[Any]:
    reference, subjects = obj.get("roleRef") or {}, obj.get("subjects") or ()
    names: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in subjects:
        text = subject.get("name", "")
        if subject.get("kind") == "ServiceAccount":
            text = f"{subject.get('namespace', '')}/{text}"
        names.setdefault(subject.get("kind", ""), []).append(text)
    role = f"{reference.get('kind', '')}/{reference.get('name', '')}"
    words = (", ".join(names[kind]) for kind in ("User", "Group", "ServiceAccount"))
    return [name_of(obj), role, age_of(obj, now), *words]


def _role(kind: str, namespaced: bool) -> Rules:
    return Rules(
        group=GROUP,
        kind=kind,
        namespaced=namespaced,
        name_rule=path_segment,
        create_on_update=True,
        default=_default_role,
        check=_check_rules,
    )


def _default_role(obj: Object) -> None:
    """A role without rules says so."""
    obj.setdefault("rules", None)


def _binding(kind: str, namespaced: bool) -> Rules:
    return Rules(
        group=GROUP,
        kind=kind,
        namespaced=namespaced,
        name_rule=path_segment,
        create_on_update=True,
        default=_default_binding,
        check=_check_binding,
        check_update=_check_binding_update,
        columns=columns("Name", "Role", "Age", "Users*", "Groups*", "ServiceAccounts*"),
        row=_binding_row,
    )


RULES = (
    _role("Role", True),
    _role("ClusterRole", False),
    _binding("RoleBinding", True),
    _binding("ClusterRoleBinding", False),
)
