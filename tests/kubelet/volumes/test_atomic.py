"""Files of a volume that change all at once."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.kubelet.volumes.atomic import File, write_atomically


def files(**contents: str) -> dict[str, File]:
    return {name: File(text.encode(), 0o640) for name, text in contents.items()}


def test_files_are_read_through_the_data_link(tmp_path: Path) -> None:
    assert write_atomically(tmp_path, files(key="one") | {"deep/er": File(b"two", 0o600)})
    assert (tmp_path / "key").read_text() == "one"
    assert (tmp_path / "deep" / "er").read_text() == "two"
    assert os.readlink(tmp_path / "key") == "..data/key"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o640


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    write_atomically(tmp_path, files(key="one"))
    assert not write_atomically(tmp_path, files(key="one"))


def test_a_change_replaces_the_whole_generation(tmp_path: Path) -> None:
    write_atomically(tmp_path, files(old="1", kept="1"))
    before = os.readlink(tmp_path / "..data")
    assert write_atomically(tmp_path, files(kept="2", new="2"))
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("..")) == ["kept", "new"]
    assert (tmp_path / "kept").read_text() == "2"
    assert not (tmp_path / before).exists()
