"""The order of merged lists is that of structured-merge-diff."""

from __future__ import annotations

import pytest

from orchestrator.apimachinery.interleaving import interleave


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        ("", "AB", "AB"),
        ("ab", "", "ab"),
        ("abc", "CA", "bCA"),
        ("abc", "AXC", "AbXC"),
        ("axb", "BA", "xBA"),
    ],
)
def test_shared_elements_stand_as_applied_and_live_ones_before_those_that_they_preceded(
    live: str, applied: str, merged: str
) -> None:
    wanted = dict.fromkeys(applied.lower())
    found = interleave([(one, one) for one in live], list(wanted), str.upper, wanted)
    assert "".join(found) == merged
