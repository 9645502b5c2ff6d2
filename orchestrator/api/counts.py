"""Numbers, percents and selectors as the workloads' rules demand them."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, required
from orchestrator.apimachinery.names import percent
from orchestrator.apimachinery.selectors import SelectorError, from_label_selector, validate_label_selector

NEGATIVE = "must be greater than or equal to 0"


def not_negative(holder: Object, path: Path, *keys: str) -> list[FieldError]:
    """None of these numbers is below zero."""
    return [invalid(path.child(key), holder[key], NEGATIVE) for key in keys if (holder.get(key) or 0) < 0]


def number_or_percent(value: Any, path: Path) -> list[FieldError]:
    """A count, or a share such as ``25%``."""
    if isinstance(value, str):
        return [invalid(path, value, text) for text in percent(value)]
    return [invalid(path, value, NEGATIVE)] if (value or 0) < 0 else []


def is_zero(value: Any) -> bool:
    """``0`` or ``0%``."""
    return value in (0, None) or (isinstance(value, str) and value.rstrip("%").isdigit() and not int(value.rstrip("%")))


def above_hundred(value: Any, path: Path) -> list[FieldError]:
    if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit() and int(value[:-1]) > 100:
        return [invalid(path, value, "must not be greater than 100%")]
    return []


def selector_of_template(spec: Object, kind: str, path: Path) -> list[FieldError]:
    """The selector is there, is not empty, and selects what the template makes."""
    selector = spec.get("selector")
    place = path.child("selector")
    errors: list[FieldError] = []
    if selector is None:
        errors.append(required(place))
    else:
        errors.extend(validate_label_selector(selector, place))
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            errors.append(invalid(place, selector, f"empty selector is invalid for {kind}"))
            return errors
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    try:
        matches = from_label_selector(selector).matches(labels)
    except SelectorError:
        errors.append(invalid(place, selector, "invalid label selector"))
        return errors
    if not matches:
        text = "`selector` does not match template `labels`"
        errors.append(invalid(path.child("template", "metadata", "labels"), labels, text))
    return errors
