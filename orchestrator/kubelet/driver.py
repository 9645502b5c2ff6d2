"""Drives one pod: observe, plan, execute, until the plan is empty; then says when to look again."""

from __future__ import annotations

from actors import Clock
from orchestrator.kubelet.container_status import ERROR_SHOWN_SECONDS
from orchestrator.kubelet.executor import Executor
from orchestrator.kubelet.phase import is_terminal
from orchestrator.kubelet.plan import plan_pod
from orchestrator.kubelet.probe import has_probes
from orchestrator.kubelet.probes import Probes
from orchestrator.kubelet.record import Record
from orchestrator.kubelet.runtime.runtime import Runtime
from orchestrator.kubelet.status_writer import StatusWriter

MAX_ROUNDS = 32
"""Plans in a row for one pod; then others get their turn and it is looked at again after ``PAUSE_SECONDS``."""
PAUSE_SECONDS = 1.0


class Driver:
    """One per kubelet; never two drives of one pod at a time (the kubelet sees to that)."""

    __slots__ = ("_clock", "_executor", "_probes", "_runtime", "_writer")

    def __init__(
        self, runtime: Runtime, executor: Executor, probes: Probes, writer: StatusWriter, clock: Clock
    ) -> None:
        self._runtime = runtime
        self._executor = executor
        self._probes = probes
        self._writer = writer
        self._clock = clock

    async def drive(self, record: Record) -> None:
        """Bring the pod as far as it goes now. Sets ``record.wake_at`` and marks its status for writing."""
        record.plan_at, record.probed = None, ()
        for _ in range(MAX_ROUNDS):
            record.again = False
            if record.finished:
                break
            if not await self._round(record):
                break
        else:
            record.wake_at = self._clock.time() + PAUSE_SECONDS
        self._writer.mark(record)

    async def probe(self, record: Record) -> bool:
        """Only ask the probes that are due. False: the pod has to be driven."""
        now = self._clock.time()
        if self._runtime.waits or not record.probed or record.again or record.finished:
            return False
        if record.plan_at is not None and record.plan_at <= now:
            return False
        wake_at = await self._probes.still(record, now)
        if wake_at is None:
            return False
        record.wake_at = wake_at if record.plan_at is None else min(wake_at, record.plan_at)
        return True

    async def _round(self, record: Record) -> bool:
        """One plan; whether another should follow at once."""
        pod, observed, now = record.pod(), record.observed, self._clock.time()
        observed.see(await self._runtime.observe(record.uid))
        ending = pod.deleting or observed.gone or observed.verdict is not None
        if ending and observed.terminating_since is None:
            observed.terminating_since = now
        plan = plan_pod(pod, observed, now)
        if plan.verdict is not None:
            observed.verdict = plan.verdict
            return True
        if plan.actions:
            await self._executor.run(record, plan.actions)
            if self._runtime.waits:
                self._writer.mark(record)
                self._writer.flush_soon()
            return True
        record.wake_at = plan.wake_at
        if is_terminal(pod):
            return record.again
        changed, wake_at = await self._probes.run(record, now)
        self._wake_for_reason(record, now)
        record.plan_at = record.wake_at
        if wake_at is not None and (record.wake_at is None or wake_at < record.wake_at):
            record.wake_at = wake_at
        if wake_at is not None and not ending:
            record.probed = tuple(one for one in pod.every_container() if has_probes(one))
        if not ending:
            self._executor.tell_back_off(record, now)
        return record.again or (changed and _otherwise(record, wake_at, now))

    def _wake_for_reason(self, record: Record, now: float) -> None:
        """A failed pull shows another reason a little later."""
        for memory in record.observed.memory.values():
            failure = memory.failure
            if failure is not None and failure.backoff_reason:
                shown = failure.at + ERROR_SHOWN_SECONDS
                if now < shown and (record.wake_at is None or shown < record.wake_at):
                    record.wake_at = shown


def _otherwise(record: Record, wake_at: float | None, now: float) -> bool:
    """Whether what the probes found leads to another plan, or to another probe at once.

    That containers are started and ready changes the status alone, but for those that others wait for.
    """
    if wake_at is None or wake_at <= now or record.pod().spec.init_containers:
        return True
    return any(memory.unhealthy for memory in record.observed.memory.values())
