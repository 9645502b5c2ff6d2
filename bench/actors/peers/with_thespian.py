"""thespian: in this process (simpleSystemBase), synchronous; and over TCP to processes (multiprocTCPBase)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import measure
from thespian.actors import Actor, ActorSystem


class Counter(Actor):
    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, tuple):
            self.send(sender, message[0])


@contextmanager
def system(base: str) -> Iterator[Any]:
    made = ActorSystem(base)
    try:
        yield made
    finally:
        made.shutdown()


def _tell(watch: measure.Watch, base: str, count: int) -> None:
    with system(base) as home:
        ref = home.createActor(Counter)
        home.ask(ref, (measure.MESSAGE,), 30)
        with watch(count):
            for _ in range(count - 1):
                home.tell(ref, measure.MESSAGE)
            assert home.ask(ref, (measure.MESSAGE,), 60) is not None


def _ask(watch: measure.Watch, base: str, count: int) -> None:
    with system(base) as home:
        ref = home.createActor(Counter)
        with watch(count):
            for _ in range(count):
                home.ask(ref, (measure.MESSAGE,), 30)


def tell(watch: measure.Watch) -> None:
    _tell(watch, "simpleSystemBase", 20_000)


def ask(watch: measure.Watch) -> None:
    _ask(watch, "simpleSystemBase", 10_000)


def spawn(watch: measure.Watch) -> None:
    with system("simpleSystemBase") as home, watch(2_000):
        for _ in range(2_000):
            home.createActor(Counter)


def idle(watch: measure.Watch) -> None:
    with system("simpleSystemBase") as home, watch.weigh(5_000):
        for _ in range(5_000):
            home.ask(home.createActor(Counter), (measure.SMALL,), 30)


def remote_tell(watch: measure.Watch) -> None:
    _tell(watch, "multiprocTCPBase", 500)


def remote_ask(watch: measure.Watch) -> None:
    _ask(watch, "multiprocTCPBase", 500)


if __name__ == "__main__":
    measure.main(
        {
            "tell": tell,
            "ask": ask,
            "spawn": spawn,
            "idle": idle,
            "remote_tell": remote_tell,
            "remote_ask": remote_ask,
        },
        version("thespian"),
    )
