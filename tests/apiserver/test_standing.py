"""A server may remember; it may not tell as true what it only remembers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors import Ref
from orchestrator.apimachinery.encoded import Encoded, encode
from orchestrator.apiserver.standing import MAX_STANDING, Standing
from orchestrator.apiserver.storage import encoded_of
from orchestrator.client.protocol import Options, PatchType, Verb
from orchestrator.store.protocol import Batch, Change, Get, GetReply, Value
from tests.apiserver.desk import Desk, body_of, config_map, desk, request

KEY = "core/configmaps/default/a"


def value(key: str, revision: int) -> Value:
    return Value(key, (b"m", b"", b"r"), revision, 1, 1)


def store(api: Desk) -> Ref[Any]:
    return api.system.ref("store")


async def behind(api: Desk, **data: str) -> None:
    """Somebody else writes past this server."""
    reply: GetReply = await store(api).ask(Get([KEY]))
    (held,) = reply.values
    assert held is not None
    obj = encoded_of(held).decode() | {"data": data}
    await store(api).ask(Batch([Change(KEY, encode(obj).parts(), held.mod_revision)]))


def test_a_later_revision_is_kept_against_an_older_one() -> None:
    standing = Standing()
    standing.put(value("a", 5))
    standing.put(value("a", 4))
    found = standing.get("a")
    assert found is not None
    assert found.mod_revision == 5


def test_the_longest_unwritten_goes_when_it_is_full() -> None:
    standing = Standing()
    for number in range(MAX_STANDING):
        standing.put(value(str(number), 1))
    standing.put(value("0", 2))
    standing.put(value("new", 3))
    assert len(standing) == MAX_STANDING
    assert standing.get("1") is None
    assert standing.get("0") is not None


def test_a_write_over_another_revision_than_the_known_one_is_forgotten() -> None:
    standing = Standing()
    standing.put(value("a", 5))
    standing.wrote(Change("a", (None, b"s", None), 6), Encoded(b"m", b"s", b"r"), 7)
    assert standing.get("a") is None


async def test_an_unconditional_update_goes_over_what_somebody_else_wrote() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        await behind(api, x="theirs")
        changed = await api.update("configmaps", config_map("a", x="2"))
        assert changed.code == 200
        assert body_of(changed)["data"] == {"x": "2"}


async def test_an_update_at_the_revision_of_somebody_else_is_no_conflict() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        await behind(api, x="theirs")
        theirs = await api.get("configmaps", "a")
        changed = await api.update("configmaps", theirs | {"data": {"x": "2"}})
        assert changed.code == 200


async def test_an_update_at_the_remembered_revision_is_a_conflict_when_it_stands_no_more() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        ours = await api.get("configmaps", "a")
        await behind(api, x="theirs")
        assert (await api.update("configmaps", ours | {"data": {"x": "2"}})).code == 409


async def test_an_update_that_would_change_nothing_answers_with_what_stands() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        await behind(api, x="theirs")
        same = await api.update("configmaps", config_map("a", x="theirs"))
        assert body_of(same) == await api.get("configmaps", "a")


async def test_a_patch_that_only_what_is_remembered_refuses_is_tried_on_what_stands() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        await behind(api, x="theirs")
        patch = [{"op": "test", "path": "/data/x", "value": "theirs"}]
        found = await api.ask(request(Verb.PATCH, "configmaps", "a", body=patch, patch_type=PatchType.JSON))
        assert found.code == 200


async def test_what_somebody_else_deleted_is_not_found() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a"))
        await store(api).ask(Batch([Change(KEY, None)]))
        assert (await api.ask(request(Verb.DELETE, "configmaps", "a"))).code == 404


async def test_a_delete_of_one_uid_spares_what_was_made_anew() -> None:
    async with desk() as api:
        uid = body_of(await api.create("configmaps", config_map("a")))["metadata"]["uid"]
        await behind(api, x="theirs")
        other = await api.ask(request(Verb.DELETE, "configmaps", "a", options=Options(precondition_uid="other")))
        assert other.code == 409
        assert (
            await api.ask(request(Verb.DELETE, "configmaps", "a", options=Options(precondition_uid=uid)))
        ).code == 200


@pytest.mark.parametrize("writers", [2, 50])
async def test_what_many_ask_in_one_turn_goes_to_the_store_together(writers: int) -> None:
    frames = []
    async with desk(tap=lambda header, _frame: frames.append(header.type)) as api:
        await api.create("configmaps", config_map("first"))
        frames.clear()
        bodies = [config_map(f"a{number}") for number in range(writers)]
        made = await asyncio.gather(*(api.create("configmaps", body) for body in bodies))
        assert [answer.code for answer in made] == [201] * writers
        assert sum(name.endswith("protocol.Batch") for name in frames) == 1
