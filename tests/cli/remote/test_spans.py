from __future__ import annotations

import argparse

import pytest

from orchestrator.cli.remote.spans import seconds


@pytest.mark.parametrize(("text", "expected"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("7", 7), ("500ms", 0.5)])
def test_a_span_is_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "5x", "m5", "5m x"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected a span"):
        seconds(text)
