"""Kubernetes played by a cast of actors: the real API, control plane and node, in one process.

``cluster`` is the composition root and the way in for embedders; ``daemon`` runs it for a long time; ``cli`` is the
command. The road of a request through the packages is in ARCHITECTURE.md.
"""

__version__ = "0.1.0"
