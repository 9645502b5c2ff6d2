"""Faults drawn from a seed: what befalls a cluster, and when. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import msgspec

from orchestrator.embedding.faults import (
    ClockSkew,
    Delay,
    Drop,
    FailPull,
    Fault,
    Heal,
    Partition,
    PowerOff,
    PowerOn,
    SlowDisk,
)


class KillOne(msgspec.Struct, frozen=True):
    """The actor at this share (0 to 1) of those that run at that moment."""

    share: float


class Step(msgspec.Struct, frozen=True):
    """``at``: seconds after the plan began."""

    at: float
    fault: Fault | KillOne


WHO = ("*", "system:node:*", "system:serviceaccount:*", "system:kube-scheduler")
IMAGES = "*"
Draw = Callable[[random.Random, Sequence[str]], Fault | KillOne]

DRAWS: dict[str, Draw] = {
    "kill": lambda source, nodes: KillOne(source.random()),
    "power_off": lambda source, nodes: PowerOff(source.choice(nodes)),
    "revive": lambda source, nodes: PowerOn(source.choice(nodes)),
    "partition": lambda source, nodes: Partition(
        tuple(source.sample(nodes, source.randint(1, max(1, len(nodes) // 2))))
    ),
    "drop": lambda source, nodes: Drop(round(source.uniform(0.0, 0.4), 3), source.choice(WHO)),
    "delay": lambda source, nodes: Delay(round(source.uniform(0.0, 3.0), 3), source.choice(WHO)),
    "slow_disk": lambda source, nodes: SlowDisk(round(source.uniform(0.0, 1.0), 3)),
    "fail_pull": lambda source, nodes: FailPull(IMAGES, "manifest unknown"),
    "clock_skew": lambda source, nodes: ClockSkew(source.choice(nodes), round(source.uniform(-600.0, 600.0), 1)),
    "heal": lambda source, nodes: Heal(),
}
"""By the name of the verb of ``Cluster`` that does the same by hand."""


class Plan(msgspec.Struct, frozen=True):
    """``count`` faults of ``kinds`` (names of ``DRAWS``) within ``seconds``, drawn from ``seed``.

    The same plan for the same nodes is the same steps in any process.
    """

    seed: int
    kinds: tuple[str, ...] = tuple(DRAWS)
    seconds: float = 60.0
    count: int = 10

    def steps(self, nodes: Sequence[str]) -> list[Step]:
        """In order of time. Raises ``ValueError`` for a kind that there is not."""
        unknown = [kind for kind in self.kinds if kind not in DRAWS]
        if unknown or not self.kinds:
            raise ValueError(f"expected faults of {', '.join(DRAWS)}, found {', '.join(unknown) or 'none'}")
        source = random.Random(f"faults/{self.seed}")
        moments = sorted(round(source.uniform(0.0, self.seconds), 3) for _ in range(self.count))
        return [Step(at, DRAWS[source.choice(self.kinds)](source, nodes)) for at in moments]
