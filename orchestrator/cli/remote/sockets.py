"""WebSockets to pods (exec, port-forward): one byte before each message is its channel. Imports aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp

from orchestrator.cli.remote.connection import ApiError, Connection, decoded, tls
from orchestrator.cli.terminal import CommandError

MAX_MESSAGE_BYTES = 16 * 2**20
HEARTBEAT_SECONDS = 30.0
V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


@asynccontextmanager
async def connect(
    connection: Connection, path: str, query: Sequence[tuple[str, str]], protocols: Sequence[str]
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Raises ``ApiError`` with the server's own words when it refuses the upgrade."""
    access = connection.access
    url = f"{access.server}{path}?{urlencode(query)}"
    secure: Any = tls(access) if access.server.startswith("https:") else False
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=secure), headers=connection.credentials())
    async with session:
        options: dict[str, Any] = {"server_hostname": access.server_name} if access.server_name else {}
        try:
            socket = await session.ws_connect(
                url, protocols=protocols, max_msg_size=MAX_MESSAGE_BYTES, heartbeat=HEARTBEAT_SECONDS, **options
            )
        except aiohttp.WSServerHandshakeError as error:
            raise await refusal(session, url, error.status) from error
        except (aiohttp.ClientError, OSError) as error:
            raise CommandError(f"cannot reach {access.server}: {error}") from error
        async with socket:
            yield socket


async def refusal(session: aiohttp.ClientSession, url: str, code: int) -> CommandError:
    """What a refused upgrade meant: a handshake's error carries no body, a plain request has it."""
    async with session.get(url) as answer:
        status = decoded(await answer.read(), answer.status)
    if answer.status == code:
        return ApiError(status)
    return CommandError(f"the server refused the stream with {code}")
