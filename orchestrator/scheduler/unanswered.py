"""Bindings that got no answer: they may have been made. Whoever gives their room to others meanwhile gives it twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actors import Clock
from orchestrator.client import requests
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.kinds import PODS
from orchestrator.client.protocol import Request, Response

if TYPE_CHECKING:
    from orchestrator.scheduler.outcome import Assignment

AGAIN_SECONDS = 0.5
"""Before a binding that got no answer is asked for again."""
CREATED = 201


async def outcomes(
    client: Client, clock: Clock, assignments: Sequence[Assignment], bindings: Sequence[Request]
) -> list[int]:
    """What became of each in the end, as the API's code: asked for again, to the same node, until the API server says
    how the pods stand. One that is found bound as was asked is bound, whichever request did it."""
    where = [requests.get(PODS, *reversed(each.key.split("/"))) for each in assignments]
    while True:
        await clock.sleep(AGAIN_SECONDS)
        try:
            answers = await client.batch(list(bindings))
            pods = await client.batch(where)
        except TransportError:
            continue
        return [
            CREATED if _stands(pod, each) else answer.code
            for each, answer, pod in zip(assignments, answers, pods, strict=True)
        ]


def _stands(pod: Response, assignment: Assignment) -> bool:
    if pod.object is None:
        return False
    obj = pod.object.decode()
    bound: bool = obj["spec"].get("nodeName") == assignment.node and obj["metadata"]["uid"] == assignment.uid
    return bound
