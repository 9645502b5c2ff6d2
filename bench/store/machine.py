"""What a figure must be read with: the machine and how busy it was."""

from __future__ import annotations

import os
import platform
import resource
from typing import Any


def facts() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


def resident_bytes() -> int:
    """What this process has in memory now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()
