"""What a person reads: one line says one thing and what to do next."""

from __future__ import annotations

import sys


class CommandError(Exception):
    """A command cannot go on; the message is the line the person reads. ``code`` is the exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def fail(message: str, code: int = 1) -> int:
    print(message, file=sys.stderr)
    return code


def duration(seconds: float) -> str:
    """A span as one would say it: ``0.4 s``, ``52 s``, ``4 min 8 s``, ``3 h 12 min``, ``41 d``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d"
