"""ReplicationController: the ReplicaSet's engine over the older kind, whose selector is a plain map of labels."""

from __future__ import annotations

from orchestrator.client.kinds import REPLICATIONCONTROLLERS
from orchestrator.controllers.replicaset import ReplicaSets


class ReplicationControllers(ReplicaSets, kind=REPLICATIONCONTROLLERS):
    """Drives pods to the count of their ReplicationController."""
