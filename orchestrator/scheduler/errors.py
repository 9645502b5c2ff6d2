"""What the scheduler's callers catch."""

from __future__ import annotations


class ConfigurationError(Exception):
    """A scheduler configuration is not usable. ``field`` is the path of what is wrong, the message says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
