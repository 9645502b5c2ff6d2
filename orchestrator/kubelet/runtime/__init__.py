"""What runs containers, behind one interface: ``runtime`` (the protocol), ``errors``, ``exec``, and its
implementations.

``simulated`` with ``behaviour`` (delays instead of programs), ``process/`` (programs of this machine), ``docker/`` (an
engine). Called by the kubelet alone. All pass ``tests/kubelet/runtime_conformance.py``.
"""
