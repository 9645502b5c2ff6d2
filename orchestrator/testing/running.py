"""A program on a deterministic loop: one seed, one run."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from actors.testing import run as run_actors

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], *, seed: int) -> T:
    """Run ``main`` in virtual time to its end. The same seed, Python minor version and lock file give the same run.

    A cluster that ``main`` starts takes keys, names, uids and the order of everything from ``seed``. There are no
    threads, sockets or TLS within; what needs one raises ``actors.testing.NotSimulated``. An exception leaves with a
    note that says how to see it again.
    """
    try:
        return run_actors(main, seed=seed, shuffle=True)
    except Exception as failure:
        failure.add_note(f"replay: orchestrator.testing.run({getattr(main, '__qualname__', 'main')}(...), seed={seed})")
        raise
