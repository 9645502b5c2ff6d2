"""What validation says of a flawed object is what a real API server said, to the letter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from orchestrator.api.schema import Resource, schema
from orchestrator.apimachinery import errors
from tests.api.making import make
from tests.oracle.cases import HERE, Case, invalid_objects

ALLOCATED = ("cluster ip out of range",)
"""Said by the allocator of addresses."""


def resource_of(case: Case) -> Resource:
    parts = urlsplit(case.path).path.strip("/").split("/")
    group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
    found = schema().resource(group, version, parts[-1])
    assert found is not None, case.path
    return found


def flaws() -> Iterator[Any]:
    facts = json.loads((HERE / "facts" / "invalid.json").read_text())
    for case in invalid_objects():
        if facts[case.name]["code"] == 422 and case.name not in ALLOCATED:
            yield pytest.param(case, facts[case.name]["body"], id=case.name)


@pytest.mark.parametrize(("case", "expected"), list(flaws()))
def test_a_flaw_is_named_as_kubernetes_names_it(case: Case, expected: dict[str, Any]) -> None:
    resource = resource_of(case)
    body = {key: value for key, value in case.body.items() if key not in ("apiVersion", "kind")}
    obj, found = make(body, resource.api_version, resource.kind)
    status = errors.invalid(resource.group, resource.kind, obj["metadata"].get("name", ""), found).status
    assert status == expected
