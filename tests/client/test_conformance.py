"""What every API server promises a client by mailbox: held against the fake and against the real one over a store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors import Actor, Ref, System, child
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.server import ApiServer
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.fake import FakeApi
from orchestrator.client.kinds import CONFIGMAPS, DEPLOYMENTS
from orchestrator.client.mailbox import MailboxTransport
from orchestrator.client.protocol import Identity, Want
from orchestrator.store.memory_log import MemoryLog
from orchestrator.store.protocol import Changes
from orchestrator.store.store import Store
from tests.controllers.stage import deployment

SERVERS = pytest.mark.parametrize("server", ["fake", "real"])


@asynccontextmanager
async def serving(server: str) -> AsyncIterator[tuple[System, Client]]:
    async with System(seed=1) as system:
        if server == "fake":
            ref: Ref[Any] = await system.spawn(FakeApi, name="api")
        else:
            store = await system.spawn(child(lambda: Store(MemoryLog())), name="store")
            ref = await system.spawn(child(lambda: ApiServer(store, ServerConfig())), name="api")
        yield system, Client(MailboxTransport(ref, Identity("admin", ("system:masters",))))


def config(name: str, **metadata: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", **metadata}}


class Watcher(Actor):
    def __init__(self) -> None:
        self.frames: list[Changes] = []

    async def receive(self, message: Any) -> None:
        self.frames.append(message)

    @property
    def events(self) -> list[tuple[bool, str]]:
        return [(event.deleted, event.value.key) for frame in self.frames for event in frame.events]


@SERVERS
async def test_a_created_object_has_a_uid_a_time_and_a_growing_revision(server: str) -> None:
    async with serving(server) as (_, client):
        one = await client.create(CONFIGMAPS, config("one"))
        two = await client.create(CONFIGMAPS, config("two"))
        assert one["metadata"]["uid"] != two["metadata"]["uid"]
        assert one["metadata"]["creationTimestamp"]
        assert int(two["metadata"]["resourceVersion"]) > int(one["metadata"]["resourceVersion"]) > 0


@SERVERS
async def test_a_name_is_made_from_what_it_begins_with(server: str) -> None:
    async with serving(server) as (_, client):
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "web-"}}
        made = [await client.create(CONFIGMAPS, obj, "default") for _ in range(3)]
        names = {held["metadata"]["name"] for held in made}
        assert len(names) == 3
        assert all(name.startswith("web-") and len(name) == 9 for name in names)


@SERVERS
async def test_refusals_have_their_reasons(server: str) -> None:
    async with serving(server) as (_, client):
        made = await client.create(CONFIGMAPS, config("one"))
        reasons = []
        for attempt in (
            client.create(CONFIGMAPS, config("one")),
            client.get(CONFIGMAPS, "none", "default"),
            client.update(CONFIGMAPS, {**made, "metadata": {**made["metadata"], "resourceVersion": "1"}}),
            client.delete(CONFIGMAPS, "one", "default", uid="another"),
        ):
            with pytest.raises(StatusError) as caught:
                await attempt
            reasons.append(caught.value.reason)
        assert reasons == ["AlreadyExists", "NotFound", "Conflict", "Conflict"]


@SERVERS
async def test_spec_and_status_are_written_apart_and_only_spec_counts_generations(server: str) -> None:
    async with serving(server) as (_, client):
        made = await client.create(DEPLOYMENTS, deployment())
        assert made["metadata"]["generation"] == 1
        written = await client.update_status(
            DEPLOYMENTS, {**made, "spec": {**made["spec"], "replicas": 9}, "status": {"replicas": 2}}
        )
        assert (written["spec"]["replicas"], written["status"]["replicas"]) == (3, 2)
        assert written["metadata"]["generation"] == 1
        scaled = await client.patch(DEPLOYMENTS, "web", "default", {"spec": {"replicas": 5}})
        assert (scaled["metadata"]["generation"], scaled["status"]["replicas"]) == (2, 2)


@SERVERS
async def test_finalizers_keep_an_object_until_the_last_is_taken(server: str) -> None:
    async with serving(server) as (_, client):
        await client.create(CONFIGMAPS, config("held", finalizers=["example.com/hold"]))
        await client.delete(CONFIGMAPS, "held", "default")
        assert (await client.get(CONFIGMAPS, "held", "default"))["metadata"]["deletionTimestamp"]
        await client.patch(CONFIGMAPS, "held", "default", {"metadata": {"finalizers": None}})
        with pytest.raises(StatusError):
            await client.get(CONFIGMAPS, "held", "default")


@SERVERS
async def test_the_policy_of_a_delete_is_a_finalizer(server: str) -> None:
    async with serving(server) as (_, client):
        await client.create(CONFIGMAPS, config("one"))
        await client.delete(CONFIGMAPS, "one", "default", propagation="Foreground")
        held = (await client.get(CONFIGMAPS, "one", "default"))["metadata"]
        assert held["finalizers"] == ["foregroundDeletion"]


@SERVERS
async def test_a_write_that_changes_nothing_keeps_the_revision(server: str) -> None:
    async with serving(server) as (_, client):
        made = await client.create(CONFIGMAPS, config("one", labels={"a": "b"}))
        same = await client.patch(CONFIGMAPS, "one", "default", {"metadata": {"labels": {"a": "b"}}})
        assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


@SERVERS
async def test_a_watch_from_a_lists_revision_misses_and_repeats_nothing(server: str) -> None:
    async with serving(server) as (system, client):
        await client.create(CONFIGMAPS, config("before"))
        listing = await client.list(CONFIGMAPS, "default")
        await client.create(CONFIGMAPS, config("between"))
        watcher = Watcher()
        ref = await system.spawn(lambda: watcher)
        request = requests.watch(CONFIGMAPS, "default", revision=listing.revision)
        granted = await client.transport.watch(request, ref, "tag")
        await client.create(CONFIGMAPS, config("after"))
        await client.delete(CONFIGMAPS, "before", "default")
        await system.clock.sleep(1.0)
        prefix = "core/configmaps/default/"
        assert watcher.events == [(False, prefix + "between"), (False, prefix + "after"), (True, prefix + "before")]
        assert {frame.tag for frame in watcher.frames} == {"tag"}
        await granted.close()
        await system.clock.sleep(0.1)
        await client.create(CONFIGMAPS, config("unseen"))
        await system.clock.sleep(1.0)
        assert len(watcher.events) == 3


@SERVERS
async def test_selectors_choose_what_is_listed(server: str) -> None:
    async with serving(server) as (_, client):
        await client.create(CONFIGMAPS, config("one", labels={"app": "web"}))
        await client.create(CONFIGMAPS, config("two", labels={"app": "db"}))
        by_label = await client.list(CONFIGMAPS, "default", labels="app in (web)")
        by_field = await client.list(CONFIGMAPS, "default", fields="metadata.name=two")
        names = [[obj["metadata"]["name"] for obj in held.objects()] for held in (by_label, by_field)]
        assert names == [["one"], ["two"]]


@SERVERS
async def test_a_batch_that_wants_no_objects_gets_revisions(server: str) -> None:
    async with serving(server) as (_, client):
        writes = [requests.create(CONFIGMAPS, config(name), want=Want.REVISION) for name in ("a", "b", "a")]
        responses = await client.batch(writes)
        assert [response.code for response in responses] == [201, 201, 409]
        assert responses[0].object is None
        assert responses[1].revision > responses[0].revision > 0
