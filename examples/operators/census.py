"""With ``kr8s``: what runs where, what does not run and why, and its last words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kr8s.asyncio import Api
from kr8s.asyncio.objects import Deployment, Pod

RESTARTS = "example.com/restarts"


@dataclass
class Census:
    """``running``: pods by node. ``ill``: a pod's name -> why. ``last_words``: the newest lines of what is ill."""

    running: dict[str, int] = field(default_factory=dict)
    ill: dict[str, str] = field(default_factory=dict)
    last_words: dict[str, list[str]] = field(default_factory=dict)


async def census(api: Api, *, namespace: str = "default", lines: int = 3) -> Census:
    found = Census()
    async for pod in Pod.list(api=api, namespace=namespace):
        reason = illness(pod.raw)
        if reason:
            found.ill[pod.name] = reason
            found.last_words[pod.name] = [line async for line in pod.logs(tail_lines=lines, previous=True)]
        else:
            node = pod.raw.spec.get("nodeName", "")
            found.running[node] = found.running.get(node, 0) + 1
    return found


def illness(pod: Any) -> str:
    """Why a pod is not as it should be; nothing: it is well. Pure."""
    for status in pod.get("status", {}).get("containerStatuses", []):
        waiting = status.get("state", {}).get("waiting")
        if waiting and waiting["reason"] != "ContainerCreating":
            return str(waiting["reason"])
        if status.get("restartCount", 0) and not status.get("ready"):
            return f"restarted {status['restartCount']} times"
    return "" if pod.get("status", {}).get("phase") in ("Running", "Succeeded") else "Pending"


async def restart(api: Api, name: str, *, namespace: str = "default") -> None:
    """Roll the Deployment's pods over, as ``kubectl rollout restart`` does."""
    deployment = await Deployment.get(name, namespace=namespace, api=api)
    metadata = deployment.raw.spec.template.metadata
    count = int(metadata.get("annotations", {}).get(RESTARTS, "0")) + 1
    await deployment.patch({"spec": {"template": {"metadata": {"annotations": {RESTARTS: str(count)}}}}})
