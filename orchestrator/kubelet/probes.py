"""Runs the probes of a pod that are due and turns their answers into verdicts."""

from __future__ import annotations

from actors import Clock
from orchestrator.apimachinery.encoded import Object
from orchestrator.kubelet import probe
from orchestrator.kubelet.executor import Poke, Spawn
from orchestrator.kubelet.observed import Memory
from orchestrator.kubelet.pod import Container, is_sidecar
from orchestrator.kubelet.probe import Due, Probing
from orchestrator.kubelet.prober import Answer, Prober
from orchestrator.kubelet.record import Record
from orchestrator.kubelet.reporter import Reporter
from orchestrator.kubelet.runtime.runtime import Container as Seen
from orchestrator.kubelet.runtime.runtime import State


class Probes:
    """One per kubelet."""

    __slots__ = ("_clock", "_poke", "_prober", "_report", "_spawn")

    def __init__(self, prober: Prober, reporter: Reporter, clock: Clock, *, spawn: Spawn, poke: Poke) -> None:
        self._prober = prober
        self._report = reporter
        self._clock = clock
        self._spawn = spawn
        self._poke = poke

    async def run(self, record: Record, now: float) -> tuple[bool, float | None]:
        """Ask what is due. Whether a verdict changed, and when to come again."""
        if record.observed.terminating_since is not None:
            return False, None
        changed, wake_at = False, None
        for container in record.pod().every_container():
            if not probe.has_probes(container):
                continue
            seen = record.observed.containers.get(container.name)
            if seen is None or seen.state is not State.RUNNING:
                continue
            memory = self._memory(record, container, seen)
            if memory.stopping is not None or memory.post_start or memory.probing is None:
                continue
            changed = await self._ask_due(record, container, seen, memory, now) or changed
            following = probe.next_at(memory.probing)
            if following is not None and (wake_at is None or following < wake_at):
                wake_at = following
        return changed, wake_at

    async def still(self, record: Record, now: float) -> float | None:
        """Ask what is due where all was well. When to come again; None: something is not as it was."""
        wake_at: float | None = None
        for container in record.probed:
            seen = record.observed.containers.get(container.name)
            memory = record.observed.memory.get(container.name)
            if seen is None or seen.state is not State.RUNNING or memory is None or memory.stopping is not None:
                return None
            probing = memory.probing
            if probing is None or memory.attempt != seen.attempt or not (probing.started and probing.ready):
                return None
            for one in probe.due(container, probing, now):
                answer = await self._ask(record, container, seen, one)
                if not answer.success:
                    return None
                probing = probe.answered(container, probing, one.kind, success=True, now=now, until=answer.until)
            memory.probing = probing
            following = probe.next_at(probing)
            if following is not None and (wake_at is None or following < wake_at):
                wake_at = following
        return wake_at

    def _memory(self, record: Record, container: Container, seen: Seen) -> Memory:
        memory = record.observed.of(container.name)
        if memory.probing is None or memory.attempt != seen.attempt:
            memory.attempt = seen.attempt
            known = _known(record.pod().status, container, seen)
            memory.probing = probe.begin(
                container, seen.started_at, ready=bool(known.get("ready")), started=bool(known.get("started"))
            )
        return memory

    async def _ask_due(self, record: Record, container: Container, seen: Seen, memory: Memory, now: float) -> bool:
        assert memory.probing is not None
        due = probe.due(container, memory.probing, now, doubted=not self._prober.waits)
        if not due:
            return False
        if self._prober.waits:
            memory.probing = probe.running_now(memory.probing, due, now)
            for one in due:
                self._spawn(self._ask_later(record, container, seen, one), f"{one.kind} probe {record.title}")
            return False
        changed = False
        for one in due:
            answer = await self._ask(record, container, seen, one)
            changed = self._answered(record, container, one, answer) or changed
        return changed

    async def _ask(self, record: Record, container: Container, seen: Seen, due: Due) -> Answer:
        sandbox = record.observed.sandbox
        ip = sandbox.ip if sandbox is not None else ""
        return await self._prober.ask(container, due.kind, due.probe, container_id=seen.id, ip=ip)

    async def _ask_later(self, record: Record, container: Container, seen: Seen, due: Due) -> None:
        answer = await self._ask(record, container, seen, due)
        if record.observed.of(container.name).attempt == seen.attempt:
            self._answered(record, container, due, answer)
            self._poke(record.uid)

    def _answered(self, record: Record, container: Container, due: Due, answer: Answer) -> bool:
        memory = record.observed.of(container.name)
        before = memory.probing
        if before is None:
            return False
        now = self._clock.time()
        after = probe.answered(container, before, due.kind, success=answer.success, now=now, until=answer.until)
        memory.probing = after
        if not answer.success:
            title = due.kind.value.capitalize()
            self._report.warning(record, "Unhealthy", f"{title} probe failed: {answer.message}", container.name)
        if after.unhealthy is not None and before.unhealthy is None:
            memory.unhealthy = f"Container {container.name} failed {after.unhealthy} probe, will be restarted"
        return _differs(before, after)


def _differs(before: Probing, after: Probing) -> bool:
    return (before.started, before.ready, before.unhealthy) != (after.started, after.ready, after.unhealthy)


def _known(status: Object, container: Container, seen: Seen) -> Object:
    """What the API server was told of this very container: a kubelet that restarts does not take a ready pod away."""
    field = "initContainerStatuses" if is_sidecar(container) else "containerStatuses"
    for one in status.get(field) or ():
        if one.get("name") == container.name and str(one.get("containerID", "")).endswith(f"://{seen.id}"):
            found: Object = one
            return found
    return {}
