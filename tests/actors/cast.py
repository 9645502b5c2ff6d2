"""The actors and messages that the tests of the library share."""

from __future__ import annotations

import asyncio
from typing import Any

from actors import Actor, Ask, Exit, Ref, Refused, Tell


class Add(Tell):
    amount: int


class Total(Ask[int]):
    pass


class Crash(Tell):
    text: str = "told to crash"


class CrashAsk(Ask[None]):
    pass


class Sleep(Ask[str]):
    seconds: float


class Refuse(Ask[None]):
    code: str = "no"


class Relay(Ask[int]):
    """Ask ``to`` for its total, inside the handler."""

    to: Ref[Any]


class Counter(Actor):
    """Adds up; crashes, refuses, sleeps and asks when told to."""

    def __init__(self) -> None:
        self.total = 0

    async def receive(self, message: Any) -> Any:
        match message:
            case Add(amount):
                self.total += amount
            case Total():
                return self.total
            case Crash(text):
                raise RuntimeError(text)
            case CrashAsk():
                raise RuntimeError("asked to crash")
            case Sleep(seconds):
                await asyncio.sleep(seconds)
                return "slept"
            case Refuse(code):
                raise Refused(code, "as told", {"why": 1})
            case Relay(to):
                return await to.ask(Total())
        return None


class Witness(Counter):
    """A counter that writes its life into a list that the test holds."""

    def __init__(self, name: str, diary: list[str]) -> None:
        super().__init__()
        self.name = name
        self.diary = diary

    async def start(self) -> None:
        self.diary.append(f"start {self.name}")

    async def stop(self, exit: Exit) -> None:
        self.diary.append(f"stop {self.name} {exit.reason}")
