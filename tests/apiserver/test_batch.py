from __future__ import annotations

import asyncio

import pytest

from actors import Refused
from orchestrator.apiserver.fairness import MAX_RUNNING_PER_USER
from orchestrator.client.protocol import MAX_BATCH_REQUESTS, Batch, BatchesRequest, Identity, Request, Response, Verb
from orchestrator.store.protocol import StatusReply, StoreStatus
from tests.apiserver.desk import ADMIN, Desk, body_of, config_map, desk, pod, request


async def together(api: Desk, *batches: Batch) -> list[list[Response]]:
    """The replies to batches of many in one message."""
    replies: list[list[Response]] = (await api.api.ask(BatchesRequest(list(batches)))).replies
    return replies


async def commits(api: Desk) -> int:
    status: StatusReply = await api.system.ref("store").ask(StoreStatus())
    return status.commits


async def test_each_of_a_batch_is_answered_alone_and_in_order() -> None:
    async with desk() as api:
        first, bad, second = await api.batch(
            request(Verb.CREATE, "configmaps", body=config_map("a")),
            request(Verb.CREATE, "configmaps", body=config_map("Not A Name")),
            request(Verb.CREATE, "configmaps", body=config_map("b")),
        )
        assert (first.code, bad.code, second.code) == (201, 422, 201)
        assert first.revision < second.revision


async def test_two_writes_of_one_object_go_one_after_the_other() -> None:
    async with desk() as api:
        made, changed, gone = await api.batch(
            request(Verb.CREATE, "configmaps", body=config_map("a", x="1")),
            request(Verb.UPDATE, "configmaps", "a", body=config_map("a", x="2")),
            request(Verb.DELETE, "configmaps", "a"),
        )
        assert (made.code, changed.code, gone.code) == (201, 200, 200)
        assert body_of(changed)["data"] == {"x": "2"}


async def test_what_is_asked_by_itself_does_not_stand_behind_a_burst_of_batches() -> None:
    def burst(number: int) -> list[Request]:
        names = (f"b{number}-{each}" for each in range(MAX_BATCH_REQUESTS))
        return [request(Verb.CREATE, "configmaps", body=config_map(name)) for name in names]

    async with desk() as api:
        batches = [asyncio.create_task(api.batch(*burst(number))) for number in range(4)]
        await asyncio.sleep(0)
        alone = await api.create("configmaps", config_map("alone"))
        last = [(await batch)[-1].revision for batch in batches]
        assert alone.revision < sorted(last)[2]


async def test_equal_creates_share_their_spec_and_have_names_of_their_own() -> None:
    async with desk() as api:
        responses = await api.batch(*(request(Verb.CREATE, "pods", body=pod()) for _ in range(20)))
        objects = [response.object for response in responses if response.object is not None]
        assert len({obj.rest for obj in objects}) == 1
        assert len({obj.decode_metadata()["name"] for obj in objects}) == 20
        assert len({obj.decode_metadata()["uid"] for obj in objects}) == 20


