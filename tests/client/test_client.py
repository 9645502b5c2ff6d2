"""The client's verbs, batches, events and elections over the mailbox."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from actors import Actor, child
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.election import Election
from orchestrator.client.kinds import CONFIGMAPS, EVENTS, LEASES
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Identity, Request, Response
from orchestrator.client.recorder import BURST, MAX_MESSAGE_CHARACTERS, MAX_TOGETHER, Involved, record
from tests.controllers.stage import stage


def config(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


async def test_verbs_do_what_they_say() -> None:
    async with stage() as s:
        made = await s.client.create(CONFIGMAPS, config("one", a="1"))
        assert made["metadata"]["uid"]
        made["data"] = {"a": "2"}
        await s.client.update(CONFIGMAPS, made)
        await s.client.patch(CONFIGMAPS, "one", "default", {"data": {"b": "3"}})
        assert (await s.client.get(CONFIGMAPS, "one", "default"))["data"] == {"a": "2", "b": "3"}
        assert len((await s.client.list(CONFIGMAPS, "default")).items) == 1
        await s.client.delete_collection(CONFIGMAPS, "default")
        assert (await s.client.list(CONFIGMAPS)).items == []


async def test_a_refusal_is_a_status_error() -> None:
    async with stage() as s:
        with pytest.raises(StatusError) as caught:
            await s.client.get(CONFIGMAPS, "none", "default")
        assert (caught.value.code, caught.value.reason) == (404, "NotFound")


async def test_an_update_of_an_old_revision_is_a_conflict() -> None:
    async with stage() as s:
        made = await s.client.create(CONFIGMAPS, config("one"))
        await s.client.patch(CONFIGMAPS, "one", "default", {"data": {"b": "3"}})
        with pytest.raises(StatusError) as caught:
            await s.client.update(CONFIGMAPS, made)
        assert caught.value.reason == "Conflict"


async def test_a_batch_answers_each_request_alone() -> None:
    async with stage() as s:
        writes = [requests.create(CONFIGMAPS, config(name)) for name in ("a", "a", "b")]
        assert [response.code for response in await s.client.batch(writes)] == [201, 409, 201]


async def test_a_large_batch_is_cut_at_the_bound() -> None:
    sizes: list[int] = []

    class Counting(MailboxTransport):
        async def batch(self, requests: list[Request]) -> list[Response]:
            sizes.append(len(requests))
            return await super().batch(requests)

    async with stage() as s:
        transport = s.client.transport
        assert isinstance(transport, MailboxTransport)
        client = Client(Counting(transport.api, Identity("test")))
        writes = [requests.create(CONFIGMAPS, config(f"c{number}")) for number in range(MAX_BATCH_REQUESTS + 3)]
        assert len(await client.batch(writes)) == MAX_BATCH_REQUESTS + 3
        assert sizes == [MAX_BATCH_REQUESTS, 3]


async def test_equal_events_are_counted_and_a_flood_is_stopped() -> None:
    async with stage() as s:
        about = Involved("v1", "Pod", "default", "web", "uid-1")
        for _ in range(3):
            s.recorder.event(about, "Normal", "Started", "it runs")
            await s.settle(1.0)
        (event,) = await s.objects(EVENTS)
        assert (event["count"], event["reason"], event["involvedObject"]["uid"]) == (3, "Started", "uid-1")
        for number in range(100):
            s.recorder.event(about, "Warning", "Flood", f"number {number}")
        await s.settle(1.0)
        assert len(await s.objects(EVENTS)) == int(BURST) - 2


async def test_events_said_together_are_each_written_and_counted() -> None:
    async with stage() as s:
        abouts = [Involved("v1", "Pod", "default", f"p{number}", f"uid-{number}") for number in range(MAX_TOGETHER + 3)]
        said = [record(about, "Normal", "Scheduled", "m" * (MAX_MESSAGE_CHARACTERS + 1)) for about in abouts]
        s.recorder.events([*said, said[0]])
        await s.settle(1.0)
        events = await s.objects(EVENTS)
        assert {event["involvedObject"]["name"] for event in events} == {about.name for about in abouts}
        assert sorted(event["count"] for event in events) == [1] * (len(abouts) - 1) + [2]
        assert {len(event["message"]) for event in events} == {MAX_MESSAGE_CHARACTERS}


class Leader(Actor):
    running: ClassVar[list[str]] = []

    def __init__(self, name: str) -> None:
        self.name = name

    async def start(self) -> None:
        Leader.running.append(self.name)

    async def receive(self, message: Any) -> None: ...

    async def stop(self, exit: Any) -> None:
        Leader.running.remove(self.name)


async def test_one_candidate_leads_and_another_follows_when_it_dies() -> None:
    Leader.running.clear()
    async with stage() as s:
        for name in ("one", "two"):
            spec = child(Leader, name)
            await s.system.spawn(child(Election, s.client, "kube-system", "lock", name, spec), name=name)
        await s.settle(5.0)
        assert len(Leader.running) == 1
        await s.client.patch(LEASES, "lock", "kube-system", {"spec": {"holderIdentity": "ghost"}})
        await s.settle(5.0)
        assert Leader.running == []
        await s.settle(30.0)
        assert len(Leader.running) == 1
