"""The rules of Lease and LeaseCandidate."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid

_SPEC = Path("spec")
GROUP = "coordination.k8s.io"


def _check(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    seconds, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if seconds is not None and seconds <= 0:
        errors.append(invalid(_SPEC.child("leaseDurationSeconds"), seconds, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        text = "must be greater than or equal to 0"
        errors.append(invalid(_SPEC.child("leaseTransitions"), transitions, text))
    if spec.get("holderIdentity") == "":
        errors.append(invalid(_SPEC.child("holderIdentity"), "", "must not be empty"))
    return errors


def _lease_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), (obj.get("spec") or {}).get("holderIdentity") or "", age_of(obj, now)]


def _candidate_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    words = (spec.get(key) or "" for key in ("leaseName", "binaryVersion", "emulationVersion"))
    return [name_of(obj), *words, age_of(obj, now)]


RULES = (
    Rules(
        group=GROUP,
        kind="Lease",
        create_on_update=True,
        unconditional_update=False,
        check=_check,
        columns=columns("Name", "Holder", "Age"),
        row=_lease_row,
    ),
    Rules(
        group=GROUP,
        kind="LeaseCandidate",
        create_on_update=True,
        unconditional_update=False,
        columns=columns("Name", "LeaseName", "BinaryVersion", "EmulationVersion", "Age"),
        row=_candidate_row,
    ),
)
