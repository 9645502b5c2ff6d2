"""A cluster inside a program: started with ``async with``, spoken to in Python, its time real or virtual.

Called by applications, by tests and by ``orchestrator.testing``; it may import everything. In reading order:
``cluster`` (what an embedder holds), ``door`` (its HTTPS side), ``blocking`` (for code without a loop), ``clock``
(virtual time) with ``collecting``, ``fields`` (an object by attributes), ``reference`` ("deployment/web"),
``manifests``, ``goal`` (what is waited for), ``unmet`` (what was missing), ``fitting`` (why no node fits),
``watching``; ``faults`` and what carries them out: ``network``, ``disk``, ``plan``.
"""

from orchestrator.embedding.clock import VirtualClock
from orchestrator.embedding.cluster import Cluster
from orchestrator.embedding.fields import Fields
from orchestrator.embedding.unmet import Unmet

__all__ = ["Cluster", "Fields", "Unmet", "VirtualClock"]
