"""The keys of a cluster that lives in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config import ClusterConfig
from orchestrator.embedding import door


def config() -> ClusterConfig:
    return ClusterConfig(listen=(door.HOST, door.free_port()))


def test_they_are_made_in_the_first_folder_that_may_be_written(tmp_path: Path) -> None:
    assert door.first_writable([tmp_path / "none", tmp_path]) == tmp_path
    assert door.first_writable([tmp_path / "none"]) is None


def test_they_leave_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "IN_MEMORY", (tmp_path,))
    made = door.keys(config())
    assert list(tmp_path.iterdir()) == []
    assert made.tls.cert_store_stats()["x509_ca"] == 1
