from __future__ import annotations

import asyncio

from orchestrator.client.protocol import Options, Verb
from tests.apiserver.desk import body_of, config_map, desk, pod, request


async def test_a_new_server_has_the_first_namespaces() -> None:
    async with desk() as api:
        found = await api.list("namespaces")
        names = [item.decode_metadata()["name"] for item in found.items or ()]
        assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]


async def test_what_was_created_is_read_back_with_uid_and_revision() -> None:
    async with desk() as api:
        created = await api.create("configmaps", config_map("a", x="1"))
        found = await api.get("configmaps", "a")
        assert created.code == 201
        assert found["data"] == {"x": "1"}
        assert found["metadata"]["resourceVersion"] == str(created.revision)
        assert len(found["metadata"]["uid"]) == 36


async def test_an_unknown_resource_is_a_status_404() -> None:
    async with desk() as api:
        answer = await api.ask(request(Verb.GET, "things", "x"))
        assert (answer.code, body_of(answer)["reason"]) == (404, "NotFound")


async def test_a_name_that_is_taken_is_a_conflict() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a"))
        again = await api.create("configmaps", config_map("a"))
        assert (again.code, body_of(again)["message"]) == (409, 'configmaps "a" already exists')


async def test_a_dry_run_writes_nothing() -> None:
    async with desk() as api:
        dry = await api.create("configmaps", config_map("a"), options=Options(dry_run=True))
        assert dry.code == 201
        assert (await api.get("configmaps", "a"))["code"] == 404


async def test_a_namespace_made_just_now_can_be_used() -> None:
    async with desk() as api:
        await api.create("namespaces", {"metadata": {"name": "new"}})
        made = await api.create("configmaps", config_map("a"), namespace="new")
        assert made.code == 201


async def test_nothing_is_made_in_a_namespace_that_is_missing() -> None:
    async with desk() as api:
        answer = await api.create("configmaps", config_map("a"), namespace="none")
        assert (answer.code, body_of(answer)["message"]) == (404, 'namespaces "none" not found')


async def test_an_unknown_field_is_a_warning_and_dropped() -> None:
    async with desk() as api:
        answer = await api.create("configmaps", {"metadata": {"name": "a"}, "colour": "red"})
        assert answer.warnings == ('unknown field "colour"',)
        assert "colour" not in body_of(answer)


async def test_an_unknown_field_is_refused_when_validation_is_strict() -> None:
    async with desk() as api:
        body = {"metadata": {"name": "a"}, "colour": "red"}
        answer = await api.create("configmaps", body, options=Options(field_validation="Strict"))
        assert answer.code == 400
        assert 'strict decoding error: unknown field "colour"' in body_of(answer)["message"]


async def test_an_event_is_forgotten_after_its_time() -> None:
    async with desk() as api:
        about = {"kind": "Pod", "name": "p", "namespace": "default"}
        await api.create("events", {"metadata": {"name": "e"}, "involvedObject": about, "reason": "Because"})
        await asyncio.sleep(1800)
        assert (await api.get("events", "e"))["reason"] == "Because"
        await asyncio.sleep(2000)
        assert (await api.get("events", "e"))["code"] == 404


async def test_a_restarted_server_finds_what_it_needs_again() -> None:
    async with desk() as api:
        await api.create("namespaces", {"metadata": {"name": "new"}})
        api.system.kill("api")
        await asyncio.sleep(5)
        assert (await api.create("pods", pod("p"))).code == 201
        assert (await api.create("configmaps", config_map("a"), namespace="new")).code == 201
