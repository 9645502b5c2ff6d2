"""State machines: an actor whose states are methods and whose transitions are a table (as gen_statem's)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from actors.actor import Actor
from actors.errors import ActorError
from actors.message import Tell
from actors.timer import Alarm

MAX_CHAIN = 100
"""Transitions that ``enter`` may make in a row: more is a machine that never rests."""


class StateTimeout(Tell):
    """The machine has been in ``state`` for as long as it said."""

    state: str
    number: int


class IllegalTransition(ActorError):
    """A machine wanted to go where its table does not let it. ``allowed`` is where it could have gone."""

    def __init__(self, machine: str, state: str, to: str, allowed: Sequence[str]) -> None:
        super().__init__(machine, state, to, allowed)
        self.machine = machine
        self.state = state
        self.to = to
        self.allowed = allowed

    def __str__(self) -> str:
        allowed = ", ".join(self.allowed) or "nowhere"
        return f"{self.machine} goes from {self.state!r} to {allowed}, not to {self.to!r}"


class StateMachine(Actor):
    """Subclass it with ``initial``, ``transitions`` and one async method for each state, which handles its messages.

    In a state: ``self.to("open", timeout=5.0)`` goes there when the handler has returned; ``return self.postpone()``
    puts the message aside until the next transition. After ``timeout`` seconds in a state it receives ``StateTimeout``;
    any transition ends that. What a state returns is the reply, as in any actor. Who overrides ``start`` calls it.
    """

    initial: ClassVar[str]
    transitions: ClassVar[Mapping[str, Sequence[str]]]

    state: str = ""
    _next: tuple[str, float | None] | None = None
    _alarm: Alarm | None = None
    _number: int = 0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        table = getattr(cls, "transitions", None)
        if table is None:
            return  # an abstract one
        states = {cls.initial, *table, *(state for targets in table.values() for state in targets)}
        for state in sorted(states):
            if not inspect.iscoroutinefunction(getattr(cls, state, None)):
                raise TypeError(f"expected an async method {state!r} of {cls.__qualname__} for its state, found none")

    async def start(self) -> None:
        self.state = self.initial
        await self.enter("", self.state)
        await self._settle()

    async def enter(self, old: str, new: str) -> None:
        """Called after each transition, and with "" as ``old`` at the start. It may go on with ``to``."""

    async def receive(self, message: Any) -> Any:
        if isinstance(message, StateTimeout) and message.number != self._number:
            return None
        self._next = None
        result = await getattr(self, self.state)(message)
        await self._settle()
        return result

    def to(self, state: str, timeout: float | None = None) -> None:
        """Go to ``state`` when the handler has returned. Raises ``IllegalTransition``. What raises goes nowhere."""
        allowed = self.transitions.get(self.state, ())
        if state not in allowed:
            raise IllegalTransition(type(self).__qualname__, self.state, state, allowed)
        self._next = state, timeout

    def timeout(self, seconds: float | None) -> None:
        """Receive ``StateTimeout`` after ``seconds`` in this state, in the place of an earlier wish; None: never."""
        self._number += 1
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None
        if seconds is not None:
            self._alarm = self.context.signal_after(seconds, StateTimeout(self.state, self._number))

    def postpone(self) -> Any:
        """``return self.postpone()``: handle the message again after the next transition, before all newer mail."""
        return self.context.stash()

    async def _settle(self) -> None:
        for _ in range(MAX_CHAIN):
            if self._next is None:
                return
            old, (self.state, seconds) = self.state, self._next
            self._next = None
            self.timeout(seconds)
            self.context.unstash()
            await self.enter(old, self.state)
        raise RuntimeError(f"expected at most {MAX_CHAIN} transitions in a row, the last to {self.state!r}")
