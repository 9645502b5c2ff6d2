"""``key=value`` words."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.cli.terminal import CommandError


def parse(words: Sequence[str]) -> dict[str, str]:
    """Raises ``CommandError`` for a word without ``=``."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise CommandError(f"expected key=value, found {word!r}", code=2)
        found[key] = value
    return found
