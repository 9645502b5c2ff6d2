"""The rules of FlowSchema and PriorityLevelConfiguration."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import NONE, age_of, columns, name_of
from orchestrator.api.strategy import Rules, setdefault, spec_changed
from orchestrator.api.zeros import fill_object
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, not_supported, required

GROUP = "flowcontrol.apiserver.k8s.io"
DEFAULT_PRECEDENCE = 1000
DEFAULT_SHARES = 30
_QUEUING = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
_SPEC = Path("spec")


def _default_schema(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if not spec.get("matchingPrecedence"):
        spec["matchingPrecedence"] = DEFAULT_PRECEDENCE
    fill_object(obj)


def _default_level(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    exempt, limited = spec.get("exempt"), spec.get("limited")
    if exempt is not None:
        setdefault(exempt, "nominalConcurrencyShares", 0)
        setdefault(exempt, "lendablePercent", 0)
    if limited is not None:
        setdefault(limited, "nominalConcurrencyShares", DEFAULT_SHARES)
        setdefault(limited, "lendablePercent", 0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            for key, value in _QUEUING.items():
                if not queuing.get(key):
                    queuing[key] = value


def _check_level(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    kind = spec.get("type")
    if kind not in ("Exempt", "Limited"):
        return [not_supported(_SPEC.child("type"), kind or "", ("Exempt", "Limited"))]
    if kind == "Exempt":
        return []
    limited = spec.get("limited")
    if limited is None:
        return [required(_SPEC.child("limited"), "must not be empty when type is Limited")]
    response = (limited.get("limitResponse") or {}).get("type")
    path = _SPEC.child("limited", "limitResponse", "type")
    if not response:
        return [required(path)]
    return [] if response in ("Queue", "Reject") else [not_supported(path, response, ("Queue", "Reject"))]


def _check_schema(obj: Object) -> list[FieldError]:
    name = ((obj.get("spec") or {}).get("priorityLevelConfiguration") or {}).get("name")
    path = _SPEC.child("priorityLevelConfiguration", "name")
    return [] if name else [required(path, "must reference a priority level")]


def _schema_row(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    dangling = (each.get("status") for each in status.get("conditions") or () if each.get("type") == "Dangling")
    return [
        name_of(obj),
        (spec.get("priorityLevelConfiguration") or {}).get("name") or "",
        spec.get("matchingPrecedence") or 0,
        (spec.get("distinguisherMethod") or {}).get("type") or NONE,
        age_of(obj, now),
        next(dangling, "?"),
    ]


def _level_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    limited = spec.get("limited") or {}
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    return [
        name_of(obj),
        spec.get("type") or "",
        limited.get("nominalConcurrencyShares", NONE),
        *(queuing.get(key, NONE) for key in ("queues", "handSize", "queueLengthLimit")),
        age_of(obj, now),
    ]


RULES = (
    Rules(
        group=GROUP,
        kind="FlowSchema",
        namespaced=False,
        has_status=True,
        counts=spec_changed,
        default=_default_schema,
        check=_check_schema,
        columns=columns("Name", "PriorityLevel", "MatchingPrecedence", "DistinguisherMethod", "Age", "MissingPL"),
        row=_schema_row,
    ),
    Rules(
        group=GROUP,
        kind="PriorityLevelConfiguration",
        namespaced=False,
        has_status=True,
        counts=spec_changed,
        default=_default_level,
        check=_check_level,
        columns=columns("Name", "Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", "Age"),
        row=_level_row,
    ),
)
