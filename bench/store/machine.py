"""What a figure must be read with: the machine and how busy it was."""

from __future__ import annotations

import os
import platform
from typing import Any


def facts() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }
