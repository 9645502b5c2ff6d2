"""What is measured: how large a cluster, how many pods, and what happens to them."""

from __future__ import annotations

from dataclasses import dataclass

SCENARIOS = ("ready", "rolling", "scale", "failure", "churn", "standing", "services")


@dataclass(frozen=True, slots=True)
class Cell:
    """``scenario`` is what happens between the last Ready pod and the deletion of all."""

    nodes: int
    pods: int
    deployments: int = 1
    rounds: int = 1
    scenario: str = "ready"
    seconds: float = 600.0
    """How long a churn goes on."""
    rate: float = 200.0
    """Pods created, and deleted, in a second of churn."""
    services: int = 5000
    share: float = 0.1
    """Of the nodes, those that fail."""


CELLS: dict[str, Cell] = {
    "100x1000": Cell(100, 1000, rounds=5),
    "1000x5000": Cell(1000, 5000, rounds=3),
    "1000x50x100": Cell(1000, 5000, 50, rounds=3),
    "100x5000": Cell(100, 5000, 5, rounds=2),
    "5000x1000": Cell(5000, 1000, 1, rounds=2),
    "5000x5000": Cell(5000, 5000, 5, rounds=2),
    "5000x30000": Cell(5000, 30_000, 30),
    "5000x150000": Cell(5000, 150_000, 150, scenario="standing", seconds=60.0, rate=20.0),
    "rolling": Cell(100, 1000, rounds=2, scenario="rolling"),
    "scale": Cell(100, 1000, rounds=2, scenario="scale"),
    "failure": Cell(1000, 5000, 50, scenario="failure"),
    "churn": Cell(100, 1000, scenario="churn"),
    "standing": Cell(1000, 5000, 5, scenario="standing", seconds=60.0, rate=20.0),
    "services": Cell(100, 1000, 50, scenario="services"),
}
"""The cells of ``make bench-reconcile`` by name."""
GROWTH = {
    "pods": ("5000x1000", "5000x5000", "5000x30000", "5000x150000"),
    "nodes": ("100x5000", "1000x5000", "5000x5000"),
}
"""The cells whose cost per pod is compared, by what grows from one to the next."""
LONG = ("5000x150000",)
"""What the short set leaves out."""
SHORT_CHURN_SECONDS = 60.0
