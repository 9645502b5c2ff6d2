"""One seed: the cluster is drawn, its story told, the faults end, and the verdict is what was violated."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import msgspec

from actors.system import Tap
from actors.testing.loop import DeterministicLoop
from orchestrator.client.informer import SILENCE_SECONDS
from orchestrator.testing.swarm.convergence import stale_caches, unconverged
from orchestrator.testing.swarm.doubles import doubles, two_leaders
from orchestrator.testing.swarm.ledger import lost
from orchestrator.testing.swarm.log import Change, changes, forked
from orchestrator.testing.swarm.observers import BOUNDED, OBSERVERS, replicas_bounded, witnessed
from orchestrator.testing.swarm.story import Story, behind, draw
from orchestrator.testing.swarm.telling import Teller
from orchestrator.testing.swarm.world import World

CONVERGENCE_SECONDS = 1_800.0
"""Of virtual time after the last fault: a pull's back-off is five minutes, a node's pods are let go after another, and
a ReplicaSet whose quota is full has come to ask every thousand seconds, as in Kubernetes."""
NOTICED_SECONDS = 60.0
"""What went wrong at the end is noticed by then: a silent node after 40 s."""
SILENCE_NOTICED_SECONDS = SILENCE_SECONDS + 15.0
"""The same where a watch fell silent: until then what it had to say may be done late, and is no noise."""
LOOK_SECONDS = 5.0
QUIET_SECONDS = 40.0
"""A converged cluster writes nothing but heartbeats for so long."""
HEARTBEATS = ("core/nodes/", "core/events/", "apps/deployments/crowded/")
"""What is written though nothing happens: a node says every five minutes how it is, events are counted and expire, and
a Deployment that never gets on says so after ten."""
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


class Life(msgspec.Struct, frozen=True):
    """What became of a seed: what it violated (nothing: it passed), how often each fault befell somebody, and how often
    each thing was there for the observers to judge."""

    seed: int
    violations: list[str]
    faults: dict[str, int]
    witnessed: dict[str, int]


def verdict(seed: int) -> Life:
    """The life of ``seed``."""
    with asyncio.Runner(loop_factory=lambda: GuardedLoop(seed)) as runner:
        try:
            return runner.run(live(draw(seed)))
        except Livelock as livelock:
            return Life(seed, [f"livelock: {livelock}"], {}, {})


async def live(story: Story, *, tap: Tap | None = None) -> Life:
    """The life of one cluster; ``tap`` sees every frame of it."""
    world = World(story, tap)
    violations: list[str] = []
    async with world:
        watching = asyncio.ensure_future(_watch(world, violations))
        teller = Teller(world, story)
        try:
            await teller.tell()
            violations += teller.violations
            violations += await _converge(world, story, teller)
        finally:
            watching.cancel()
    logs = [await changes(disk) for disk in world.logs()]
    violations += forked(logs)
    by_revision: dict[int, list[Change]] = defaultdict(list)
    for change in logs[0]:
        by_revision[change.revision].append(change)
    violations += lost(teller.promises, by_revision)
    counts = world.counts()
    for observer in OBSERVERS:
        violations += observer(logs[0])
    for bounded in BOUNDED:
        violations += bounded(logs[0], behind(story))
    if not counts["write late"]:
        violations += replicas_bounded(logs[0], behind(story))
    counts["control planes: 3"] += story.members > 1
    return Life(story.seed, list(dict.fromkeys(violations))[:MAX_SHOWN], dict(counts), witnessed(logs[0]))


async def _watch(world: World, violations: list[str]) -> None:
    while True:
        violations.extend(doubles(world.runtimes()))
        violations.extend(two_leaders(world))
        await world.clock.sleep(WATCH_SECONDS)


async def _converge(world: World, story: Story, teller: Teller) -> list[str]:
    """Wait until all is as it was asked for, and then quiet."""
    clock = world.clock
    end = clock.monotonic() + CONVERGENCE_SECONDS
    await clock.sleep(SILENCE_NOTICED_SECONDS if world.counts()["watch silenced"] else NOTICED_SECONDS)
    while problems := await unconverged(world, story, teller.wanted):
        if clock.monotonic() >= end:
            return [f"not converged {CONVERGENCE_SECONDS:g} s after the faults: {problems[0]}"]
        await clock.sleep(LOOK_SECONDS)
    await clock.sleep(LOOK_SECONDS)  # what follows from the last change is written: Endpoints have a pace
    before = await world.door.written()
    await clock.sleep(QUIET_SECONDS)
    after = await world.door.written()
    problems = await unconverged(world, story, teller.wanted)
    if problems:
        return [f"did not stay converged: {problems[0]}"]
    noise = sorted(
        key for key, revision in after.items() if before.get(key) != revision and not key.startswith(HEARTBEATS)
    )
    if noise and not story.tight:
        return [f"not quiet: {', '.join(noise[:3])} written though nothing is left to do"]
    return [problem for member in world.members.values() for problem in await stale_caches(member)]
