"""What every test gets: virtual time for async tests, no task left behind, plain logs."""

from __future__ import annotations

import structlog
from hypothesis import settings

# How long an example takes says what else the machine does.
settings.register_profile("podium", deadline=None)
settings.load_profile("podium")

pytest_plugins = ["actors.testing.plugin"]

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["level", "event", "actor"]),
    ],
    cache_logger_on_first_use=False,
)
