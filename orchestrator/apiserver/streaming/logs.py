"""``pods/log`` as chunked text."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from actors import Actor
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.meta import parse_time
from orchestrator.apiserver.door_messages import Located
from orchestrator.apiserver.http.query import boolean, integer
from orchestrator.apiserver.streaming.sink import Session
from orchestrator.client.node import Finished, OpenLog

STREAMS = ("All", "Stdout", "Stderr")


def log_options(query: Mapping[str, str], now: float) -> dict[str, object]:
    """The query of ``pods/log``. Raises BadRequest or Invalid."""

    def flag(name: str) -> bool:
        return name in query and boolean(query[name])

    tail = integer(query["tailLines"]) if query.get("tailLines") else None
    limit = integer(query["limitBytes"]) if query.get("limitBytes") else None
    since = 0.0
    if query.get("sinceSeconds"):
        since = now - integer(query["sinceSeconds"])
    elif query.get("sinceTime"):
        since = _time(query["sinceTime"])
    for name, value, least in (("tailLines", tail, 0), ("limitBytes", limit, 1)):
        if value is not None and value < least:
            raise _invalid(name, value, f"must be greater than {'or equal to ' if not least else ''}0")
    return {
        "previous": flag("previous"),
        "follow": flag("follow"),
        "timestamps": flag("timestamps"),
        "tail_lines": tail,
        "limit_bytes": limit,
        "since": since,
        "stream": query.get("stream") or "All",
    }


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except ValueError as wrong:
        raise errors.bad_request(f"sinceTime: {wrong}") from wrong


def _invalid(field: str, value: int, text: str) -> errors.StatusError:
    message = f"Invalid value: {value}: {text}"
    details = {"kind": "PodLogOptions", "causes": [{"reason": "FieldValueInvalid", "message": message, "field": field}]}
    return errors.status(422, "Invalid", f'PodLogOptions "" is invalid: {field}: {message}', details)


async def stream_log(actor: Actor, request: web.BaseRequest, located: Located) -> web.StreamResponse:
    """Writes lines as they come; ends with the log, or with the client."""
    assert located.node is not None
    options = log_options(request.query, actor.context.clock.time())
    async with Session(actor) as session:
        await session.open(located.node, OpenLog(located.pod_uid, located.container, session.sink, **options))  # type: ignore[arg-type]
        response = web.StreamResponse(headers={"Cache-Control": "no-cache, private"})
        response.content_type = "text/plain"
        response.enable_chunked_encoding()
        await response.prepare(request)
        while not isinstance(frame := await session.next(), Finished):
            await response.write(frame.data)
        await response.write_eof()
        return response
