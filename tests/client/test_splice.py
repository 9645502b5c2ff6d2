from __future__ import annotations

import msgspec
import pytest

from orchestrator.client.splice import cut

encode = msgspec.msgpack.encode
KEY = encode("managedFields")


def test_an_entry_is_cut_out_of_its_map() -> None:
    value = encode([{"manager": "m"}])
    before, after = cut(encode({"name": "a", "managedFields": [{"manager": "m"}], "uid": "u"}), KEY, value)
    assert before + KEY + value + after == encode({"name": "a", "managedFields": [{"manager": "m"}], "uid": "u"})
    assert after == encode("uid") + encode("u")


def test_a_label_of_the_same_name_is_passed_over() -> None:
    part = encode({"labels": {"managedFields": "x"}, "managedFields": []})
    before, after = cut(part, KEY, encode([]))
    assert (before, after) == (part[: -len(KEY) - 1], b"")


def test_what_is_not_there_cannot_be_cut_out() -> None:
    with pytest.raises(ValueError, match="not found"):
        cut(encode({"name": "a"}), KEY, encode([]))
