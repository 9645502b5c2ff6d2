from __future__ import annotations

from typing import Any

import msgspec
import pytest

from orchestrator.apimachinery.encoded import decode_part, encode_part
from orchestrator.apimachinery.metadata import decode_lightly

MANAGED = [{"manager": "m", "operation": "Update", "fieldsV1": {"f:spec": {}}}]


def test_managed_fields_stay_encoded_and_come_out_as_they_went_in() -> None:
    metadata: dict[str, Any] = {"uid": "u", "name": "web", "labels": {"a": "b"}, "managedFields": MANAGED}
    light = decode_lightly(encode_part(metadata))
    assert isinstance(light["managedFields"], msgspec.Raw)
    assert decode_part(encode_part(light)) == metadata


@pytest.mark.parametrize("metadata", [{}, {"name": "web", "generation": 3}, {"name": "web", "newer": [1]}])
def test_nothing_is_lost_and_nothing_is_added(metadata: dict[str, Any]) -> None:
    assert decode_lightly(encode_part(metadata)) == metadata


def test_the_revision_is_shown_where_it_is_known() -> None:
    assert decode_lightly(encode_part({"name": "web"}), 7) == {"name": "web", "resourceVersion": "7"}