async def test_a_template_ends_when_admission_would_decide_otherwise() -> None:
    async with desk() as api:
        await api.batch(*(request(Verb.CREATE, "pods", body=pod()) for _ in range(2)))
        limits = {"type": "Container", "default": {"cpu": "1"}}
        await api.create("limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limits]}})
        (later,) = await api.batch(request(Verb.CREATE, "pods", body=pod()))
        assert body_of(later)["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1"}


async def test_a_batch_is_authorized_request_by_request() -> None:
    async with desk() as api:
        answers = await api.as_("jane", "system:authenticated").batch(request(Verb.CREATE, "pods", body=pod()))
        assert [answer.code for answer in answers] == [403]


async def test_leave_for_one_name_is_no_leave_for_the_others_of_a_batch() -> None:
    async with desk() as api:
        rule = {"verbs": ["update"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"]}
        await api.create("roles", {"metadata": {"name": "r"}, "rules": [rule]})
        subject = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
        role = {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
        await api.create("rolebindings", {"metadata": {"name": "b"}, "roleRef": role, "subjects": [subject]})
        for name in ("mine", "other"):
            await api.create("configmaps", config_map(name))
        updates = [request(Verb.UPDATE, "configmaps", name, body=config_map(name, x="1")) for name in ("mine", "other")]
        answers = await api.as_("jane", "system:authenticated").batch(*updates, *reversed(updates))
        assert [answer.code for answer in answers] == [200, 403, 403, 200]


async def test_a_node_writes_its_own_node_in_a_batch_and_no_other() -> None:
    async with desk() as api:
        for name in ("n1", "n2"):
            await api.create("nodes", {"metadata": {"name": name}})
        updates = [request(Verb.UPDATE, "nodes", name, body={"metadata": {"name": name}}) for name in ("n1", "n2")]
        answers = await api.as_("system:node:n1", "system:nodes").batch(*updates)
        assert [answer.code for answer in answers] == [200, 403]


async def test_reads_of_a_batch_are_answered_in_their_places_and_after_its_writes() -> None:
    async with desk() as api:
        before, made, after = await api.batch(
            request(Verb.GET, "configmaps", "a"),
            request(Verb.CREATE, "configmaps", body=config_map("a", x="1")),
            request(Verb.GET, "configmaps", "a"),
        )
        assert (before.code, made.code, after.code) == (200, 201, 200)
        assert body_of(before) == body_of(after)


async def test_batches_of_one_user_past_its_seats_wait_and_are_all_done() -> None:
    async with desk() as api:
        crowd = MAX_RUNNING_PER_USER + 20
        node = api.as_("system:node:n1", "system:nodes")
        await api.create("nodes", {"metadata": {"name": "n1"}})
        update = request(Verb.UPDATE, "nodes", "n1", body={"metadata": {"name": "n1"}})
        batches = [asyncio.create_task(node.batch(update)) for _ in range(crowd)]
        answers = await asyncio.gather(*batches)
        assert [response.code for (response,) in answers] == [200] * crowd


async def test_batches_of_many_in_one_message_are_each_authorized_and_answered_as_if_alone() -> None:
    async with desk() as api:
        await api.batch(*(request(Verb.CREATE, "nodes", body={"metadata": {"name": name}}) for name in ("n1", "n2")))
        updates = [request(Verb.UPDATE, "nodes", name, body={"metadata": {"name": name}}) for name in ("n1", "n2")]
        first, second, nobody = await together(
            api,
            Batch(Identity("system:node:n1", ("system:nodes",)), updates),
            Batch(Identity("system:node:n2", ("system:nodes",)), list(reversed(updates))),
            Batch(Identity("jane", ("system:authenticated",)), updates),
        )
        assert [response.code for response in first] == [200, 403]
        assert [response.code for response in second] == [200, 403]
        assert [response.code for response in nobody] == [403, 403]


async def test_a_message_of_many_batches_is_one_proposal_where_all_are_writes() -> None:
    async with desk() as api:
        batches = [
            Batch(ADMIN, [request(Verb.CREATE, "configmaps", body=config_map(f"{letter}{n}")) for n in range(3)])
            for letter in "abc"
        ]
        before = await commits(api)
        replies = await together(api, *batches)
        assert [[response.code for response in reply] for reply in replies] == [[201] * 3] * 3
        assert await commits(api) == before + 1


async def test_a_batch_that_also_reads_does_not_change_the_answers_of_those_beside_it() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        read, write = request(Verb.GET, "configmaps", "a"), request(Verb.CREATE, "configmaps", body=config_map("b"))
        reads, writes = await together(api, Batch(ADMIN, [read, read]), Batch(ADMIN, [write]))
        assert [response.code for response in reads] == [200, 200]
        assert body_of(reads[0])["data"] == {"x": "1"}
        assert [response.code for response in writes] == [201]


async def test_more_requests_in_one_message_than_a_batch_may_have_are_refused() -> None:
    async with desk() as api:
        half = [
            request(Verb.CREATE, "configmaps", body=config_map(f"c{n}")) for n in range(MAX_BATCH_REQUESTS // 2 + 1)
        ]
        with pytest.raises(Refused, match=f"at most {MAX_BATCH_REQUESTS} requests, found {2 * len(half)}"):
            await together(api, Batch(ADMIN, half), Batch(ADMIN, half))


async def test_messages_of_many_past_their_seats_wait_and_are_all_done() -> None:
    async with desk() as api:
        crowd = MAX_RUNNING_PER_USER + 20
        asked = [
            together(api, Batch(ADMIN, [request(Verb.CREATE, "configmaps", body=config_map(f"c{number}"))]))
            for number in range(crowd)
        ]
        answers = await asyncio.gather(*asked)
        assert [response.code for ((response,),) in answers] == [201] * crowd
