"""Long answers: all items are in them, and others have their turn while they are written."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from orchestrator.api.schema import schema
from orchestrator.apimachinery.encoded import encode
from orchestrator.apiserver.http.answers import GZIP_FROM_BYTES, LIST_ITEMS, View, answer
from orchestrator.apiserver.http.jsoncache import JsonCache
from orchestrator.apiserver.http.negotiation import JSON, MediaType
from orchestrator.client.protocol import Response

ITEMS = LIST_ITEMS * 10 + 1


def listing() -> Response:
    data = {"x": "y" * 500}
    names = [f"c-{number}" for number in range(ITEMS)]
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data} for name in names]
    return Response(200, 7, items=[encode(obj, 7) for obj in maps])


class Machine:
    """Counts what is done beside the loop."""

    def __init__(self) -> None:
        self.blocked = 0

    async def blocking(self, function: Callable[..., bytes], *args: Any) -> bytes:
        self.blocked += 1
        return function(*args)


async def written(view: View, machine: Machine) -> tuple[Any, int]:
    """The body, and how often others had their turn meanwhile."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    resource = schema().resource("", "v1", "configmaps")
    assert resource is not None
    task = asyncio.create_task(other())
    made = await answer(listing(), view, resource, JsonCache(), 0.0, machine.blocking)
    task.cancel()
    assert isinstance(made.body, bytes)
    packed = made.headers.get("Content-Encoding") == "gzip"
    return orjson.loads(gzip.decompress(made.body) if packed else made.body), turns


@pytest.mark.parametrize("form", ["", "Table"])
async def test_a_list_is_written_in_pieces_and_is_whole(form: str) -> None:
    machine = Machine()
    body, turns = await written(View(MediaType(JSON, {"as": form, "v": "v1"} if form else {})), machine)
    found = [row["object"]["metadata"]["name"] for row in body["rows"]] if form else None
    assert (found or [item["metadata"]["name"] for item in body["items"]]) == [f"c-{n}" for n in range(ITEMS)]
    assert turns >= ITEMS // LIST_ITEMS
    assert machine.blocked == 0


async def test_a_large_answer_is_compressed_beside_the_loop() -> None:
    machine = Machine()
    body, _ = await written(View(MediaType(JSON, {}), gzip=True), machine)
    assert len(orjson.dumps(body)) > GZIP_FROM_BYTES
    assert len(body["items"]) == ITEMS
    assert machine.blocked == 1
