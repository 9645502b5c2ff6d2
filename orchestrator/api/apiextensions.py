"""The rules of CustomResourceDefinition."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import columns, name_of
from orchestrator.api.custom.vetting import vet
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.api.zeros import zero_status
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, immutable, invalid, not_supported, required
from orchestrator.apimachinery.names import dns_1035_label, dns_subdomain
from orchestrator.apimachinery.tables import Column

_SPEC = Path("spec")


def _default(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind") or ""
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    if spec.get("conversion") is None:
        spec["conversion"] = {"strategy": "None"}
    service = ((spec["conversion"].get("webhook") or {}).get("clientConfig") or {}).get("service")
    if service is not None:
        setdefault(service, "port", 443)


def _storage_version(obj: Object) -> str:
    versions = (obj.get("spec") or {}).get("versions") or ()
    return next((each.get("name", "") for each in versions if each.get("storage")), "")


def _initial(obj: Object) -> Object:
    status = zero_status(obj) or {}
    status["storedVersions"] = [_storage_version(obj)]
    status["conditions"] = []  # `kubectl wait` takes a null for an error, and may come before the first condition
    return status


def _update(new: Object, old: Object) -> None:
    """A new storage version is one more of those that objects are stored in."""
    status, version = old.get("status"), _storage_version(new)
    if status is not None and version and version not in (status.get("storedVersions") or ()):
        new["status"] = {**status, "storedVersions": [*(status.get("storedVersions") or ()), version]}


def _check(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    names, group = spec.get("names") or {}, spec.get("group") or ""
    errors: list[FieldError] = []
    wanted = f"{names.get('plural', '')}.{group}"
    if obj["metadata"].get("name") != wanted:
        text = 'must be spec.names.plural+"."+spec.group'
        errors.append(invalid("metadata.name", obj["metadata"].get("name"), text))
    if not group:
        errors.append(required(_SPEC.child("group")))
    else:
        errors.extend(invalid(_SPEC.child("group"), group, text) for text in dns_subdomain(group))
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        errors.append(not_supported(_SPEC.child("scope"), spec.get("scope") or "", ("Cluster", "Namespaced")))
    for key in ("plural", "singular", "kind", "listKind"):
        name = names.get(key) or ""
        if not name:
            errors.append(required(_SPEC.child("names", key)))
        else:
            errors.extend(invalid(_SPEC.child("names", key), name, text) for text in dns_1035_label(name.lower()))
    errors.extend(_check_versions(spec.get("versions") or []))
    return errors


def _check_versions(versions: list[Object]) -> list[FieldError]:
    path = _SPEC.child("versions")
    errors: list[FieldError] = []
    names = [each.get("name") or "" for each in versions]
    for position, version in enumerate(versions):
        place = path.index(position)
        errors.extend(invalid(place.child("name"), names[position], t) for t in dns_1035_label(names[position]))
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if not schema:
            errors.append(required(place.child("schema", "openAPIV3Schema"), "schemas are required"))
        else:
            errors.extend(vet(schema, place.child("schema", "openAPIV3Schema")))
    if sum(bool(each.get("storage")) for each in versions) != 1:
        text = "must have exactly one version marked as storage version"
        errors.append(invalid(path, versions, text))
    if len(set(names)) != len(names):
        errors.append(invalid(path, names, "must contain unique version names"))
    return errors


def _check_update(new: Object, old: Object) -> list[FieldError]:
    after, before = new.get("spec") or {}, old.get("spec") or {}
    established = any(
        each.get("type") == "Established" and each.get("status") == "True"
        for each in (old.get("status") or {}).get("conditions") or ()
    )
    if not established:
        return []
    errors = immutable(_SPEC.child("scope"), after.get("scope"), before.get("scope"))
    errors.extend(
        immutable(_SPEC.child("names", "kind"), after.get("names", {}).get("kind"), before.get("names", {}).get("kind"))
    )
    return errors


def _row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    names = spec.get("names") or {}
    versions = [
        f"{each.get('name')}(storage)" if each.get("storage") else each.get("name", "")
        for each in spec.get("versions") or ()
        if each.get("served") or each.get("storage")
    ]
    established = any(
        each.get("type") == "Established" and each.get("status") == "True" for each in status.get("conditions") or ()
    )
    return [
        name_of(obj),
        spec.get("scope") or "",
        ",".join(versions),
        obj["metadata"].get("creationTimestamp"),
        spec.get("group") or "",
        names.get("kind") or "",
        ",".join(names.get("shortNames") or ()),
        established,
    ]


RULES = (
    Rules(
        group="apiextensions.k8s.io",
        kind="CustomResourceDefinition",
        namespaced=False,
        has_status=True,
        initial_status=_initial,
        counts=spec_changed,
        default=_default,
        update=_update,
        check=_check,
        check_update=_check_update,
        columns=(
            *columns("Name", "Scope", "Versions"),
            Column("Created At", "date"),
            *columns("Group*", "Kind*", "ShortNames*"),
            Column("Established", "boolean", priority=1),
        ),
        row=_row,
    ),
)
