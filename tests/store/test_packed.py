"""Blocks of old records: compressed where that is of use, the same rows either way."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from orchestrator.store.commands import Write
from orchestrator.store.machine import Machine
from orchestrator.store.packed import BLOCK_RECORDS, pack, row, unpack
from orchestrator.store.protocol import Change


@pytest.mark.parametrize(("made", "plain"), [(os.urandom, True), (bytes, False)])
def test_what_cannot_be_compressed_is_kept_as_it_is(made: Callable[[int], bytes], plain: bool) -> None:
    machine = Machine()
    for _ in range(BLOCK_RECORDS + 1):
        machine.apply(Write(0, [Change("a/1", (made(500), made(500)))]))
    records = machine.history.after(1)
    block = pack(records)
    assert block.plain is plain
    assert (len(block.rows) > BLOCK_RECORDS * 1000) is plain
    assert unpack(block) == [row(record) for record in records]
