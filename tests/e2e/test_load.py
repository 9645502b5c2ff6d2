"""A rolling update and its undo under constant HTTP load through the NodePort: no request fails.

Pods sleep a second before they are stopped (``preStop``), as Kubernetes' own documentation advises: a proxy learns of a
pod's end at the same time as the pod, so a server that ends at once refuses what is on its way. Each request has a
connection of its own, at most ``CONCURRENT`` at once, at ``RATE`` a second whether or not earlier ones were answered.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator

import aiohttp
import pytest

from tests.e2e import workloads
from tests.e2e.space import Space

pytestmark = pytest.mark.e2e

RATE = 220
CONCURRENT = 200
FLOOR = 200
"""What is asked for at least, on average; a little is lost to the clock."""


class Load:
    """Requests from a thread of its own, between ``start`` and ``stop``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.seconds = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def rate(self) -> float:
        return (sum(self.answers.values()) + len(self.failures)) / self.seconds

    async def _run(self) -> None:
        began = time.monotonic()
        connector = aiohttp.TCPConnector(force_close=True, limit=CONCURRENT)
        async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
            sent = 0
            while not self._stop.is_set():
                due = int((time.monotonic() - began) * RATE)
                for _ in range(due - sent):
                    group.create_task(self._ask(session))
                sent = max(sent, due)
                await asyncio.sleep(0.005)
        self.seconds = time.monotonic() - began

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        began = time.monotonic()
        try:
            async with session.get(self.url, timeout=aiohttp.ClientTimeout(total=15)) as answer:
                text = await answer.text()
                if answer.status == 200 and "web-" in text:
                    self.answers[text] += 1
                else:
                    self.failures.append(f"{answer.status} {text[:80]!r}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.failures.append(f"{error!r} after {time.monotonic() - began:.2f} s at {time.time():.2f}")


@pytest.fixture
def load(space: Space) -> Iterator[Load]:
    deployment = workloads.web(space.runtime, "web", 3)
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 10
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", "1"]}}}
    space("apply", "-f", "-", stdin=json.dumps(deployment))
    space.apply(workloads.service("web", type="NodePort"))
    space.rolled_out("web")
    space.wait("three are in the Service", lambda: len(space.endpoints("web")) == 3)
    one = Load(f"http://127.0.0.1:{space.node_port('web')}/")
    space.wait("the NodePort", lambda: asyncio.run(_answers(one.url)))
    one.start()
    yield one
    one.stop()


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError as error:
        raise OSError(str(error)) from error


def test_no_request_fails_while_an_update_rolls_out_and_back(space: Space, load: Load) -> None:
    time.sleep(0.5)
    space("set", "env", "deployment/web", "COLOUR=blue")
    space.rolled_out("web")
    space("rollout", "undo", "deployment/web")
    space.rolled_out("web")
    time.sleep(1.5)
    load.stop()
    assert load.failures == []
    assert load.rate >= FLOOR
    assert len(load.answers) >= 9
