"""A small write to a quick disk is done at once; after a slow one the thread has its turn."""

from __future__ import annotations

from pathlib import Path

import aiosqlite
import pytest

from orchestrator.raft.entry import Entry, HardState
from orchestrator.store.connection import PROMPT_BYTES, REST_WRITES, SLOW_SECONDS, Prompt, connect_prompt
from orchestrator.store.errors import LogFailed
from orchestrator.store.sqlite_log import SqliteLog

pytestmark = pytest.mark.real_loop


class Disk:
    """A clock that goes on by ``seconds`` each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.now += self.seconds
        return self.now


async def test_after_a_slow_write_the_thread_has_the_next_ones() -> None:
    disk = Disk()
    connection = await aiosqlite.connect(":memory:", isolation_level=None, check_same_thread=False)
    prompt = Prompt(connection, disk.monotonic)
    try:
        assert prompt.willing(PROMPT_BYTES)
        assert not prompt.willing(PROMPT_BYTES + 1)
        disk.seconds = 2 * SLOW_SECONDS
        prompt.execute_here("CREATE TABLE rows (data)", ())
        assert [prompt.willing(1) for _ in range(REST_WRITES + 1)] == [False] * REST_WRITES + [True]
        prompt.execute_here("INSERT INTO rows VALUES (1)", ())
        assert [prompt.willing(1) for _ in range(2 * REST_WRITES + 1)] == [False] * 2 * REST_WRITES + [True]
        disk.seconds = 0.0
        prompt.execute_here("INSERT INTO rows VALUES (1)", ())
        assert prompt.willing(1)
    finally:
        await prompt.close()


async def test_a_prompt_log_has_what_was_appended_either_way_and_fails_as_any_other(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "store.db", connect=connect_prompt)
    await log.open()
    written = [Entry(index, 1, b"x" * (PROMPT_BYTES if index % 3 == 0 else 100)) for index in range(1, 20)]
    for entry in written:
        await log.append(HardState(1, 1, 0), [entry])
    await log.close()
    assert (await log.open()).entries == written
    await log._query("DROP TABLE batches")
    with pytest.raises(LogFailed, match="no such table"):
        await log.append(HardState(1, 1, 0), [Entry(20, 1, b"")])
    with pytest.raises(LogFailed, match="no such table"):
        await log.append(HardState(1, 1, 0), [Entry(20, 1, b"")])
    await log.close()
