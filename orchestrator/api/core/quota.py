"""The rules of ResourceQuota and LimitRange."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.core.pod_defaults import canonicalize
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, forbidden, immutable, invalid
from orchestrator.apimachinery.names import label_key
from orchestrator.apimachinery.quantity import QuantityError, compare

_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
CONFLICTING = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
STANDARD = frozenset(
    (
        *("cpu", "memory", "ephemeral-storage", "pods", "services", "replicationcontrollers", "resourcequotas"),
        *("requests.cpu", "requests.memory", "requests.storage", "requests.ephemeral-storage"),
        *("limits.cpu", "limits.memory", "limits.ephemeral-storage", "persistentvolumeclaims", "configmaps", "secrets"),
        *("services.nodeports", "services.loadbalancers"),
    )
)
"""What a quota may bound by a name without a slash."""
NEGATIVE = "must be greater than or equal to 0"


def default_quota(obj: Object) -> None:
    canonicalize(obj.setdefault("spec", {}).get("hard"))
    status = obj.get("status") or {}
    canonicalize(status.get("hard"))
    canonicalize(status.get("used"))


def default_limit_range(obj: Object) -> None:
    for limit in obj.setdefault("spec", {}).get("limits") or ():
        for key in _LISTS:
            canonicalize(limit.get(key))
        if limit.get("type") == "Container":
            _default_container_limit(limit)


def _default_container_limit(limit: Object) -> None:
    """What is not given follows from what is: the default from the maximum, the request from the default or minimum."""
    default = {**(limit.get("max") or {}), **(limit.get("default") or {})}
    request = {**(limit.get("min") or {}), **default, **(limit.get("defaultRequest") or {})}
    if default:
        limit["default"] = default
    if request:
        limit["defaultRequest"] = request


def _check_amounts(amounts: Object | None, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, amount in (amounts or {}).items():
        errors.extend(invalid(path.key(name), name, text) for text in label_key(name))
        try:
            if compare(amount, "0") < 0:
                errors.append(invalid(path.key(name), str(amount), NEGATIVE))
        except QuantityError as error:
            errors.append(invalid(path.key(name), amount, str(error)))
    return errors


def _check_quota(obj: Object) -> list[FieldError]:
    spec, path = obj.get("spec") or {}, Path("spec", "hard")
    errors: list[FieldError] = []
    for name, amount in (spec.get("hard") or {}).items():
        errors.extend(_check_amounts({name: amount}, path))
        if "/" not in name and name not in STANDARD:
            errors.append(invalid(path.key(name), name, "must be a standard resource for quota"))
    scopes = spec.get("scopes") or []
    if any(set(pair) <= set(scopes) for pair in CONFLICTING):
        errors.append(invalid("spec.scopes", scopes, "conflicting scopes"))
    return errors


def _check_quota_update(new: Object, old: Object) -> list[FieldError]:
    new_scopes, old_scopes = ((each.get("spec") or {}).get("scopes") for each in (new, old))
    return immutable("spec.scopes", new_scopes, old_scopes)


def _check_limit_range(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for position, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path = Path("spec", "limits").index(position)
        kind = limit.get("type") or ""
        errors.extend(invalid(path.child("type"), kind, text) for text in label_key(kind))
        if kind in seen:
            errors.append(duplicate(path.child("type"), kind))
        seen.add(kind)
        errors.extend(_check_limit(limit, kind, path))
    return errors


def _check_limit(limit: Object, kind: str, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in _LISTS:
        errors.extend(_check_amounts(limit.get(key), path.child(key)))
    if errors:
        return errors
    if kind == "Pod":
        for key in ("default", "defaultRequest"):
            if limit.get(key):
                errors.append(forbidden(path.child(key), "may not be specified when `type` is 'Pod'"))
    names = sorted({name for key in _LISTS for name in limit.get(key) or ()})
    for name in names:
        errors.extend(_check_order(limit, name, path))
    return errors


_ORDER = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min value {} is greater than default request value {}",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request value {} is greater than max value {}",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request value {} is greater than default limit value {}",
    ),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)
"""What may not be above what, where the error lies, whose value it shows, and its words."""


def _check_order(limit: Object, name: str, path: Path) -> list[FieldError]:
    amounts = {key: (limit.get(key) or {}).get(name) for key in _LISTS}
    errors: list[FieldError] = []
    for low, high, place, shown, text in _ORDER:
        below, above = amounts[low], amounts[high]
        if below is not None and above is not None and compare(below, above) > 0:
            errors.append(invalid(path.child(place).key(name), str(amounts[shown]), text.format(below, above)))
    ratio = amounts["maxLimitRequestRatio"]
    if ratio is not None and compare(ratio, "1") < 0:
        errors.append(
            invalid(path.child("maxLimitRequestRatio").key(name), str(ratio), f"ratio {ratio} is less than 1")
        )
    return errors


def _quota_row(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    used = status.get("used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for name, hard in sorted((status.get("hard") or {}).items()):
        words = limits if name.startswith("limits.") else requests
        words.append(f"{name}: {used.get(name, '0')}/{hard}")
    return [name_of(obj), ", ".join(requests), ", ".join(limits), age_of(obj, now)]


RULES = (
    Rules(
        group="",
        kind="ResourceQuota",
        has_status=True,
        default=default_quota,
        check=_check_quota,
        check_update=_check_quota_update,
        columns=columns("Name", "Request", "Limit", "Age"),
        row=_quota_row,
    ),
    Rules(
        group="",
        kind="LimitRange",
        create_on_update=True,
        default=default_limit_range,
        check=_check_limit_range,
    ),
)
