"""One cluster for many tests: it lives in a thread, and each test has a namespace of its own in it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from actors.testing import DeterministicLoop
from orchestrator.embedding.blocking import BlockingCluster

NAMESPACED = frozenset(("apply", "get", "find", "list", "delete", "wait"))
"""Verbs that look in the test's namespace when they are told none."""


async def _awaited(future: Future[Any]) -> Any:
    if isinstance(asyncio.get_running_loop(), DeterministicLoop):
        return future.result()  # such a loop cannot wait for a thread
    return await asyncio.wrap_future(future)


class Tenant:
    """The verbs of ``Cluster`` in one namespace: awaitable ones for an async test, blocking ones for another."""

    def __init__(self, blocking: BlockingCluster, namespace: str, *, awaited: bool, folder: Path | None = None) -> None:
        self._blocking = blocking
        blocking.cluster.folder = folder  # of this test: there is one at a time
        self._awaited = awaited
        self.namespace = namespace
        blocking.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        blocking.wait("serviceaccount/default", "exists", namespace=namespace)

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._blocking.cluster, name)
        if not asyncio.iscoroutinefunction(verb):
            return verb

        def call(*args: Any, **options: Any) -> Any:
            if name in NAMESPACED:
                options.setdefault("namespace", self.namespace)
            future = asyncio.run_coroutine_threadsafe(verb(*args, **options), self._blocking.cluster.system.loop)
            return _awaited(future) if self._awaited else future.result()

        return call

    def leave(self) -> None:
        """Have the namespace deleted; nobody waits for its end."""
        self._blocking.delete("namespace", self.namespace)
