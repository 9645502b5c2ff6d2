"""Kubernetes played by a cast of actors: the real API, control plane and node, in one process.

``embedding`` is the way in for applications and tests (``from orchestrator import Cluster``); ``cluster`` is the
composition root; ``daemon`` runs it for a long time; ``cli`` is the command. The road of a request through the packages
is in ARCHITECTURE.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.embedding import Cluster as Cluster
    from orchestrator.embedding import Unmet as Unmet

__version__ = "0.1.0"

EMBEDDING = ("Cluster", "Unmet")
"""What is imported at its first use: the command and the workers do not pay for it."""


def __getattr__(name: str) -> Any:
    if name in EMBEDDING:
        from orchestrator import embedding

        return getattr(embedding, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
