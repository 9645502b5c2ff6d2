"""Making instances: an actor from its factory, or the actor that stands for a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.actor import Actor
from actors.context import Context
from actors.exit import Exit
from actors.keeper import Keeper
from actors.supervision import DynamicSupervisor, Supervisor

if TYPE_CHECKING:
    from actors.cell import Cell
    from actors.ref import Ref


class Overseer(Actor):
    """What a ``Supervisor`` or ``DynamicSupervisor`` becomes when it is spawned. It takes no messages."""

    def __init__(self, spec: Supervisor | DynamicSupervisor) -> None:
        self._spec = spec

    async def start(self) -> None:
        for spec in tuple(getattr(self._spec, "children", ())):  # one that is added meanwhile is started by who adds it
            await self.context.spawn(spec)

    async def on_child_exit(self, child: Ref[Any], exit: Exit) -> None:
        """Giving up is the keeper's; a child that ended as its spec allows is no failure."""


class Root(Actor):
    """The parent of everything that is spawned without one."""

    async def on_child_exit(self, child: Ref[Any], exit: Exit) -> None:
        pass


def make(cell: Cell) -> Actor:
    """A new instance of ``cell``'s actor, with its context."""
    factory = cell.spec.factory
    actor: Any
    if isinstance(factory, Supervisor):
        actor = Overseer(factory)
        cell.keeper = Keeper(cell, factory.strategy, factory.intensity, shared=True)
    elif isinstance(factory, DynamicSupervisor):
        actor = Overseer(factory)
        cell.keeper = Keeper(cell, intensity=factory.intensity, shared=True)
    else:
        actor = factory(*cell.spec.args)
        if not isinstance(actor, Actor):
            raise TypeError(f"expected a factory of an Actor, found one of {type(actor).__qualname__}")
    actor.context = Context(cell)
    return actor  # type: ignore[no-any-return]
