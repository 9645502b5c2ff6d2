"""Kubernetes played by a cast of actors: the real API, control plane and node, in one process.

``embedding`` is the way in for applications and tests (``from orchestrator import Cluster``); ``cluster`` is the
composition root; ``daemon`` runs it for a long time; ``cli`` is the command. The road of a request through the packages
is in ARCHITECTURE.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.apimachinery.errors import StatusError as StatusError
    from orchestrator.controllers.actions import Apply as Apply
    from orchestrator.controllers.actions import Delete as Delete
    from orchestrator.controllers.actions import Emit as Emit
    from orchestrator.controllers.actions import Observed as Observed
    from orchestrator.controllers.actions import RequeueAfter as RequeueAfter
    from orchestrator.controllers.actions import RequeueAt as RequeueAt
    from orchestrator.controllers.actions import SetCondition as SetCondition
    from orchestrator.controllers.actions import SetStatus as SetStatus
    from orchestrator.controllers.controller import Controller as Controller
    from orchestrator.controllers.outside import run_controllers as run_controllers
    from orchestrator.embedding import Cluster as Cluster
    from orchestrator.embedding import Unmet as Unmet
    from orchestrator.embedding.plan import Plan as Plan
    from orchestrator.kubelet.runtime.behaviour import Behaviour as Behaviour
    from orchestrator.kubelet.runtime.behaviour import Rule as Rule

__version__ = "0.1.0"

PUBLIC = {
    "StatusError": "orchestrator.apimachinery.errors",
    **dict.fromkeys(("Cluster", "Unmet"), "orchestrator.embedding"),
    **dict.fromkeys(("Behaviour", "Rule"), "orchestrator.kubelet.runtime.behaviour"),
    "Plan": "orchestrator.embedding.plan",
    **dict.fromkeys(
        ("Apply", "Delete", "Emit", "Observed", "RequeueAfter", "RequeueAt", "SetCondition", "SetStatus"),
        "orchestrator.controllers.actions",
    ),
    "Controller": "orchestrator.controllers.controller",
    "run_controllers": "orchestrator.controllers.outside",
}
"""What embedders and writers of controllers use, by the module it is in: imported at its first use, so that the command
and the workers do not pay for it."""


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        return getattr(importlib.import_module(PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
