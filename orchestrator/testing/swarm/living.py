"""One seed: the cluster is drawn, its story told, the faults end, and the verdict is what was violated."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from actors.system import Tap
from actors.testing.loop import DeterministicLoop
from orchestrator.embedding.cluster import Cluster
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule
from orchestrator.testing.swarm.convergence import stale_caches, unconverged
from orchestrator.testing.swarm.doubles import doubles
from orchestrator.testing.swarm.ledger import lost
from orchestrator.testing.swarm.log import Change, changes
from orchestrator.testing.swarm.observers import OBSERVERS
from orchestrator.testing.swarm.story import NODE_CPU, Story, draw
from orchestrator.testing.swarm.telling import Teller

CONVERGENCE_SECONDS = 900.0
"""Of virtual time after the last fault: a pull's back-off is five minutes, a node's pods are let go after another."""
NOTICED_SECONDS = 60.0
"""What went wrong at the end is noticed by then: a silent node after 40 s."""
LOOK_SECONDS = 5.0
QUIET_SECONDS = 40.0
"""A converged cluster writes nothing but heartbeats for so long."""
HEARTBEATS = ("core/nodes/", "core/events/")
"""What is written though nothing happens: a node says every five minutes how it is, events are counted and expire."""
WATCH_SECONDS = 0.25
"""Between two looks at what runs where."""
MAX_TURNS = 200_000
"""Of the loop without time passing: far above any burst, so it is work that feeds itself."""
MAX_SHOWN = 5


class Livelock(RuntimeError):
    """Work that feeds itself: virtual time would never pass."""


class GuardedLoop(DeterministicLoop):
    """A deterministic loop that notices when time stops."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, shuffle=True)
        self._turns = 0

    def advance(self) -> None:
        super().advance()
        self._turns = 0

    def _run_once(self) -> None:
        self._turns += 1
        if self._turns > MAX_TURNS:
            raise Livelock(f"{MAX_TURNS} turns of the loop at {self.time():g} s of virtual time")
        super()._run_once()


def verdict(seed: int) -> list[str]:
    """What the run of ``seed`` violated; nothing: it passed."""
    with asyncio.Runner(loop_factory=lambda: GuardedLoop(seed)) as runner:
        try:
            return runner.run(live(draw(seed)))
        except Livelock as livelock:
            return [f"livelock: {livelock}"]


async def live(story: Story, *, tap: Tap | None = None) -> list[str]:
    """The life of one cluster; ``tap`` sees every frame of it."""
    cluster = Cluster(nodes=story.nodes, cpu=NODE_CPU, tap=tap)
    violations: list[str] = []
    async with cluster:
        cluster.behave(
            Rule(Behaviour(run_seconds=2.0, start_seconds=story.start_seconds), label="batch.kubernetes.io/job-name"),
            Rule(Behaviour(start_seconds=story.start_seconds, jitter_seconds=story.start_seconds)),
        )
        watching = asyncio.ensure_future(_watch(cluster, violations))
        teller = Teller(cluster, story)
        try:
            await teller.tell()
            violations += teller.violations
            violations += await _converge(cluster, story, teller)
        finally:
            watching.cancel()
    disk = cluster.memory
    assert disk is not None, "a swarm's cluster keeps its log in memory"
    found = await changes(disk)
    by_revision: dict[int, list[Change]] = defaultdict(list)
    for change in found:
        by_revision[change.revision].append(change)
    violations += lost(teller.promises, by_revision)
    for observer in OBSERVERS:
        violations += observer(found)
    return list(dict.fromkeys(violations))[:MAX_SHOWN]


async def _watch(cluster: Cluster, violations: list[str]) -> None:
    while True:
        violations.extend(doubles(cluster.node_factory.simulated))
        await cluster.system.clock.sleep(WATCH_SECONDS)


async def _converge(cluster: Cluster, story: Story, teller: Teller) -> list[str]:
    """Wait until all is as it was asked for, and then quiet."""
    clock = cluster.system.clock
    end = clock.monotonic() + CONVERGENCE_SECONDS
    await clock.sleep(NOTICED_SECONDS)
    while problems := await unconverged(cluster, story, teller.wanted):
        if clock.monotonic() >= end:
            return [f"not converged {CONVERGENCE_SECONDS:g} s after the faults: {problems[0]}"]
        await clock.sleep(LOOK_SECONDS)
    before = await cluster.written()
    await clock.sleep(QUIET_SECONDS)
    after = await cluster.written()
    problems = await unconverged(cluster, story, teller.wanted)
    if problems:
        return [f"did not stay converged: {problems[0]}"]
    noise = sorted(
        key for key, revision in after.items() if before.get(key) != revision and not key.startswith(HEARTBEATS)
    )
    if noise and not story.tight:
        return [f"not quiet: {', '.join(noise[:3])} written though nothing is left to do"]
    return await stale_caches(cluster)
