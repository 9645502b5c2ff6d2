"""The rules of CertificateSigningRequest and ClusterTrustBundle."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import NONE, age_of, columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, immutable, invalid, required
from orchestrator.apimachinery.timestamps import short_duration

GROUP = "certificates.k8s.io"
MIN_SECONDS = 600
_SPEC = Path("spec")


def _check_request(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    if not spec.get("request"):
        errors.append(
            invalid(_SPEC.child("request"), spec.get("request") or "", "PEM block type must be CERTIFICATE REQUEST")
        )
    if not spec.get("usages"):
        errors.append(required(_SPEC.child("usages")))
    signer = spec.get("signerName")
    if not signer:
        errors.append(required(_SPEC.child("signerName")))
    elif signer.count("/") != 1:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        errors.append(invalid(_SPEC.child("signerName"), signer, text))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < MIN_SECONDS:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        errors.append(invalid(_SPEC.child("expirationSeconds"), seconds, text))
    return errors


def _check_bundle(obj: Object) -> list[FieldError]:
    bundle = (obj.get("spec") or {}).get("trustBundle") or ""
    if "-----BEGIN CERTIFICATE-----" in bundle:
        return []
    return [invalid(_SPEC.child("trustBundle"), "<value omitted>", "at least one trust anchor must be provided")]


def _state(obj: Object) -> str:
    status = obj.get("status") or {}
    kinds = {each.get("type") for each in status.get("conditions") or ()}
    text = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    if "Failed" in kinds:
        text += ",Failed"
    return f"{text},Issued" if status.get("certificate") else text


def _request_row(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    duration = NONE if seconds is None else short_duration(seconds)
    return [
        name_of(obj),
        age_of(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username") or "",
        duration,
        _state(obj),
    ]


RULES = (
    Rules(
        group=GROUP,
        kind="CertificateSigningRequest",
        namespaced=False,
        name_rule=lambda _name: [],
        has_status=True,
        check=_check_request,
        check_update=lambda new, old: immutable(_SPEC, new.get("spec"), old.get("spec")),
        own_fields=lambda obj: {"spec.signerName": (obj.get("spec") or {}).get("signerName") or ""},
        columns=columns("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"),
        row=_request_row,
    ),
    Rules(
        group=GROUP,
        kind="ClusterTrustBundle",
        namespaced=False,
        unconditional_update=False,
        check=_check_bundle,
        own_fields=lambda obj: {"spec.signerName": (obj.get("spec") or {}).get("signerName") or ""},
        columns=columns("Name", "SignerName"),
        row=lambda obj, _now: [name_of(obj), (obj.get("spec") or {}).get("signerName") or ""],
    ),
)
