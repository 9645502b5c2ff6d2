"""What the rules make of an object is what a real API server answered, but for what admission and allocation add."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from orchestrator.api.rules import rules
from orchestrator.api.schema import schema
from orchestrator.apimachinery.tables import definitions
from tests.api.making import NOW, make
from tests.oracle.cases import HERE, manifests
from tests.oracle.facts import scrub

OTHERS = {
    "Pod": ("preemptionPolicy", "priority", "serviceAccount", "serviceAccountName", "tolerations"),
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
    "Node": ("taints",),
}
"""Fields of the spec that admission and allocation fill."""
REFUSED = ("ClusterTrustBundle", "PriorityLevelConfiguration")


@cache
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "facts" / "kinds.json").read_text())
    return found


def label(manifest: dict[str, Any]) -> str:
    group, _, version = manifest["apiVersion"].rpartition("/")
    resource = schema().kind(group, version, manifest["kind"])
    assert resource is not None
    return f"{resource.plural}.{group or 'core'}/{version}/{manifest['metadata']['name']}"


def made(manifest: dict[str, Any]) -> dict[str, Any]:
    obj, errors = make(manifest, manifest["apiVersion"], manifest["kind"])
    assert errors == []
    return obj


def comparable(obj: Any, kind: str) -> Any:
    """Without what is not the rules' to fill."""
    obj = json.loads(json.dumps(scrub(obj)))
    obj["metadata"].pop("finalizers", None)
    for key in OTHERS.get(kind, ()):
        obj["spec"].pop(key, None)
    if kind == "Pod":
        _without_tokens(obj["spec"])
    if kind == "PersistentVolume":
        obj["status"].pop("lastPhaseTransitionTime", None)
    return obj


def _without_tokens(spec: dict[str, Any]) -> None:
    for holder, key in [(spec, "volumes")] + [(each, "volumeMounts") for each in _containers(spec)]:
        left = [each for each in holder.get(key, []) if not each["name"].startswith("kube-api-access")]
        holder.pop(key, None)
        if left:
            holder[key] = left


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [*spec.get("containers", []), *spec.get("initContainers", [])]


CREATED = [each for each in manifests() if each["kind"] not in REFUSED]


@pytest.mark.parametrize("manifest", CREATED, ids=label)
def test_an_object_is_made_as_kubernetes_makes_it(manifest: dict[str, Any]) -> None:
    expected = recorded()[f"{label(manifest)} create"]["body"]
    kind = manifest["kind"]
    assert comparable(made(manifest), kind) == comparable(expected, kind)


@pytest.mark.parametrize("manifest", CREATED, ids=label)
def test_a_kind_has_the_columns_of_kubernetes(manifest: dict[str, Any]) -> None:
    expected = recorded()[f"{label(manifest)} table"]["body"]
    its = rules(manifest["apiVersion"].rpartition("/")[0], manifest["kind"])
    ours = [{key: each[key] for key in ("name", "type", "format", "priority")} for each in definitions(its.columns)]
    assert ours == expected["columnDefinitions"]
    cells = its.row(made(manifest), NOW)
    assert [type(cell) for cell in cells] == [type(cell) for cell in expected["rows"][0]["cells"]]
