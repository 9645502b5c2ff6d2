"""pykka: an actor is a thread with a queue; messages by reference."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import measure
import pykka


class Counter(pykka.ThreadingActor):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def on_receive(self, message: Any) -> Any:
        self.count += 1
        return message


def tell(watch: measure.Watch) -> None:
    ref = Counter.start()
    with watch(20_000):
        for _ in range(19_999):
            ref.tell(measure.MESSAGE)
        ref.ask(measure.MESSAGE)
    ref.stop()


def ask(watch: measure.Watch) -> None:
    ref = Counter.start()
    with watch(3_000):
        for _ in range(3_000):
            ref.ask(measure.MESSAGE)
    ref.stop()


def spawn(watch: measure.Watch) -> None:
    with watch(500):
        for _ in range(500):
            Counter.start()
    pykka.ActorRegistry.stop_all()


def idle(watch: measure.Watch) -> None:
    with watch.weigh(1_000):
        refs = [Counter.start() for _ in range(1_000)]
        for ref in refs:
            ref.ask(measure.SMALL)
    pykka.ActorRegistry.stop_all()


if __name__ == "__main__":
    measure.main({"tell": tell, "ask": ask, "spawn": spawn, "idle": idle}, version("pykka"))
