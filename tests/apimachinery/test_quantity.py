"""Quantities are parsed and shown as Go does it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.apimachinery.quantity import Quantity, QuantityError, canonical, compare


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.1Mi", "104857600m"),
        ("1000", "1k"),
        ("1000m", "1"),
        ("1e3", "1e3"),
        ("1E3", "1e3"),
        ("+5", "5"),
        ("-1.5", "-1500m"),
        (".5", "500m"),
        ("0.0000000001", "1n"),
        ("512", "512"),
        ("8Ei", "9223372036854775807"),
    ],
)
def test_the_canonical_text(text: str, shown: str) -> None:
    assert canonical(text) == shown


@pytest.mark.parametrize("text", ["", "abc", "1Kii", ".", "--1", "1.2.3", "1e", "5 "])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(QuantityError):
        Quantity.parse(text)


def test_values_are_rounded_up() -> None:
    assert Quantity.parse("1500m").value() == 2
    assert Quantity.parse("1u").milli() == 1


def test_forms_do_not_matter_to_comparison() -> None:
    assert compare("1", "1000m") == 0
    assert compare("1Ki", "1k") == 1


@given(st.integers(-(10**12), 10**12), st.sampled_from(["m", "", "k", "Ki", "Mi", "e2"]))
def test_the_canonical_text_means_the_same(number: int, suffix: str) -> None:
    quantity = Quantity.parse(f"{number}{suffix}")
    assert Quantity.parse(str(quantity)) == quantity
    assert canonical(str(quantity)) == str(quantity)
