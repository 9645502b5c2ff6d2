"""The actor that ``examples.actors.processes`` places in worker processes: they import it from here."""

from __future__ import annotations

import os

from actors import Actor, Ask


class Primes(Ask[int]):
    """How many primes there are from ``low`` up to, not including, ``high``."""

    low: int
    high: int


class Pid(Ask[int]):
    pass


class Sieve(Actor):
    async def receive(self, message: Primes | Pid) -> int:
        match message:
            case Primes(low, high):
                return count(low, high)
            case Pid():
                return os.getpid()


def count(low: int, high: int) -> int:
    """Holds this process' loop as long as it wants: nobody else lives here."""
    return sum(all(number % factor for factor in range(2, int(number**0.5) + 1)) for number in range(max(low, 2), high))
