"""``census.py`` in the loop of the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kr8s
import pytest
from census import census, restart
from kr8s.asyncio.objects import Deployment, Pod, new_class

from orchestrator import Cluster
from orchestrator.kubelet.runtime.behaviour import Behaviour, Rule

pytestmark = [
    pytest.mark.cluster(nodes=2, serve=True),
    # It is older than the Kubernetes that is served, and says so.
    pytest.mark.filterwarnings("ignore:Kubernetes version:UserWarning"),
]

Gadget = new_class("Gadget", "example.com/v1", asyncio=True, namespaced=True)


def deployment(name: str, replicas: int = 2) -> dict[str, Any]:
    pod = {"containers": [{"name": "main", "image": f"{name}:1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
        },
    }


async def connect(kubeconfig: Path) -> Any:
    return await kr8s.asyncio.api(kubeconfig=str(kubeconfig))


async def test_the_well_are_counted_and_the_ill_say_why(cluster: Cluster, kubeconfig: Path) -> None:
    crash = Behaviour(run_seconds=0.02, exit_code=1, log_lines=("it went well", "until it did not"))
    cluster.behave(Rule(crash, image="crash:*"))
    await cluster.apply([deployment("web"), deployment("crash", 1)])
    await cluster.wait("deployment/web", "Available")
    [pod] = await cluster.list("pods", app="crash")
    await cluster.wait(f"pod/{pod.metadata.name}", waits_for("CrashLoopBackOff"))
    found = await census(await connect(kubeconfig))
    assert sum(found.running.values()) == 2
    assert found.ill == {pod.metadata.name: "CrashLoopBackOff"}
    assert found.last_words[pod.metadata.name][-1].endswith("until it did not")


def waits_for(reason: str) -> Any:
    def holds(pod: Any) -> bool:
        statuses = pod.get("status", {}).get("containerStatuses", [])
        return any(one.get("state", {}).get("waiting", {}).get("reason") == reason for one in statuses)

    return holds


async def test_objects_are_made_waited_for_scaled_and_watched(cluster: Cluster, kubeconfig: Path) -> None:
    api = await connect(kubeconfig)
    web = await Deployment(deployment("web"), api=api)
    await web.create()
    await web.wait("condition=Available")
    await web.scale(3)
    await cluster.wait("deployment/web", lambda found: found.get("status", {}).get("readyReplicas") == 3)
    [pod, *_] = [pod async for pod in Pod.list(api=api, namespace="default", label_selector={"app": "web"})]
    await pod.label({"seen": "yes"})
    assert (await cluster.get(f"pod/{pod.name}")).metadata.labels["seen"] == "yes"
    await restart(api, "web")
    await cluster.wait("deployment/web", lambda found: found.get("status", {}).get("observedGeneration") == 3)
    await web.delete()
    await web.wait("delete")


async def test_custom_objects_are_found_by_discovery(cluster: Cluster, kubeconfig: Path) -> None:
    await cluster.apply(GADGETS)
    await cluster.wait("crd/gadgets.example.com", "Established")
    api = await connect(kubeconfig)
    await (await Gadget({"metadata": {"name": "one", "namespace": "default"}, "spec": {"size": 3}}, api=api)).create()
    [found] = [gadget async for gadget in api.get("gadgets.example.com", namespace="default")]
    assert found.raw.spec.size == 3
    await found.patch({"status": {"seen": True}}, subresource="status")
    assert (await cluster.get("gadget/one")).status.seen is True


GADGETS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: gadgets, singular: gadget, kind: Gadget}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
