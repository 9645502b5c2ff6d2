"""Whatever comes in, the door finds words for it: never a 500."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.http.door import HttpDoor
from orchestrator.apiserver.http.query import FIELDS
from tests.apiserver.desk import desk
from tests.oracle.cases import Case, setup
from tests.oracle.groups import GROUPS

pytestmark = [pytest.mark.slow, pytest.mark.real_loop]

SEED = 37
REQUESTS = 2000
ANSWER_SECONDS = 20.0
TEXTS = (
    "",
    "x",
    "-1",
    "0",
    "1e999",
    "9" * 30,
    "../..",
    "%",
    "a=b",
    "\u0000",
    "\u00e4\u20ac",
    "{}",
    "[",
    "null",
    "true",
    "a" * 300,
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    2**31,
    2**63 - 1,
    2**64,
    "",
    "x",
    "9" * 40,
    [],
    [None],
    [[]],
    {},
    {"": ""},
    {"a": None},
    [{}],
    ["x"],
    {"x": {"y": []}},
)
SEGMENTS = (
    "",
    "..",
    "%00",
    "%ff",
    "%2f",
    "pods",
    "namespaces",
    "status",
    "scale",
    "proxy",
    "watch",
    "a b",
    "*",
    "v9",
    "nothing",
)
HEADERS = (
    ("Accept", "application/yaml"),
    ("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io"),
    ("Accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"),
    ("Accept", ";;;=,*/*;q=x"),
    ("Content-Type", "application/yaml"),
    ("Content-Type", "application/vnd.kubernetes.protobuf"),
    ("Content-Type", "application/json-patch+json"),
    ("Content-Type", "application/strategic-merge-patch+json"),
    ("Content-Type", "application/merge-patch+json"),
    ("Content-Type", "application/apply-patch+yaml"),
    ("Content-Type", "nonsense;;="),
    ("If-None-Match", '"'),
    ("Authorization", "Bearer a.b.c"),
    ("Authorization", "Basic"),
    ("Impersonate-User", "system:serviceaccount:a:b"),
    ("Impersonate-Group", "x"),
    ("Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.%%%"),
    ("Upgrade", "SPDY/3.1"),
    ("User-Agent", ""),
)


def corpus() -> list[Case]:
    return [case for make in GROUPS.values() for case in make()]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def mutated_body(body: Any, source: random.Random) -> bytes:
    if isinstance(body, bytes):
        raw = bytearray(body)
    else:
        document = json.loads(json.dumps(body))
        for _ in range(source.randrange(3)):
            found = list(places(document))
            if found:
                holder, key = source.choice(found)
                holder[key] = deepcopy(source.choice(VALUES))
        raw = bytearray(json.dumps(document).encode())
    if raw and source.random() < 0.15:
        for _ in range(source.randrange(1, 4)):
            raw[source.randrange(len(raw))] = source.randrange(256)
    return bytes(raw[: source.randrange(len(raw) + 1)]) if source.random() < 0.05 else bytes(raw)


def mutated_path(path: str, source: random.Random) -> str:
    where, _, query = path.partition("?")
    if source.random() < 0.25:
        parts = where.split("/")
        parts[source.randrange(1, len(parts))] = source.choice(SEGMENTS)
        where = "/".join(parts)
    if source.random() < 0.3:
        name = source.choice([*FIELDS, "dryRun", "watch", "pretty", "orphanDependents", "includeObject", "follow"])
        query = f"{query}&{name}={quote(source.choice(TEXTS))}"
    return f"{where}?{query}" if query else where


def request_of(case: Case, source: random.Random) -> bytes:
    method = source.choice(("GET", "POST", "PUT", "PATCH", "DELETE")) if source.random() < 0.1 else case.method
    headers = {"Content-Type": "application/json"} | case.headers
    if source.random() < 0.25:
        headers |= [source.choice(HEADERS)]
    body = b"" if case.body is None else mutated_body(case.body, source)
    headers |= {"Host": "x", "Connection": "close", "Content-Length": str(len(body))}
    path = mutated_path(case.path, source).replace(" ", "%20")
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(head).encode() + body


async def code_of(port: int, request: bytes) -> tuple[int, bytes]:
    """The answer's code and the first of its bytes; 0 when the connection was closed without one."""
    async with asyncio.timeout(ANSWER_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            await writer.drain()
            answer = await reader.read(2000)
        except ConnectionError:
            return 0, b""
        finally:
            writer.close()
    return (int(answer.split(None, 2)[1]) if answer else 0), answer


async def test_no_request_is_answered_with_an_error_of_ours() -> None:
    source = random.Random(SEED)
    cases = corpus()
    config = ServerConfig(authorize=False)
    wrong: list[tuple[bytes, bytes]] = []
    async with desk(config) as api:
        made: list[HttpDoor] = []

        def make() -> HttpDoor:
            made.append(HttpDoor(api.api, config))
            return made[-1]

        actor = await api.system.spawn(partial(make), name="door")
        for case in setup():
            await code_of(made[0].port, request_of(case, random.Random(0)))
        for position in range(REQUESTS):
            request = request_of(cases[position % len(cases)] if position % 2 else source.choice(cases), source)
            code, answer = await code_of(made[0].port, request)
            if code >= 500 and code not in (503, 504):
                wrong.append((request[:700], answer))
        await api.system.stop_actor(actor)
    assert not wrong, f"seed {SEED}: {len(wrong)} answers, the first: {wrong[0]}"
