"""Get: one object as it stands."""

from __future__ import annotations

from orchestrator.apiserver.call import Call, Environment, stored
from orchestrator.apiserver.storage import encoded_of
from orchestrator.client.protocol import Response


async def get(env: Environment, call: Call) -> Response:
    reply = await env.storage.get([call.key])
    value = reply.values[0]
    if value is None:
        raise call.not_found()
    return stored(encoded_of(value))
