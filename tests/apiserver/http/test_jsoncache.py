from __future__ import annotations

from typing import Any

import orjson
import pytest

from orchestrator.apimachinery.encoded import encode
from orchestrator.apiserver.http.jsoncache import ordered, to_json

META: dict[str, Any] = {"name": "web", "labels": {"a": "ü"}}
MANAGED = [{"manager": "ü", "fieldsV1": {"f:a": {}}}, {"manager": "b", "subresource": "status"}]


@pytest.mark.parametrize("revision", [0, 7])
@pytest.mark.parametrize(
    "obj",
    [
        {"apiVersion": "v1", "kind": "Pod", "metadata": META, "spec": {"a": [1]}, "status": {"phase": "Running"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": META, "data": {"b": "1", "a": "2"}, "immutable": True},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": META, "status": {}},
        {"apiVersion": "v1", "kind": "Thing", "metadata": META},
        {"apiVersion": "v1", "kind": "Thing", "metadata": {}},
        {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a", "managedFields": MANAGED, "uid": "u"}},
        {"apiVersion": "v1", "kind": "Thing", "metadata": {"managedFields": [], "uid": "u"}},
        {"apiVersion": "v1", "kind": "Thing", "metadata": {"managedFields": None}},
        {"apiVersion": "v1", "kind": "Thing", "metadata": {"labels": {"managedFields": "x"}, "managedFields": MANAGED}},
    ],
)
def test_what_is_put_together_is_what_would_be_written_whole(obj: dict[str, Any], revision: int) -> None:
    encoded = encode(obj, revision)
    assert to_json(encoded) == orjson.dumps(ordered(encoded.decode()))
