"""Supervision as data: what a child is, how often it may be restarted, and which siblings go down with it. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

import msgspec

from actors.exit import Exit
from actors.mailbox import Mailbox


class Restart(Enum):
    """Whether a child is started again when its instance ended and nobody ordered that."""

    PERMANENT = "permanent"
    """Always restarted, unless its parent or the system stopped it."""
    TRANSIENT = "transient"
    """Restarted after an abnormal exit."""
    TEMPORARY = "temporary"
    """Never restarted."""


class Strategy(Enum):
    """Which siblings go down with a child that ended."""

    ONE_FOR_ONE = "one_for_one"
    """Only the child that ended is restarted."""
    ONE_FOR_ALL = "one_for_all"
    """All children are stopped and restarted."""
    REST_FOR_ONE = "rest_for_one"
    """The child and those started after it are stopped and restarted."""


permanent: Final = Restart.PERMANENT
transient: Final = Restart.TRANSIENT
temporary: Final = Restart.TEMPORARY
one_for_one: Final = Strategy.ONE_FOR_ONE
one_for_all: Final = Strategy.ONE_FOR_ALL
rest_for_one: Final = Strategy.REST_FOR_ONE


class Backoff(msgspec.Struct, frozen=True):
    """How long to wait before the n-th restart in a row: ``initial * factor**n``, at most ``maximum`` seconds.

    Up to ``jitter`` of it is added at random. An instance that lived ``reset_seconds`` makes the count start anew.
    """

    initial: float = 0.1
    maximum: float = 30.0
    factor: float = 2.0
    jitter: float = 0.1
    reset_seconds: float = 10.0

    def seconds(self, attempt: int, source: random.Random) -> float:
        """The wait before restart number ``attempt`` in a row, counted from 0; ``source`` gives the jitter."""
        base = min(self.maximum, self.initial * self.factor ** min(attempt, 64))
        return base * (1.0 + self.jitter * source.random())


class Intensity(msgspec.Struct, frozen=True):
    """More than ``restarts`` restarts in ``within`` seconds: give up and escalate."""

    restarts: int = 5
    within: float = 10.0

    def exceeded(self, history: Sequence[float], now: float) -> bool:
        """Whether one more restart at ``now`` is one too many after those of ``history``."""
        return sum(1 for moment in history if now - moment < self.within) >= self.restarts


class ChildSpec(msgspec.Struct, frozen=True):
    """How to make a child and keep it; made by ``child``."""

    factory: Callable[..., Any] | Supervisor | DynamicSupervisor
    args: tuple[Any, ...] = ()
    name: str | None = None
    restart: Restart = permanent
    mailbox: Mailbox = Mailbox()
    backoff: Backoff = Backoff()
    stop_seconds: float = 5.0
    """After that its handler is cancelled."""
    later: int = 256
    """Replies that may be in the making by ``context.later``; at the bound the actor takes no more mail."""

    def kind(self) -> str:
        """The name of what makes the child: its class's, as a rule."""
        return getattr(self.factory, "__name__", type(self.factory).__name__)


class Supervisor(msgspec.Struct, frozen=True):
    """An actor that only keeps its children: spawn it, or make it the factory of a ``child``."""

    strategy: Strategy = one_for_one
    intensity: Intensity = Intensity()
    children: Sequence[ChildSpec] = ()
    """Read at each start: a list that grows is started as it is then."""


class DynamicSupervisor(msgspec.Struct, frozen=True):
    """A supervisor of children that come and go (``system.spawn(..., parent=ref)``), each restarted alone."""

    intensity: Intensity = Intensity()


def child(
    factory: Callable[..., Any] | Supervisor | DynamicSupervisor,
    *args: Any,
    name: str | None = None,
    restart: Restart = permanent,
    mailbox: Mailbox | None = None,
    backoff: Backoff | None = None,
    stop_seconds: float = 5.0,
    later: int = 256,
) -> ChildSpec:
    """The spec of a child that ``factory(*args)`` makes, anew for each start."""
    return ChildSpec(factory, args, name, restart, mailbox or Mailbox(), backoff or Backoff(), stop_seconds, later)


def restarts_after(restart: Restart, exit_: Exit) -> bool:
    """Whether a child with this restart rule is started again after ``exit_`` (that nobody ordered)."""
    if restart is permanent:
        return True
    return restart is transient and exit_.abnormal


def affected(strategy: Strategy, names: Sequence[str], failed: Sequence[str]) -> list[str]:
    """The children to restart when ``failed`` ended, in start order."""
    if strategy is one_for_all:
        return list(names)
    if strategy is rest_for_one:
        first = min(names.index(name) for name in failed)
        return list(names[first:])
    return [name for name in names if name in failed]
