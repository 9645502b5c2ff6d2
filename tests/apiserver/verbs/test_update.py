from __future__ import annotations

from orchestrator.client.protocol import PatchType
from tests.apiserver.desk import body_of, config_map, desk, pod


async def test_an_old_revision_is_a_conflict() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a"))
        stale = config_map("a", x="1")
        stale["metadata"]["resourceVersion"] = "1"
        answer = await api.update("configmaps", stale)
        assert (answer.code, body_of(answer)["reason"]) == (409, "Conflict")


async def test_an_update_that_changes_nothing_is_not_written() -> None:
    async with desk() as api:
        made = await api.create("configmaps", config_map("a", x="1"))
        same = await api.update("configmaps", config_map("a", x="1"))
        assert (same.code, same.revision) == (200, made.revision)


async def test_a_status_update_leaves_the_spec_and_its_bytes() -> None:
    async with desk() as api:
        made = await api.create("pods", pod("p"))
        changed = body_of(made) | {"status": {"phase": "Running"}}
        changed["spec"]["containers"][0]["image"] = "other"
        answer = await api.update("pods", changed, subresource="status")
        assert made.object is not None
        assert answer.object is not None
        assert answer.object.rest == made.object.rest
        assert body_of(answer)["status"]["phase"] == "Running"


async def test_a_spec_update_leaves_the_status() -> None:
    async with desk() as api:
        made = body_of(await api.create("pods", pod("p")))
        made["status"] = {"phase": "Failed"}
        made["metadata"]["labels"] = {"a": "b"}
        answer = body_of(await api.update("pods", made))
        assert answer["status"]["phase"] == "Pending"
        assert answer["metadata"]["labels"] == {"a": "b"}


async def test_a_merge_patch_changes_what_it_names() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1", y="2"))
        answer = await api.patch("configmaps", "a", {"data": {"x": None, "z": "3"}})
        assert body_of(answer)["data"] == {"y": "2", "z": "3"}


async def test_a_json_patch_whose_test_fails_is_unprocessable() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a", x="1"))
        patch = [{"op": "test", "path": "/data/x", "value": "2"}]
        assert (await api.patch("configmaps", "a", patch, PatchType.JSON)).code == 422


async def test_scale_changes_the_replicas_of_its_workload() -> None:
    async with desk() as api:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
        await api.create("deployments", {"metadata": {"name": "d"}, "spec": spec})
        answer = await api.patch("deployments", "d", {"spec": {"replicas": 4}}, subresource="scale")
        assert body_of(answer)["spec"] == {"replicas": 4}
        assert (await api.get("deployments", "d"))["spec"]["replicas"] == 4
