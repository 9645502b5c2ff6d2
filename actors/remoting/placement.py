"""Actors that run on another node and live here: supervised, named and reached as if they were of this node.

``Placed`` stands in for such an actor: it has its place in the tree, starts it there, passes its mail on, and ends when
it ends; so what supervision says of the stand-in holds for the actor. ``Spawner`` starts them on the other node.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import Any

from actors.actor import Actor
from actors.errors import ActorError, Down, NameTaken, Refused, StartFailed
from actors.exit import CRASHED, NORMAL, Exit
from actors.message import Ask
from actors.ref import Ref
from actors.supervision import temporary

SPAWNER = "spawner"
"""The spawner's path on a node that takes actors."""
PLACE_SECONDS = 60.0
"""How long the actor's ``start`` on the other node may take."""
CONNECT_SECONDS = 30.0
"""How long a node that restarts is waited for before the attempt counts as failed."""
REMOVE_SECONDS = 5.0


class NotImportable(ActorError, ValueError):
    """A factory cannot be found by its name, so no other process can call it."""

    def __init__(self, name: str, error: str) -> None:
        super().__init__(name, error)
        self.name = name
        self.error = error

    def __str__(self) -> str:
        return f"expected a factory that can be imported by its name, found {self.name}: {self.error}"


class Place(Ask[Ref[Any]]):
    """To a spawner: start the actor that ``factory`` makes, for as long as ``owner`` lives."""

    owner: Ref[Any]
    factory: str
    args: list[Any]


class Ready(Ask[None]):
    """To a spawner: answer when the node's setup is done."""


class Remove(Ask[None]):
    """To a spawner: end the actor of ``owner``."""

    owner: Ref[Any]


def import_name(factory: Callable[..., Any]) -> str:
    """``module:name`` of a function or class. Raises ``NotImportable``."""
    name = f"{factory.__module__}:{getattr(factory, '__qualname__', '?')}"
    if factory.__module__ == "__main__":
        raise NotImportable(name, "the program's main module has another name in other processes")
    if find_factory(name) is not factory:
        raise NotImportable(name, "it names something else")
    return name


def find_factory(name: str) -> Any:
    """What ``module:name`` names. Raises ``NotImportable``."""
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise NotImportable(name, str(error)) from error
    return found


class Placed(Actor):
    """Stands in for the actor that ``factory(*args)`` makes on ``node``. ``args`` travel in a message."""

    def __init__(self, node: str, factory: Callable[..., Any] | str, *args: Any) -> None:
        self._node = node
        self._factory = factory if isinstance(factory, str) else import_name(factory)
        self._args = args
        self._actor: Ref[Any] | None = None

    async def start(self) -> None:
        system = self.context.system
        await system.remoting.wait_for(self._node, CONNECT_SECONDS)
        spawner = system.ref(SPAWNER, self._node)
        place = Place(self.context.ref, self._factory, list(self._args))
        self._actor = await spawner.ask(place, timeout=PLACE_SECONDS)
        self.context.watch(self._actor)

    async def receive(self, message: Any) -> Any:
        if isinstance(message, Down) and message.ref == self._actor:
            self._ended(message)
            return None
        assert self._actor is not None, "mail is handled after the start"
        return self.context.forward(self._actor)

    async def stop(self, exit: Exit) -> None:
        system = self.context.system
        actor, self._actor = self._actor, None
        if actor is None or self._node not in system.remoting.peers:
            return
        try:
            await system.ref(SPAWNER, self._node).ask(Remove(self.context.ref), timeout=REMOVE_SECONDS)
        except ActorError as error:
            self.context.log.warning("a placed actor was not told to stop", node=self._node, error=str(error))

    def _ended(self, down: Down) -> None:
        """As it ended there, the instance ends here."""
        self._actor = None
        reason = NORMAL if down.reason == NORMAL else CRASHED
        self.context.end(Exit(reason, f"it ended on {self._node}: {down.reason} {down.message}".rstrip()))


class Spawner(Actor):
    """Starts actors for the stand-ins of other nodes; ends them when their stand-in has ended or is out of reach.

    ``leading``, the node's environment if it has one, goes before the arguments of factories; it is waited for.
    Nothing is restarted here.
    """

    def __init__(self, leading: asyncio.Future[tuple[Any, ...]]) -> None:
        self._leading = leading
        self._placed: dict[str, Ref[Any]] = {}  # by the stand-in's address

    async def receive(self, message: Any) -> Any:
        match message:
            case Ready():
                return self.context.later(self._ready(), "ready")
            case Place():
                return self.context.later(self._place(message), "place")
            case Remove(owner):
                self.context.unwatch(owner)
                return self.context.later(self._remove(owner), "remove")
            case Down(ref, _):
                self.context.task(self._remove(ref), "remove")
        return None

    async def on_child_exit(self, child: Ref[Any], exit: Exit) -> None:
        """The stand-in watches it."""

    async def _ready(self) -> None:
        await asyncio.shield(self._leading)

    async def _place(self, message: Place) -> Ref[Any]:
        owner = message.owner
        leading = await asyncio.shield(self._leading)
        await self._remove(owner)
        try:
            factory = find_factory(message.factory)
            name = f"{owner.node}.{owner.path}".replace("/", ".")
            ref = await self.context.spawn(factory, *leading, *message.args, name=name, restart=temporary)
        except (StartFailed, NotImportable, NameTaken) as error:
            raise Refused("not placed", str(error)) from error
        self._placed[owner.address.decode()] = ref
        self.context.watch(owner)
        return ref

    async def _remove(self, owner: Ref[Any]) -> None:
        ref = self._placed.pop(owner.address.decode(), None)
        if ref is not None:
            await self.context.stop_child(ref)
