"""A cluster for code without a loop: it lives in a thread of its own, and each call waits for its end."""

from __future__ import annotations

import asyncio
import builtins
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.embedding.fields import Fields
from orchestrator.embedding.goal import Goal
from orchestrator.embedding.manifests import Manifest
from orchestrator.embedding.watching import Seen
from orchestrator.fastloop import new_loop

if TYPE_CHECKING:
    from orchestrator.embedding.cluster import Cluster
    from orchestrator.embedding.plan import Plan
    from orchestrator.kubelet.runtime.behaviour import Rule

T = TypeVar("T")


class BlockingCluster:
    """``with Cluster.start(nodes=3) as cluster``: the verbs of ``Cluster``, each blocking its caller.

    May be called from several threads. What is raised is what the verb raises. With ``serve`` its loop is the daemon's;
    else it is asyncio's own, into which virtual time looks.
    """

    def __init__(self, make: Callable[[], Cluster], *, serve: bool = False) -> None:
        self._make = make
        self._new_loop = new_loop if serve else asyncio.new_event_loop
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self.cluster: Cluster
        """The cluster itself: only for code that runs on its loop."""
        self._thread = threading.Thread(target=self._run, name="podium cluster", daemon=True)
        self._thread.start()
        self._started.wait()
        self._raise()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                runner.run(self._live())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._started.set()

    async def _live(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with self._make() as self.cluster:
            self._started.set()
            await self._stopping.wait()

    def stop(self) -> None:
        """Stop the cluster and its thread. Again does no harm."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._raise()

    def _raise(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> BlockingCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run ``coroutine`` on the cluster's loop and give its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def apply(self, manifest: Manifest, *, namespace: str = "") -> builtins.list[Fields]:
        return self.call(self.cluster.apply(manifest, namespace=namespace))

    def get(self, what: str, name: str = "", *, namespace: str = "") -> Fields:
        return self.call(self.cluster.get(what, name, namespace=namespace))

    def find(self, what: str, name: str = "", *, namespace: str = "") -> Fields | None:
        return self.call(self.cluster.find(what, name, namespace=namespace))

    def list(
        self, what: str, *, namespace: str | None = "", selector: str = "", fields: str = "", **labels: str
    ) -> builtins.list[Fields]:
        return self.call(self.cluster.list(what, namespace=namespace, selector=selector, fields=fields, **labels))

    def delete(self, what: str, name: str = "", *, namespace: str = "", **options: Any) -> None:
        self.call(self.cluster.delete(what, name, namespace=namespace, **options))

    def watch(self, what: str, **options: Any) -> Iterator[Seen]:
        """Every change in order, for as long as the iterator is used."""
        changes = self.cluster.watch(what, **options)
        try:
            while True:
                yield self.call(_next(changes))
        finally:
            self.call(_close(changes))

    def wait(self, what: str, goal: Goal = "Ready", *, namespace: str = "", timeout: float = 60.0) -> Fields | None:
        return self.call(self.cluster.wait(what, goal, namespace=namespace, timeout=timeout))

    def kubeconfig(self) -> str:
        return self.cluster.kubeconfig()

    def advance(self, seconds: float = 0.0, **spans: float) -> None:
        self.call(self.cluster.advance(seconds, **spans))

    def settle(self, **options: float) -> None:
        self.call(self.cluster.settle(**options))

    def kill(self, what: str) -> bool:
        return self.call(self.cluster.kill(what))

    def power_off(self, node: str) -> None:
        self.call(self.cluster.power_off(node))

    def revive(self, node: str) -> None:
        self.call(self.cluster.revive(node))

    def behave(self, *rules: Rule) -> None:
        self._loop.call_soon_threadsafe(self.cluster.behave, *rules)

    def pause(self, seconds: float) -> None:
        self.call(self.cluster.pause(seconds))

    def drop(self, share: float, who: str = "*") -> None:
        self.call(self.cluster.drop(share, who))

    def delay(self, seconds: float, who: str = "*") -> None:
        self.call(self.cluster.delay(seconds, who))

    def slow_disk(self, seconds: float) -> None:
        self.call(self.cluster.slow_disk(seconds))

    def fail_pull(self, image: str, message: str = "manifest unknown") -> None:
        self.call(self.cluster.fail_pull(image, message))

    def clock_skew(self, node: str, seconds: float) -> None:
        self.call(self.cluster.clock_skew(node, seconds))

    def partition(self, nodes: str | Sequence[str]) -> None:
        self.call(self.cluster.partition(nodes))

    def suffer(self, plan: Plan) -> builtins.list[str]:
        return self.call(self.cluster.suffer(plan))

    def heal(self) -> None:
        self.call(self.cluster.heal())


async def _next(changes: Any) -> Seen:
    seen: Seen = await anext(changes)
    return seen


async def _close(changes: Any) -> None:
    await changes.aclose()
