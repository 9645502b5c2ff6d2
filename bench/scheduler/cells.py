"""The cells of scheduler_perf: what is created in which order, and what is measured.

Facts of ``test/integration/scheduler_perf/*/performance-config.yaml`` of Kubernetes 1.37.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

MOON = ("moon-1", "moon-2", "moon-3")


@dataclass(frozen=True, slots=True)
class Nodes:
    count: int
    zones: tuple[str, ...] = ()
    tainted: bool = False
    name: str = ""
    """One node of this name with room for 90,000 pods."""


@dataclass(frozen=True, slots=True)
class Namespaces:
    prefix: str
    count: int
    team: str = ""


@dataclass(frozen=True, slots=True)
class Pods:
    """``namespaces``: so many namespaces ``<namespace>-<i>`` get ``count`` each. ``wait``: until all are bound."""

    count: int
    shape: str
    namespace: str = ""
    namespaces: int = 0
    measured: bool = False
    wait: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    namespace: str


@dataclass(frozen=True, slots=True)
class Churn:
    """Something is created every so often until the measurement ends; ``recreate``: and deleted again."""

    seconds: float
    what: tuple[str, ...]
    recreate: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """The pods of the ``step``-th operation are deleted one after the other meanwhile."""

    step: int
    per_second: float


Step: TypeAlias = Nodes | Namespaces | Pods | Service | Churn | Delete


@dataclass(frozen=True, slots=True)
class Cell:
    """``kubernetes``: pods/s of kube-scheduler 1.37.2 with its API server and etcd on two cores, where measured."""

    name: str
    steps: tuple[Step, ...]
    kubernetes: float | None = None

    @property
    def target(self) -> float:
        """Ten times kube-scheduler, and never under 500 pods/s."""
        return max(500.0, 10.0 * (self.kubernetes or 0.0))

    def scaled(self, by: float) -> Cell:
        return replace(self, steps=tuple(_scaled(step, by) for step in self.steps))


def _scaled(step: Step, by: float) -> Step:
    match step:
        case Nodes(name="") | Pods():
            return replace(step, count=max(1, round(step.count * by)))
    return step


def _two(shape: str, initial: int, measured: int, zones: tuple[str, ...] = (), second: str = "") -> tuple[Step, ...]:
    """Initial pods in one namespace, measured ones in another, whose terms look at both."""
    return (
        Nodes(5000, zones),
        Namespaces("sched", 2),
        Pods(initial, shape, "sched-0"),
        Pods(measured, second or shape, "sched-1", measured=True),
    )


def _plain(shape: str, initial: int, measured: int, zones: tuple[str, ...] = (), first: str = "") -> tuple[Step, ...]:
    return (Nodes(5000, zones), Pods(initial, first or shape), Pods(measured, shape, measured=True))


CELLS: tuple[Cell, ...] = (
    Cell("SchedulingBasic/5000Nodes_10000Pods", _plain("default", 1000, 10_000), 183),
    Cell("SchedulingBasic/5000Nodes_50000Pods", _plain("default", 5000, 50_000)),
    Cell("SchedulingPodAntiAffinity/5000Nodes_2000Pods", _two("anti-affinity", 1000, 2000), 55),
    Cell(
        "SchedulingPodMatchingAntiAffinity/5000Nodes_5000Pods",
        _two("anti-affinity", 1000, 5000, second="anti-affinity-label"),
    ),
    Cell("SchedulingPodAffinity/5000Nodes_5000Pods", _two("affinity", 5000, 5000, ("zone1",)), 27),
    Cell("SchedulingPreferredPodAffinity/5000Nodes_5000Pods", _two("preferred-affinity", 5000, 5000)),
    Cell("SchedulingPreferredPodAntiAffinity/5000Nodes_5000Pods", _two("preferred-anti-affinity", 5000, 5000)),
    Cell("SchedulingNodeAffinity/5000Nodes_10000Pods", _plain("node-affinity", 5000, 10_000, ("zone1",)), 159),
    Cell(
        "SchedulingRequiredPodAntiAffinityWithNSSelector/5000Nodes_2000Pods",
        (
            Nodes(6000),
            Namespaces("init-ns", 100, "devops"),
            Namespaces("measure-ns", 1, "devops"),
            Pods(40, "anti-affinity-namespaces", "init-ns", namespaces=100),
            Pods(2000, "anti-affinity-namespaces", "measure-ns-0", measured=True),
        ),
        26,
    ),
    Cell("TopologySpreading/5000Nodes_5000Pods", _plain("spreading", 5000, 5000, MOON, first="default"), 67),
    Cell(
        "PreferredTopologySpreading/5000Nodes_5000Pods",
        _plain("preferred-spreading", 5000, 5000, MOON, first="default"),
        83,
    ),
    Cell(
        "DefaultTopologySpreading/5000Nodes_10000Pods",
        (
            Nodes(5000, MOON),
            Namespaces("service-ns", 1),
            Service("service-ns-0"),
            Pods(5000, "default"),
            Pods(10_000, "label", "service-ns-0", measured=True),
        ),
    ),
    Cell(
        "SchedulingWithNodeInclusionPolicy/5000Nodes",
        (Nodes(4000), Nodes(1000, tainted=True), Pods(4000, "inclusion", measured=True)),
    ),
    Cell(
        "PreemptionAsync/5000Nodes",
        (
            Nodes(5000),
            Pods(20_000, "low"),
            Churn(0.2, ("preemptor",)),
            Pods(5000, "default", measured=True),
        ),
        90,
    ),
    Cell(
        "Unschedulable/5kNodes_100Init_10kPods",
        (
            Nodes(5000),
            Pods(100, "default"),
            Churn(0.2, ("large-cpu",)),
            Pods(10_000, "default", measured=True),
        ),
        132,
    ),
    Cell(
        "SchedulingDaemonset/15000Nodes",
        (Nodes(1, name="scheduler-perf-node"), Nodes(15_000), Pods(30_000, "daemonset", measured=True)),
        202,
    ),
    Cell(
        "SchedulingWhileGated/1Node_10000GatedPods",
        (
            Nodes(1, name="scheduler-perf-node"),
            Pods(10_000, "gated", wait=False),
            Pods(20_000, "light"),
            Delete(step=2, per_second=50.0),
            Pods(20_000, "light", measured=True),
        ),
    ),
    Cell(
        "SchedulingWithMixedChurn/5000Nodes_10000Pods",
        (
            Nodes(5000),
            Churn(1.0, ("node", "large-cpu", "service"), recreate=True),
            Pods(10_000, "default", measured=True),
        ),
    ),
    Cell(
        "SchedulingDeletedPodsWithFinalizers/5000Node_5000DeletingPods",
        (
            Nodes(5000),
            Pods(5000, "finalizer", wait=False),
            Delete(step=1, per_second=100.0),
            Pods(5000, "light", measured=True),
        ),
    ),
)
