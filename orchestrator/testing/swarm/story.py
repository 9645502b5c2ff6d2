"""What a seed stands for: a cluster, its workloads, and what happens to them. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import msgspec

from orchestrator.embedding.faults import (
    ClockSkew,
    Compact,
    CutWatches,
    Delay,
    Drop,
    FailPull,
    Fault,
    Heal,
    Lag,
    Late,
    Partition,
    PowerOff,
    PowerOn,
    SlowDisk,
)
from orchestrator.embedding.plan import KillOne

CHAOS_SECONDS = 60.0
"""Of virtual time, in which steps happen; then all faults end."""
SIEGE_SECONDS = 420.0
"""The same where what is broken stays so for long: a silent node's pods are let go after 340 s."""
SIEGE_SHARE = 0.12
HEALS = 2
"""The weight of a heal; in a siege there is none."""
MANY_SHARE = 0.2
"""Of the stories that have three control planes: they cost several times as much."""
NODE_CPU = "8"
"""All workloads fit into the smallest cluster, so a converged one has no pending pod."""
TIGHT_PODS = 3
"""The quota of the namespace ``tight``, whose Deployment wants more."""


class Workload(msgspec.Struct, frozen=True):
    """``kind`` is Deployment, StatefulSet, DaemonSet or Job; ``replicas`` of a Job are its completions."""

    kind: str
    name: str
    replicas: int
    version: int = 1
    cpu_millis: int = 250
    probe: bool = False


class Scale(msgspec.Struct, frozen=True):
    name: str
    replicas: int


class Update(msgspec.Struct, frozen=True):
    name: str
    version: int


class Remove(msgspec.Struct, frozen=True):
    name: str
    propagation: str = "Background"


class Replace(msgspec.Struct, frozen=True):
    """It is removed, and made anew as soon as it is gone: what belonged to the old one may still be there."""

    name: str
    propagation: str = "Background"


class DeletePod(msgspec.Struct, frozen=True):
    """The pod at this share of the list; ``force``: at once, unless it is one of a StatefulSet, whose name must be
    free before it is taken again."""

    share: float
    force: bool = False


class Write(msgspec.Struct, frozen=True):
    """A ConfigMap of the ledger gets a new value."""

    name: str
    value: str


class KillInformer(msgspec.Struct, frozen=True):
    """The informer at this share of them."""

    share: float


class FalterOne(msgspec.Struct, frozen=True):
    """Of informers and kubelets the one at this share is killed, and its next starts fail."""

    share: float
    times: int


class KillWriter(msgspec.Struct, frozen=True):
    """Of those who write, the one at this share is killed between a write and its answer; ``lag`` seconds late is what
    its next instance sees."""

    share: float
    lag: float = 0.0


class Forget(msgspec.Struct, frozen=True):
    """The history is compacted while watches of ``resource`` are cut: their caches have to list again."""

    resource: str


class LoseMember(msgspec.Struct, frozen=True):
    """The machine of the member at this share, or of the one that runs the controllers, goes off."""

    share: float
    leader: bool


class SeverMember(msgspec.Struct, frozen=True):
    """That member and the others do not reach each other."""

    share: float
    leader: bool


class Reunite(msgspec.Struct, frozen=True):
    """Members reach each other again, and those that are off come back."""


Act = (
    Scale
    | Update
    | Remove
    | Replace
    | DeletePod
    | Write
    | KillOne
    | FalterOne
    | KillInformer
    | KillWriter
    | Forget
    | LoseMember
    | SeverMember
    | Reunite
    | Fault
)


class Step(msgspec.Struct, frozen=True):
    at: float
    act: Act


class Story(msgspec.Struct, frozen=True):
    seed: int
    seconds: float
    """In which steps happen."""
    members: int
    """Control planes: one, or three over one log."""
    nodes: int
    start_seconds: float
    """How long containers take to start, with as much again drawn."""
    tight: bool
    """Whether there is a namespace with a quota that is too small."""
    crowded: bool
    """Whether a Deployment in the namespace ``crowded`` wants a port of the host for more pods than there are nodes."""
    workloads: tuple[Workload, ...]
    steps: tuple[Step, ...]


def draw(seed: int) -> Story:
    """The story of ``seed``."""
    source = random.Random(f"swarm/{seed}")
    members = 3 if source.random() < MANY_SHARE else 1
    nodes = source.choice((3, 3, 3, 4, 5, 10)) if members == 1 else source.choice((3, 4, 6))
    workloads = tuple(_workload(source, number) for number in range(source.randint(1, 3)))
    names = list(node_names(nodes, members))
    siege = source.random() < SIEGE_SHARE
    moments = sorted(source.uniform(0.0, CHAOS_SECONDS) for _ in range(source.randint(8, 18)))
    acts = (*ACTS, *(MEMBERS if members > 1 else ()), *(() if siege else ((HEALS, Heal),)))
    steps = tuple(Step(round(at, 3), _act(source, workloads, names, acts)) for at in moments)
    return Story(
        seed=seed,
        seconds=SIEGE_SECONDS if siege else CHAOS_SECONDS,
        members=members,
        nodes=nodes,
        start_seconds=source.choice((0.0, 0.2, 1.0)),
        tight=source.random() < 0.4,
        crowded=source.random() < 0.4,
        workloads=workloads,
        steps=steps,
    )


