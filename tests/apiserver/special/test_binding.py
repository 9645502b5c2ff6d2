from __future__ import annotations

from typing import Any

from orchestrator.client.protocol import Verb
from tests.apiserver.desk import Desk, body_of, desk, pod, request


def binding(name: str, node: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "target": {"kind": "Node", "name": node}}


async def bind(api: Desk, name: str, node: str) -> Any:
    return body_of(await api.ask(request(Verb.CREATE, "pods", name, body=binding(name, node), subresource="binding")))


async def test_a_bound_pod_is_on_its_node_and_scheduled() -> None:
    async with desk() as api:
        await api.create("pods", pod("p"))
        assert (await bind(api, "p", "n1"))["status"] == "Success"
        found = await api.get("pods", "p")
        assert found["spec"]["nodeName"] == "n1"
        assert [(one["type"], one["status"]) for one in found["status"]["conditions"]] == [("PodScheduled", "True")]


async def test_a_pod_is_bound_once() -> None:
    async with desk() as api:
        await api.create("pods", pod("p"))
        await bind(api, "p", "n1")
        answer = await bind(api, "p", "n2")
        assert answer["code"] == 409
        assert 'pod p is already assigned to node "n1"' in answer["message"]


async def test_an_eviction_is_refused_by_its_budget() -> None:
    async with desk() as api:
        body = pod("p", nodeName="n1")
        body["metadata"]["labels"] = {"a": "b"}
        made = body_of(await api.create("pods", body))
        await api.update(
            "pods",
            made | {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
            subresource="status",
        )
        spec = {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}
        budget = body_of(await api.create("poddisruptionbudgets", {"metadata": {"name": "b"}, "spec": spec}))
        status = {
            "observedGeneration": 1,
            "disruptionsAllowed": 0,
            "currentHealthy": 1,
            "desiredHealthy": 1,
            "expectedPods": 1,
        }
        await api.update("poddisruptionbudgets", budget | {"status": status}, subresource="status")
        asked = request(Verb.CREATE, "pods", "p", body={"metadata": {"name": "p"}}, subresource="eviction")
        answer = body_of(await api.ask(asked))
        assert answer["code"] == 429
        assert answer["details"]["causes"][0]["reason"] == "DisruptionBudget"


async def test_a_service_gets_an_address_and_a_node_port() -> None:
    async with desk() as api:
        spec = {"type": "NodePort", "selector": {"a": "b"}, "ports": [{"port": 80}]}
        made = body_of(await api.create("services", {"metadata": {"name": "s"}, "spec": spec}))
        assert made["spec"]["clusterIP"].startswith("10.96.")
        assert 30000 <= made["spec"]["ports"][0]["nodePort"] <= 32767
