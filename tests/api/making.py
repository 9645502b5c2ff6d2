"""The steps of a create that are the rules': decode, default, track fields, prepare, validate."""

from __future__ import annotations

from typing import Any

from orchestrator.api.check import check
from orchestrator.api.rules import rules
from orchestrator.api.schema import schema
from orchestrator.apimachinery.apply import update_managed
from orchestrator.apimachinery.copying import deep
from orchestrator.apimachinery.field import FieldError
from tests.oracle.cases import NAMESPACE

NOW = 1_800_000_000.0


def make(body: dict[str, Any], api_version: str, kind: str) -> tuple[dict[str, Any], list[FieldError]]:
    """The object as it would be stored, and what is wrong with it."""
    group, _, version = api_version.rpartition("/")
    type, its = schema().type(group, version, kind), rules(group, kind)
    obj: dict[str, Any] = deep(check({"apiVersion": api_version, "kind": kind, **deep(body)}, type).obj)
    meta = obj.setdefault("metadata", {})
    if its.namespaced:
        meta["namespace"] = NAMESPACE
    its.default(obj)
    managed = update_managed(None, obj, type, "Python-urllib", version=api_version, now=NOW, reset=its.reset_fields())
    meta["uid"] = "00000000-0000-0000-0000-000000000001"
    meta["creationTimestamp"], meta["resourceVersion"] = "2027-01-15T07:59:57Z", "1"
    its.prepare_create(obj)
    errors = its.validate(obj)
    if managed:
        meta["managedFields"] = managed
    return obj, errors
