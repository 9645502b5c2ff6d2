"""Blocks of old records: small where they are alike, the same rows either way."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from orchestrator.store.commands import Write
from orchestrator.store.machine import Machine
from orchestrator.store.packed import BLOCK_RECORDS, pack, row, unpack
from orchestrator.store.protocol import Change


@pytest.mark.parametrize(("made", "small"), [(os.urandom, False), (bytes, True)])
def test_a_block_gives_the_rows_that_it_took_whether_they_can_be_compressed_or_not(
    made: Callable[[int], bytes], small: bool
) -> None:
    machine = Machine()
    for _ in range(BLOCK_RECORDS + 1):
        machine.apply(Write(0, [Change("a/1", (made(500), made(500)))]))
    records = machine.history.after(1)
    block = pack(records)
    assert (len(block.rows) < BLOCK_RECORDS * 100) is small
    assert len(block.rows) < BLOCK_RECORDS * 1100
    assert unpack(block) == [row(record) for record in records]
