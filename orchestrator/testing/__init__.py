"""What a test of an application, or of Podium itself, embeds: a whole simulated cluster with hands to shake it.

Owns nothing of the cluster's behaviour; imported by tests only. ``cluster`` (the cluster and its hands), ``record``
(every frame of a run as canonical lines).
"""

from orchestrator.testing.cluster import SimulatedCluster, Unmet
from orchestrator.testing.record import Recording

__all__ = ["Recording", "SimulatedCluster", "Unmet"]
