"""The door over a store in memory, in virtual time where no socket is needed: what etcd has no word on."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from actors import Mailbox, Ref, System, child
from orchestrator.store.gateway.door import Gateway, Listening
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Get, SetQuota
from orchestrator.store.snapshot_file import verify
from orchestrator.store.store import Store

pytestmark = pytest.mark.real_loop


class Door:
    def __init__(self, system: System, store: Ref[Any], url: str, session: aiohttp.ClientSession) -> None:
        self.system = system
        self.store = store
        self.url = url
        self.session = session

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        async with self.session.post(f"{self.url}/v3/{path}", data=json.dumps(body)) as reply:
            return reply.status, json.loads(await reply.text())


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with System() as system, aiohttp.ClientSession() as session:
        store = await system.spawn(child(Store, MemoryLog(), name="store", mailbox=Mailbox(8192), later=8192))
        gateway: Ref[Any] = await system.spawn(child(lambda: Gateway(store), name="gateway"))
        yield Door(system, store, await gateway.ask(Listening()), session)


def b(text: str) -> str:
    return b64encode(text.encode()).decode()


async def test_puts_of_many_clients_each_have_their_own_revision(door: Door) -> None:
    puts = [door.post("kv/put", {"key": b(f"k/{number}"), "value": b("v")}) for number in range(100)]
    revisions = sorted(int(reply["header"]["revision"]) for _, reply in await asyncio.gather(*puts))
    assert revisions == list(range(2, 102))


async def test_a_transaction_ends_among_puts_that_never_stop(door: Door) -> None:
    async def put(number: int) -> None:
        for step in range(20):
            await door.post("kv/put", {"key": b(f"k/{number}"), "value": b(str(step))})

    async def count() -> None:
        for step in range(1, 11):
            body = {"key": b("k/"), "range_end": b("k0")}
            status, reply = await door.post(
                "kv/txn",
                {"success": [{"request_range": body}, {"request_put": {"key": b("n"), "value": b(str(step))}}]},
            )
            assert status == 200, reply

    await asyncio.gather(count(), *[put(number) for number in range(8)])
    (value,) = (await door.store.ask(Get(["n"]))).values
    assert value is not None
    assert value.version == 10


async def test_a_full_store_says_so_and_lets_go_of_keys(door: Door) -> None:
    await door.post("kv/put", {"key": b("k"), "value": b("v")})
    await door.store.ask(SetQuota(1))
    status, reply = await door.post("kv/put", {"key": b("k"), "value": b("v")})
    assert (status, reply["error"]) == (429, "etcdserver: mvcc: database space exceeded")
    assert "NOSPACE" in (await door.post("maintenance/status", {}))[1]["errors"][0]
    assert (await door.post("maintenance/alarm", {"action": "GET"}))[1]["alarms"][0]["alarm"] == "NOSPACE"
    async with door.session.get(f"{door.url}/health") as health:
        assert health.status == 503
    assert (await door.post("kv/deleterange", {"key": b("k")}))[1]["deleted"] == "1"
    assert (await door.post("podium/quota", {"quota_bytes": 0}))[0] == 200
    assert (await door.post("kv/put", {"key": b("k"), "value": b("v")}))[0] == 200


async def test_a_snapshot_comes_in_pieces(door: Door, tmp_path: Path) -> None:
    await door.post("kv/put", {"key": b("k"), "value": b("v" * 600_000)})
    async with door.session.post(f"{door.url}/v3/maintenance/snapshot", data="{}") as reply:
        lines = [json.loads(line)["result"] for line in (await reply.read()).splitlines()]
    assert len(lines) > 1
    (tmp_path / "snapshot").write_bytes(b"".join(b64decode(line["blob"]) for line in lines))
    assert verify(tmp_path / "snapshot") >= 2
    assert "remaining_bytes" not in lines[-1]


async def test_a_client_that_hangs_up_ends_its_watch(door: Door) -> None:
    body = json.dumps({"create_request": {"key": b("w")}})
    async with door.session.post(f"{door.url}/v3/watch", data=body) as reply:
        assert b'"created":true' in await reply.content.readline()
    for _ in range(200):
        if (await door.post("maintenance/status", {}))[0] == 200 and await _watches(door) == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the watch is still there")


async def _watches(door: Door) -> int:
    from orchestrator.store.protocol import StoreStatus

    watches: int = (await door.store.ask(StoreStatus())).watches
    return watches


async def test_a_watch_sees_what_others_write(door: Door) -> None:
    body = json.dumps({"create_request": {"key": b("w/"), "range_end": b("w0")}})
    async with door.session.post(f"{door.url}/v3/watch", data=body) as reply:
        await reply.content.readline()
        for number in range(3):
            await door.post("kv/put", {"key": b(f"w/{number}"), "value": b("x")})
        await door.post("kv/put", {"key": b("other"), "value": b("x")})
        found = [json.loads(await reply.content.readline())["result"]["events"] for _ in range(3)]
    assert [b64decode(event["kv"]["key"]).decode() for events in found for event in events] == ["w/0", "w/1", "w/2"]


@pytest.mark.parametrize(
    ("path", "status"), [("/v3/nothing", 404), ("/v3/watch", 501), ("/v3/kv/range", 400), ("/v2/keys", 404)]
)
async def test_what_is_not_there_is_said_in_json(door: Door, path: str, status: int) -> None:
    async with door.session.post(door.url + path, data="{}") as reply:
        assert reply.status == status
        assert "code" in json.loads(await reply.text())


async def test_a_socket_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    async with System() as system:
        store = await system.spawn(child(Store, MemoryLog(), name="store"))
        await system.spawn(child(lambda: Gateway(store, path=str(path)), name="gateway"))
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
