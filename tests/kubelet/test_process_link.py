from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.kubelet.runtime.process.link import Link, pack, read_frame

pytestmark = pytest.mark.real_loop


async def test_an_exit_right_after_the_start_is_the_last_word(tmp_path: Path) -> None:
    """The shim's answer to the start and its news of the exit arrive in one read."""

    async def shim(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_frame(reader)
        writer.write(pack("ok", []))
        await read_frame(reader)
        writer.write(pack("ok", [{"id": "a", "phase": "running"}]) + pack("states", [{"id": "a", "phase": "exited"}]))
        await reader.read()
        writer.close()

    told: list[str] = []
    server = await asyncio.start_unix_server(shim, tmp_path / "shim.sock")
    link = Link(tmp_path, lambda states: told.extend(state["phase"] for state in states), lambda: None)
    await link.open()
    await link.call("start", {})
    assert told == ["running", "exited"]
    await link.close()
    server.close()
