"""Spans of time as Go writes them: ``30s``, ``5m``, ``1h30m``."""

from __future__ import annotations

import argparse
import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def seconds(text: str) -> float:
    """An argparse type: a bare number is seconds, a negative one a week, as kubectl has it."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if text.startswith("-"):
        return 7 * UNITS["d"]
    found = _SPAN.findall(text)
    if not found or "".join(amount + unit for amount, unit in found) != text:
        raise argparse.ArgumentTypeError(f"expected a span such as 30s, 5m or 1h30m, found {text!r}")
    return sum(float(amount) * UNITS[unit] for amount, unit in found)
