"""ray: an actor is a process; every call crosses processes and returns a reference to its result."""

from __future__ import annotations

import logging
from typing import Any

import measure
import ray


@ray.remote(num_cpus=0)
class Counter:
    def put(self, message: Any) -> Any:
        return message

    def note(self, message: Any) -> None:
        pass


def _start() -> None:
    if not ray.is_initialized():
        ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)


def remote_tell(watch: measure.Watch) -> None:
    _start()
    ref = Counter.remote()
    ray.get(ref.put.remote(measure.MESSAGE))
    with watch(3_000):
        for _ in range(2_999):
            ref.note.remote(measure.MESSAGE)
        ray.get(ref.put.remote(measure.MESSAGE))
    ray.kill(ref)


def remote_ask(watch: measure.Watch) -> None:
    _start()
    ref = Counter.remote()
    ray.get(ref.put.remote(measure.MESSAGE))
    with watch(500):
        for _ in range(500):
            ray.get(ref.put.remote(measure.MESSAGE))
    ray.kill(ref)


def spawn(watch: measure.Watch) -> None:
    _start()
    with watch(3):
        refs = [Counter.remote() for _ in range(3)]
        ray.get([ref.put.remote(measure.SMALL) for ref in refs])
    for ref in refs:
        ray.kill(ref)


def idle(watch: measure.Watch) -> None:
    _start()
    ray.get(Counter.remote().put.remote(measure.SMALL))
    with watch.weigh(3):
        refs = [Counter.remote() for _ in range(3)]
        ray.get([ref.put.remote(measure.SMALL) for ref in refs])
    for ref in refs:
        ray.kill(ref)


if __name__ == "__main__":
    measure.main({"spawn": spawn, "idle": idle, "remote_tell": remote_tell, "remote_ask": remote_ask}, ray.__version__)
