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
    return _check_amounts((obj.get("spec") or {}).get("hard"), Path("spec", "hard"))


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
    for name, low in (limit.get("min") or {}).items():
        high = (limit.get("max") or {}).get(name)
        if high is not None and compare(low, high) > 0:
            text = f"min value {low} is greater than max value {high}"
            errors.append(invalid(path.child("min").key(name), str(low), text))
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
