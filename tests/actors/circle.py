"""Actors that ask in a circle."""

from __future__ import annotations

from typing import Any

from actors import Actor, Ask, AskCycle, Ref


class Pass(Ask[list[str]]):
    """Ask the first of ``refs`` to pass the rest on; the reply is the circle that was found."""

    refs: list[Ref[Any]]


class Member(Actor):
    async def receive(self, message: Any) -> Any:
        if isinstance(message, Pass):
            try:
                return await message.refs[0].ask(Pass(message.refs[1:]))
            except AskCycle as cycle:
                return cycle.paths
        return None
