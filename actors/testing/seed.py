"""Seeds from a command line."""

from __future__ import annotations

import random

MOST = 1_000_000
"""Seeds that are chosen at random stay below it: easy to read out."""


def seed_of(text: str) -> int:
    """The number, or for ``random`` one of its own choice. Raises ``ValueError``."""
    return random.SystemRandom().randrange(MOST) if text == "random" else int(text)
