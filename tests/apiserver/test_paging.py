from __future__ import annotations

import pytest

from orchestrator.apimachinery.errors import StatusError
from orchestrator.apiserver.paging import Page, decode_token, encode_token


def test_a_token_says_where_to_go_on() -> None:
    token = encode_token(7, "core/pods/a/x", "core/pods/")
    assert decode_token(token, "core/pods/") == Page(7, "core/pods/a/x")


@pytest.mark.parametrize("text", ["nonsense", "", "e30", "eyJ2IjogIngifQ"])
def test_a_token_that_is_none_is_a_bad_request(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        decode_token(text, "core/pods/")
    assert refused.value.code == 400