def node_names(nodes: int, members: int) -> Iterator[str]:
    """As the members of a world call those that are dealt out to them."""
    if members == 1:
        yield from (f"node-{number + 1}" for number in range(nodes))
        return
    for member in range(1, members + 1):
        yield from (f"node-{member}-{number + 1}" for number in range(dealt(nodes, members, member)))


def dealt(nodes: int, members: int, member: int) -> int:
    """How many of ``nodes`` the machine of ``member`` runs."""
    return (nodes + members - max(member, 1)) // members


def _workload(source: random.Random, number: int) -> Workload:
    kind = source.choice(("Deployment", "Deployment", "StatefulSet", "StatefulSet", "DaemonSet", "Job", "Job"))
    return Workload(
        kind,
        f"{kind.lower()}-{number}",
        source.randint(1, 5),
        cpu_millis=source.choice((100, 250, 1000)),
        probe=source.random() < 0.5,
    )


USER = ((4, Scale), (4, Update), (1, Remove), (3, Replace), (4, DeletePod), (5, Write))
CRASHES = ((6, KillOne), (3, KillInformer), (2, FalterOne), (6, KillWriter), (2, PowerOff), (2, PowerOn))
NETWORK = ((2, Partition), (2, Drop), (2, Late), (2, Delay), (5, Lag), (2, CutWatches), (2, Forget), (1, Compact))
MACHINES = ((1, SlowDisk), (1, FailPull), (1, ClockSkew))
ACTS = (*USER, *CRASHES, *NETWORK, *MACHINES)
MEMBERS = ((4, LoseMember), (4, SeverMember), (4, Reunite))
WATCHED = ("pods*", "pods*", "nodes*", "replicasets*", "statefulsets*", "deployments*", "jobs*", "endpointslices*", "*")
"""What is watched, as patterns: pods are what most is decided by."""


Weights = tuple[tuple[int, type], ...]


def _act(source: random.Random, workloads: tuple[Workload, ...], nodes: list[str], acts: Weights) -> Act:
    [kind] = source.choices([kind for _, kind in acts], weights=[weight for weight, _ in acts])
    chosen, node, share = source.choice(workloads), source.choice(nodes), source.random()
    return _user_act(kind, source, chosen, share) or _fault(kind, source, node, nodes, share)


def _user_act(kind: type, source: random.Random, chosen: Workload, share: float) -> Act | None:
    if kind is Scale:
        return Scale(chosen.name, source.randint(0, 6))
    if kind is Update:
        return Update(chosen.name, source.randint(1, 4))
    if kind is Remove:
        return Remove(chosen.name, source.choice(("Background", "Foreground")))
    if kind is Replace:
        return Replace(chosen.name, source.choice(("Background", "Foreground")))
    if kind is DeletePod:
        return DeletePod(share, source.random() < 0.3)
    if kind is Write:
        return Write(f"ledger-{source.randint(1, 3)}", f"{source.getrandbits(32):08x}")
    return None


def _fault(kind: type, source: random.Random, node: str, nodes: list[str], share: float) -> Act:
    who = source.choice(("*", "system:node:*", "system:serviceaccount:*", "system:kube-scheduler"))
    watched, leader = source.choice(WATCHED), source.random() < 0.6
    made: dict[type, Callable[[], Act]] = {
        KillOne: lambda: KillOne(share),
        KillInformer: lambda: KillInformer(share),
        FalterOne: lambda: FalterOne(share, source.randint(1, 3)),
        KillWriter: lambda: KillWriter(share, source.choice((0.0, 2.0))),
        PowerOff: lambda: PowerOff(node),
        PowerOn: lambda: PowerOn(node),
        Partition: lambda: Partition(tuple(source.sample(nodes, source.randint(1, 2)))),
        Drop: lambda: Drop(round(share * 0.4, 3), who),
        Late: lambda: Late(round(share * 0.4, 3), source.choice((0.1, 1.0, 5.0)), who),
        Delay: lambda: Delay(round(share * 3.0, 3), who),
        Lag: lambda: Lag(source.choice((0.05, 0.5, 2.0, 8.0)), source.choice((watched, "*/pods"))),
        CutWatches: lambda: CutWatches(watched, silent=share < 0.25),
        Forget: lambda: Forget(watched),
        Compact: Compact,
        SlowDisk: lambda: SlowDisk(round(share, 3)),
        FailPull: lambda: FailPull(f"*:{source.randint(1, 4)}", "manifest unknown"),
        ClockSkew: lambda: ClockSkew(node, round(share * 1200.0 - 600.0, 1)),
        Heal: Heal,
        LoseMember: lambda: LoseMember(share, leader),
        SeverMember: lambda: SeverMember(share, leader),
        Reunite: Reunite,
    }
    return made[kind]()


def behind(story: Story) -> float:
    """Seconds by which what a controller knows may be behind, given what befalls this cluster."""
    acts = [step.act for step in story.steps]
    if story.members > 1 or any(isinstance(act, CutWatches) and act.silent for act in acts):
        return 180.0
    if any(isinstance(act, LOSSES) for act in acts):
        return 90.0
    lags = [act.seconds for act in acts if isinstance(act, Lag)] + [
        act.lag for act in acts if isinstance(act, KillWriter)
    ]
    return RESTART_SECONDS + max(lags, default=0.0)


RESTART_SECONDS = 10.0
"""Until whoever was killed is there again, with a new cache."""
LOSSES = (Drop, Late, Delay, SlowDisk)
"""With these lists and watches are tried again and again, each time after a longer pause."""


def describe(step: Step) -> str:
    """A line for a person."""
    return f"{step.at:7.3f} s  {step.act!r}"
