"""Every write is accounted for, and nothing but frames passes between components."""

from __future__ import annotations

import types
from collections import Counter
from typing import Any

import pytest

from actors import Actor, Header, Message, System
from actors.codec import body_of
from actors.message import find_type
from orchestrator.apiserver.special.ranges import GUARD
from orchestrator.client.protocol import ApiRequest, BatchesRequest, BatchRequest, Target
from orchestrator.embedding import Cluster
from orchestrator.store.protocol import Batch, Change, Txn
from orchestrator.testing import Recording
from tests.cluster.objects import deployment, rolled_out, service
from tests.cluster.witness import records

pytestmark = pytest.mark.slow

API, STORE = "server/apiserver", "server/store"
READING = {"get", "list", "watch"}
COMPONENTS = ("control-plane/", "nodes/", "events/", "informers/")

SHARED = ("caches", "_caches", "_workloads", "_cache", "_subscriptions", "_informers", "informers")
"""What components of one process share on purpose: caches that only their informer writes, and who wants to hear."""


def decoded(system: System, recording: Recording, receiver: str) -> list[tuple[Header, Message]]:
    return [
        (seen.header, system.codec.decode(seen.frame))
        for seen in recording.frames
        if seen.header.receiver == receiver and find_type(seen.header.type) is not None
    ]


def written(message: Message) -> list[Change]:
    if isinstance(message, Batch):
        return message.changes
    return [*message.success, *message.failure] if isinstance(message, Txn) else []


def asked(message: Message) -> list[Target]:
    """What the writes of a request are about."""
    requests = message.requests if isinstance(message, BatchRequest) else []
    if isinstance(message, BatchesRequest):
        requests = [request for batch in message.batches for request in batch.requests]
    if isinstance(message, ApiRequest):
        requests = [message.request]
    return [request.target for request in requests if request.verb not in READING]


def about(key: str) -> tuple[str, str]:
    """The group and plural that a key belongs to."""
    group, plural, _ = key.split("/", 2)
    return "" if group == "core" else group, plural


async def rolled(recording: Recording) -> Cluster:
    async with Cluster(nodes=3, seed=1, tap=recording.note) as cluster:
        await cluster.apply(service())
        await cluster.apply(deployment())
        await cluster.wait("deployment/web", rolled_out)
        await cluster.apply(deployment(image="nginx:2"))
        await cluster.wait("deployment/web", rolled_out)
        await cluster.settle()
    return cluster


async def test_each_revision_was_proposed_by_the_api_server_and_each_proposal_was_asked_for() -> None:
    recording = Recording()
    cluster = await rolled(recording)
    to_store = decoded(cluster.system, recording, STORE)
    proposals = [(header, change) for header, message in to_store for change in written(message)]
    assert {header.sender for header, _ in proposals} == {API}
    offered = Counter((change.key, change.cause, change.parts is None) for _, change in proposals)
    revisions = await records(cluster)
    assert len(revisions) > 100
    for record in revisions:
        entry = (record.value.key, record.cause, record.deleted)
        assert offered[entry] > 0, f"revision {record.revision} of {record.value.key} was proposed by nobody"
        offered[entry] -= 1
    requests = [message for _, message in decoded(cluster.system, recording, API)]
    resources = Counter((target.group, target.resource) for message in requests for target in asked(message))
    asked_for = [change.key for _, change in proposals if b"bootstrap" not in change.cause]
    made = Counter(about(key) for key in asked_for if key != GUARD)
    assert asked_for.count(GUARD) <= made["", "services"], "an address is taken by who writes a Service"
    for resource, count in made.items():
        assert count <= resources[resource], f"{count} writes of {resource}, {resources[resource]} were asked for"


async def test_every_request_came_from_a_component_or_the_door() -> None:
    recording = Recording()
    cluster = await rolled(recording)
    senders = {header.sender for header, message in decoded(cluster.system, recording, API) if asked(message)}
    assert None in senders, "the test itself asked, by the cluster's client"
    strangers = {sender for sender in senders if sender and not sender.startswith(COMPONENTS)}
    assert not strangers


async def test_all_mail_is_messagepack_of_a_known_type() -> None:
    recording = Recording()
    cluster = await rolled(recording)
    for seen in recording.frames:
        assert all(isinstance(part, bytes) for part in seen.frame)
        message = cluster.system.codec.decode(seen.frame)
        assert cluster.system.codec.encode(message) == body_of(seen.frame)


async def test_no_component_holds_another_component() -> None:
    """Attributes, and the attributes of what they hold, down to what is shared on purpose."""
    async with Cluster(nodes=2, seed=1) as cluster:
        await cluster.apply(deployment(replicas=2))
        await cluster.wait("deployment/web", rolled_out)
        actors = {id(cell.actor): path for path, cell in cluster.system.cells.items() if cell.actor is not None}
        assert len(actors) > 50
        for cell in list(cluster.system.cells.values()):
            if cell.actor is not None:
                held = reached(cell.actor, actors)
                assert not held, f"{cell.path} holds {held}"


class Holder(Actor):
    def __init__(self, held: Any) -> None:
        self.deep = {"here": [held]}


def test_what_an_actor_holds_is_found() -> None:
    inner = Holder(None)
    outer = Holder(inner)
    assert reached(outer, {id(inner): "inner", id(outer): "outer"}) == ["inner"]


def reached(actor: Actor, actors: dict[int, str]) -> list[str]:
    seen: set[int] = {id(actor)}
    found: list[str] = []
    waiting: list[Any] = [value for name, value in attributes(actor) if name not in SHARED]
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, (str, bytes, int, float, bool, type, types.FunctionType)):
            continue
        seen.add(id(value))
        if id(value) in actors:
            found.append(actors[id(value)])
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple, set, frozenset)):
            waiting.extend(value)
        elif isinstance(value, types.MethodType):
            waiting.append(value.__self__)
        elif type(value).__module__.startswith("orchestrator."):
            waiting.extend(held for name, held in attributes(value) if name not in SHARED)
    return found


def attributes(value: Any) -> list[tuple[str, Any]]:
    names = dict.fromkeys(getattr(value, "__dict__", {}))
    for cls in type(value).__mro__:
        names.update(dict.fromkeys(getattr(cls, "__slots__", ())))
    return [(name, getattr(value, name)) for name in names if name != "context" and hasattr(value, name)]
