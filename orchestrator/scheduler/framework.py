"""The plugin interface: a filter says which nodes cannot take a pod and why, a score says how well the others do.

A plugin answers for many nodes at once, with numpy arrays in the order of the columns it is shown (``Nodes``). A user
adds one by an entry point in the group ``podium.scheduler.plugins`` whose object is a ``Filter`` or ``Score`` class::

    class Quiet(Score):
        name, weight, scope = "Quiet", 2, Scope.STATIC

        def score(self, shape, nodes):
            return np.array([100 if "quiet" in labels else 0 for labels in nodes.labels()])
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import PODS, Ints, Mask, Snapshot
from orchestrator.scheduler.terms import SYSTEM_SPREADING, DefaultSpreading, Labels

T = TypeVar("T", bound=np.generic)

MAX_SCORE = 100
"""What the best node gets from one plugin, before the plugin's weight."""


class Scope(Enum):
    """What an answer about a node depends on, so that it is asked again no more often than needed."""

    STATIC = "static"
    """The Node object alone."""
    NODE = "node"
    """The node and the pods on it."""
    CLUSTER = "cluster"
    """Anything: asked again after each placed pod."""


class Normalize(Enum):
    """How raw scores become 0 to 100, over the nodes that can take the pod."""

    NONE = "none"
    HIGHEST_IS_BEST = "highest"
    LOWEST_IS_BEST = "lowest"


class Block(NamedTuple):
    """Some nodes that cannot take the pod. ``resolvable``: they could if other pods went."""

    nodes: Mask
    reason: str
    resolvable: bool | Mask = True


class Nodes:
    """Some columns of the snapshot, as they would be with ``extra`` more pods of the shape on each."""

    def __init__(self, snapshot: Snapshot, shape: Shape, columns: Ints | None = None, extra: int | Ints = 0) -> None:
        self.snapshot = snapshot
        self.shape = shape
        self.columns = columns
        self.extra = extra

    def __len__(self) -> int:
        return self.snapshot.size if self.columns is None else len(self.columns)

    def cut(self, array: NDArray[T]) -> NDArray[T]:
        """An array over all columns, cut to these."""
        return array[: self.snapshot.size] if self.columns is None else array[self.columns]

    def allocatable(self, resource: str) -> Ints:
        return self.cut(self.snapshot.allocatable(resource))

    def used(self, resource: str) -> Ints:
        """What the pods there request, without the pod that is asked about."""
        requested = 1 if resource == PODS else self.shape.requests.get(resource, 0)
        used: Ints = self.cut(self.snapshot.used(resource)) + self.extra * requested
        return used

    def scored(self) -> tuple[Ints, Ints]:
        """(cpu, memory) there with the defaults for pods that request none."""
        cpu, memory = self.shape.scored
        of_cpu: Ints = self.cut(self.snapshot.scored_cpu) + self.extra * cpu
        of_memory: Ints = self.cut(self.snapshot.scored_memory) + self.extra * memory
        return of_cpu, of_memory

    def indexes(self) -> Sequence[int]:
        columns: Sequence[int] = range(self.snapshot.size) if self.columns is None else self.columns.tolist()
        return columns

    def names(self) -> Iterator[str]:
        return (self.snapshot.names[column] for column in self.indexes())

    def labels(self) -> Iterator[Labels]:
        """The labels of each node ({} for a column without a node)."""
        for column in self.indexes():
            facts = self.snapshot.facts[column]
            yield facts.labels if facts is not None else {}

    def none(self) -> Mask:
        return np.zeros(len(self), np.bool_)

    def every(self) -> Mask:
        return np.ones(len(self), np.bool_)


class FilterSession(Protocol):
    """A cluster-wide filter for a run of pods of one shape; told of each one placed."""

    def blocks(self) -> Sequence[Block]: ...
    def placed(self, column: int) -> None: ...


class ScoreSession(Protocol):
    """A cluster-wide score for a run of pods of one shape. ``scores`` are normalized."""

    def scores(self, feasible: Mask) -> Ints: ...
    def placed(self, column: int) -> None: ...


class Filter(ABC):
    name: ClassVar[str]
    scope: ClassVar[Scope] = Scope.CLUSTER

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        """False: the filter has nothing to say about pods of this shape now."""
        return True

    def refuses(self, shape: Shape, snapshot: Snapshot) -> str:
        """Why no node at all can take the pod, whatever the nodes are like; "": ask the nodes."""
        return ""

    @abstractmethod
    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        """The nodes that cannot take the pod, by reason; a node may have several reasons."""

    def session(self, shape: Shape, snapshot: Snapshot) -> FilterSession | None:
        """For cluster scope: state that is kept through a run. None: the run is cut to one pod."""
        return None


class Score(ABC):
    name: ClassVar[str]
    weight: ClassVar[int] = 1
    scope: ClassVar[Scope] = Scope.CLUSTER
    normalize: ClassVar[Normalize] = Normalize.NONE

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return True

    @abstractmethod
    def score(self, shape: Shape, nodes: Nodes) -> Ints:
        """Raw scores; 0 to 100 unless ``normalize`` brings them there."""

    def session(self, shape: Shape, snapshot: Snapshot) -> ScoreSession | None:
        return None


def normalized(raw: Ints, feasible: Mask, how: Normalize) -> Ints:
    """Raw scores of the feasible nodes brought to 0..100."""
    if how is Normalize.NONE:
        return raw
    highest = int(raw[feasible].max(initial=0))
    if highest == 0:
        return np.full_like(raw, MAX_SCORE) if how is Normalize.LOWEST_IS_BEST else raw
    scaled = raw * MAX_SCORE // highest
    return MAX_SCORE - scaled if how is Normalize.LOWEST_IS_BEST else scaled


@dataclass(frozen=True, slots=True)
class Weighted:
    plugin: Score
    weight: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """How many nodes preemption looks at closely: a share of all, and never fewer than ``least``."""

    percent: int = 10
    least: int = 100


@dataclass(frozen=True, slots=True)
class Profile:
    """The plugins of one ``schedulerName``, in the order they are asked."""

    scheduler: str
    filters: tuple[Filter, ...]
    scores: tuple[Weighted, ...]
    spreading: DefaultSpreading = SYSTEM_SPREADING
    preemption: Candidates | None = field(default=Candidates())
    """None: a pod that fits nowhere waits."""
    gates: bool = True
    """Scheduling gates hold pods back."""
    volume_seconds: float = 600.0
    """How long a pod's volumes may take to be bound."""
