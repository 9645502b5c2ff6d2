"""The gateway and a real etcd are sent the same requests and must answer alike, field by field."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import Mailbox, System, child
from orchestrator.store.gateway.door import Gateway, Listening
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.store import Store
from tests.store import etcd
from tests.store.gateway.requests import ALL, REQUESTS, WATCHED, WATCHES

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(etcd.binary() is None, reason="no etcd here")]
OWN = ("cluster_id", "member_id", "raft_term")
"""What is each server's own."""
WORDED = ("message", "error")
"""Texts of Go's JSON decoder are not ours."""


@pytest.fixture
async def urls(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    with etcd.running(tmp_path / "etcd") as theirs:
        async with System() as system:
            store = await system.spawn(child(Store, MemoryLog(), name="store", mailbox=Mailbox(8192)))
            door = await system.spawn(child(lambda: Gateway(store), name="gateway"))
            yield theirs, await door.ask(Listening())


async def answer(session: aiohttp.ClientSession, url: str, path: str, body: Any) -> tuple[int, Any]:
    async with session.post(f"{url}/v3/{path}", data=json.dumps(body)) as reply:
        return reply.status, own_left_out(json.loads(await reply.text()))


def own_left_out(value: Any) -> Any:
    if isinstance(value, list):
        return [own_left_out(item) for item in value]
    if isinstance(value, dict):
        return {name: own_left_out(item) for name, item in value.items() if name not in OWN}
    return value


async def test_requests_are_answered_alike(urls: tuple[str, str]) -> None:
    different = []
    async with aiohttp.ClientSession() as session:
        for path, body in REQUESTS:
            theirs, ours = [await answer(session, url, path, body) for url in urls]
            if "error" in theirs[1] and "etcdserver" not in theirs[1]["error"]:
                theirs, ours = [(code, sorted(found)) for code, found in (theirs, ours)]
            if theirs != ours:
                different.append(f"{path} {json.dumps(body)}\n  etcd {theirs}\n  ours {ours}")
    assert not different, f"{len(different)} of {len(REQUESTS)}\n" + "\n".join(different)


async def events(session: aiohttp.ClientSession, url: str, create: Any, last: str) -> list[Any]:
    """What a watch says until revision ``last`` is seen or it ends; how events are cut into answers is not compared."""
    said: list[Any] = []
    timeout = aiohttp.ClientTimeout(total=3)
    try:
        async with session.post(
            f"{url}/v3/watch", data=json.dumps({"create_request": create}), timeout=timeout
        ) as reply:
            async for line in reply.content:
                result = own_left_out(json.loads(line)["result"])
                said += result.pop("events", [])
                result.pop("header")
                if result:
                    said.append(result)
                if any(event.get("kv", {}).get("mod_revision") == last for event in said):
                    break
    except TimeoutError:
        pass
    return said


async def test_watches_see_the_same(urls: tuple[str, str]) -> None:
    said = []
    async with aiohttp.ClientSession() as session:
        for url in urls:
            for path, body in WATCHED:
                assert (await answer(session, url, path, body))[0] == 200
            seen = await asyncio.gather(*[events(session, url, create, "8") for create in WATCHES])
            await answer(session, url, "kv/compaction", {"revision": 6})
            said.append([*seen, await events(session, url, {**ALL, "start_revision": 3}, "8")])
    for number, (theirs, ours) in enumerate(zip(*said, strict=True)):
        assert theirs == ours, f"watch {number}"
