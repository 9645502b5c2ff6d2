from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.store.snapshot_file import SnapshotDamaged, frame, read, verify, write

CHUNKS = [b"first", b"", b"x" * 100_000]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    size = write(tmp_path / "file", frame(CHUNKS))
    assert size == (tmp_path / "file").stat().st_size
    assert list(read(tmp_path / "file")) == CHUNKS
    assert verify(tmp_path / "file") == 3


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "file", frame(CHUNKS))
    whole = (tmp_path / "file").read_bytes()
    for size in (0, 10, 16, 20, 60, len(whole) - 1):
        (tmp_path / "file").write_bytes(whole[:size])
        with pytest.raises(SnapshotDamaged, match="no whole snapshot"):
            verify(tmp_path / "file")


def test_an_unfinished_file_does_not_take_the_name(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        write(tmp_path / "file", pieces())
    assert not (tmp_path / "file").exists()
