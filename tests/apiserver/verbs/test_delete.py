from __future__ import annotations

from orchestrator.client.protocol import Options, Verb
from tests.apiserver.desk import body_of, config_map, desk, pod, request


async def test_a_delete_answers_with_a_success() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a"))
        answer = body_of(await api.delete("configmaps", "a"))
        assert (answer["status"], answer["details"]["name"]) == ("Success", "a")
        assert (await api.get("configmaps", "a"))["code"] == 404


async def test_a_finalizer_keeps_the_object_marked() -> None:
    async with desk() as api:
        body = config_map("a")
        body["metadata"]["finalizers"] = ["example.com/hold"]
        await api.create("configmaps", body)
        marked = body_of(await api.delete("configmaps", "a"))
        assert marked["metadata"]["deletionTimestamp"]
        await api.patch("configmaps", "a", {"metadata": {"finalizers": None}})
        assert (await api.get("configmaps", "a"))["code"] == 404


async def test_a_pod_on_no_node_goes_at_once() -> None:
    async with desk() as api:
        await api.create("pods", pod("p"))
        await api.delete("pods", "p")
        assert (await api.get("pods", "p"))["code"] == 404


async def test_a_bound_pod_has_its_grace_and_goes_with_grace_zero() -> None:
    async with desk() as api:
        await api.create("pods", pod("p", nodeName="n1"))
        marked = body_of(await api.delete("pods", "p"))
        assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
        await api.delete("pods", "p", grace_period_seconds=0)
        assert (await api.get("pods", "p"))["code"] == 404


async def test_a_precondition_on_the_uid_is_held() -> None:
    async with desk() as api:
        await api.create("configmaps", config_map("a"))
        assert (await api.delete("configmaps", "a", precondition_uid="other")).code == 409


async def test_a_namespace_waits_for_its_finalizer() -> None:
    async with desk() as api:
        await api.create("namespaces", {"metadata": {"name": "n"}})
        marked = body_of(await api.delete("namespaces", "n"))
        assert marked["status"]["phase"] == "Terminating"
        refused = await api.create("configmaps", config_map("a"), namespace="n")
        assert body_of(refused)["details"]["causes"][0]["reason"] == "NamespaceTerminating"
        marked["spec"] = {}
        await api.ask(request(Verb.UPDATE, "namespaces", "n", body=marked, subresource="finalize"))
        assert (await api.get("namespaces", "n"))["code"] == 404


async def test_a_collection_is_deleted_by_its_selector() -> None:
    async with desk() as api:
        for name, label in (("a", "x"), ("b", "y")):
            body = config_map(name)
            body["metadata"]["labels"] = {"l": label}
            await api.create("configmaps", body)
        await api.ask(request(Verb.DELETECOLLECTION, "configmaps", options=Options(label_selector="l=x")))
        left = await api.list("configmaps")
        assert [item.decode_metadata()["name"] for item in left.items or ()] == ["b"]
