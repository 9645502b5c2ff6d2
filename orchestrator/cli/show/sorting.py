"""``--sort-by``: the order of objects by what a path finds in them."""

from __future__ import annotations

from typing import Any

from orchestrator.apimachinery import jsonpath
from orchestrator.apimachinery.quantity import Quantity, QuantityError


def key(path: str, obj: Any) -> tuple[int, Any]:
    """Objects without the field first, then numbers and quantities by amount, then texts."""
    found = jsonpath.find(path, obj)
    if not found or found[0] is None:
        return (0, 0)
    value = found[0]
    if isinstance(value, bool | int | float):
        return (1, value)
    text = jsonpath.text(value)
    try:
        return (1, Quantity.parse(text).as_float())
    except QuantityError:
        return (2, text)
