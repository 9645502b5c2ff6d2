"""Which component runs in which process: ``scheduler=worker`` puts the scheduler into the worker process ``worker``.

Any component but the store and the API server's actor can be placed; what is not named runs in the daemon's process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.config import ConfigError
from orchestrator.controllers.registry import CONTROLLERS

KUBELET_PREFIX = "kubelet/"
MAX_WORKERS = 32
"""Worker processes of one cluster; each takes the memory of an interpreter and of its informers' caches."""


def controller_part(name: str) -> str:
    """The name that a registered controller is placed by, as kube-controller-manager calls it."""
    return f"{name}-controller"


CONTROLLER_PARTS = tuple(controller_part(entry.name) for entry in CONTROLLERS)
PARTS = ("scheduler", *CONTROLLER_PARTS, "kubelets", "proxy", "dns", "door")
GROUPS = {"controllers": CONTROLLER_PARTS, "all": PARTS}
"""Names that stand for several parts."""


def parse(text: str) -> dict[str, str]:
    """``part=process,...``. Raises ConfigError."""
    return check(dict(_pair(item.strip()) for item in text.split(",") if item.strip()))


def check(placed: Mapping[str, str]) -> dict[str, str]:
    """The process of each single part. Raises ConfigError for one that cannot be placed, or not so."""
    found: dict[str, str] = {}
    for part in sorted(placed, key=lambda name: name not in GROUPS):  # what is named alone wins over its group
        process = placed[part]
        if part not in PARTS and part not in GROUPS:
            raise ConfigError("place", f"expected one of {', '.join([*GROUPS, *PARTS])}, found {part!r}")
        if not process.replace("-", "").isalnum() or process == "podium":
            raise ConfigError("place", f"expected the name of a worker process for {part}, found {process!r}")
        found.update(dict.fromkeys(GROUPS.get(part, (part,)), process))
    if len(workers(found.values())) > MAX_WORKERS:
        raise ConfigError("place", f"expected at most {MAX_WORKERS} worker processes")
    return found


def workers(processes: Iterable[str]) -> list[str]:
    """Each worker process once, in the order of its first part."""
    return list(dict.fromkeys(processes))


def _pair(item: str) -> tuple[str, str]:
    part, equals, process = item.partition("=")
    if not equals:
        raise ConfigError("place", f"expected PART=PROCESS, found {item!r}")
    return part, process
