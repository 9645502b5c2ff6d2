"""What a seed stands for: a cluster, its workloads, and what happens to them. Pure."""

from __future__ import annotations

import random

import msgspec

from orchestrator.embedding.faults import (
    ClockSkew,
    Delay,
    Drop,
    FailPull,
    Heal,
    Partition,
    PowerOff,
    PowerOn,
    SlowDisk,
)

CHAOS_SECONDS = 60.0
"""Of virtual time, in which steps happen; then all faults end."""
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


class DeletePod(msgspec.Struct, frozen=True):
    """The pod at this share of the list."""

    share: float


class Write(msgspec.Struct, frozen=True):
    """A ConfigMap of the ledger gets a new value."""

    name: str
    value: str


class KillOne(msgspec.Struct, frozen=True):
    """The actor at this share of the tree."""

    share: float


Fault = Partition | PowerOff | PowerOn | Drop | Delay | SlowDisk | FailPull | ClockSkew | Heal
Act = Scale | Update | Remove | DeletePod | Write | KillOne | Fault


class Step(msgspec.Struct, frozen=True):
    at: float
    act: Act


class Story(msgspec.Struct, frozen=True):
    seed: int
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
    nodes = source.choice((3, 3, 3, 4, 5, 10))
    workloads = tuple(_workload(source, number) for number in range(source.randint(1, 3)))
    names = [f"node-{number + 1}" for number in range(nodes)]
    moments = sorted(source.uniform(0.0, CHAOS_SECONDS) for _ in range(source.randint(8, 18)))
    steps = tuple(Step(round(at, 3), _act(source, workloads, names)) for at in moments)
    return Story(
        seed, nodes, source.choice((0.0, 0.2, 1.0)), source.random() < 0.4, source.random() < 0.4, workloads, steps
    )


def _workload(source: random.Random, number: int) -> Workload:
    kind = source.choice(("Deployment", "Deployment", "StatefulSet", "StatefulSet", "DaemonSet", "Job"))
    return Workload(
        kind,
        f"{kind.lower()}-{number}",
        source.randint(1, 5),
        cpu_millis=source.choice((100, 250, 1000)),
        probe=source.random() < 0.5,
    )


def _act(source: random.Random, workloads: tuple[Workload, ...], nodes: list[str]) -> Act:
    chosen = source.choice(workloads)
    node = source.choice(nodes)
    share = source.random()
    match source.choices(range(15), weights=(4, 4, 1, 4, 6, 8, 2, 2, 2, 2, 1, 1, 1, 1, 2))[0]:
        case 0:
            return Scale(chosen.name, source.randint(0, 6))
        case 1:
            return Update(chosen.name, source.randint(1, 4))
        case 2:
            return Remove(chosen.name)
        case 3:
            return DeletePod(share)
        case 4:
            return Write(f"ledger-{source.randint(1, 3)}", f"{source.getrandbits(32):08x}")
        case 5:
            return KillOne(share)
        case 6:
            return PowerOff(node)
        case 7:
            return PowerOn(node)
        case 8:
            return Partition(tuple(source.sample(nodes, source.randint(1, 2))))
        case 9:
            return Drop(round(share * 0.4, 3), source.choice(("*", "system:node:*", "system:serviceaccount:*")))
        case 10:
            return Delay(round(share * 3.0, 3), source.choice(("*", "system:kube-scheduler", "system:node:*")))
        case 11:
            return SlowDisk(round(share, 3))
        case 12:
            return FailPull(f"*:{source.randint(1, 4)}", "manifest unknown")
        case 13:
            return ClockSkew(node, round(share * 1200.0 - 600.0, 1))
        case _:
            return Heal()


def describe(step: Step) -> str:
    """A line for a person."""
    return f"{step.at:7.3f} s  {step.act!r}"
