"""``podium store``: the commands over a stopped store, and over one that ``serve`` runs."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.cli.main import main

pytestmark = pytest.mark.slow
PUT = {"key": "a2V5", "value": "dmFsdWU="}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose store has one key."""
    with serving(tmp_path / "data") as url:
        post(url, "kv/put", PUT)
    return tmp_path / "data"


class serving:
    """``podium store serve`` on a free port."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-m", "orchestrator.cli.main", "store", "serve", "--listen", "127.0.0.1:0"]
        self._process = subprocess.Popen([*command, "--data-dir", str(data)], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return line.split(" at ")[1].split(" ")[0]

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()


def post(url: str, path: str, body: object) -> dict[str, object]:
    with urllib.request.urlopen(f"{url}/v3/{path}", data=json.dumps(body).encode()) as answer:
        found: dict[str, object] = json.loads(answer.read())
        return found


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["store", *words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.fixture
def served(data: Path) -> Iterator[str]:
    with serving(data) as url:
        yield url


def test_a_store_that_runs_is_asked_by_its_endpoint(
    served: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "revision 2 · 1 keys" in run(capsys, "status", "--endpoint", served)[1]
    assert "local" in run(capsys, "member", "list", "--endpoint", served)[1]
    assert run(capsys, "quota", "1", "--endpoint", served)[0] == 0
    assert "NOSPACE" in run(capsys, "status", "--endpoint", served)[1]
    assert "whole" in run(capsys, "snapshot", "save", str(tmp_path / "s"), "--endpoint", served)[1]
    code, said = run(capsys, "check", "--data-dir", str(data))
    assert code == 1
    assert "is in use by process" in said


def test_a_sound_log_is_checked_saved_restored_and_defragmented(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is sound" in run(capsys, "check", "--data-dir", str(data))[1]
    assert "nothing was done" in run(capsys, "repair", "--data-dir", str(data))[1]
    assert "bytes before" in run(capsys, "defrag", "--data-dir", str(data))[1]
    snapshot = str(tmp_path / "snapshot")
    assert run(capsys, "snapshot", "save", snapshot, "--data-dir", str(data))[0] == 0
    assert "1 keys" in run(capsys, "snapshot", "status", snapshot)[1]
    assert "there already" in run(capsys, "snapshot", "restore", snapshot, "--data-dir", str(data))[1]
    assert run(capsys, "snapshot", "restore", snapshot, "--data-dir", str(tmp_path / "new"))[0] == 0
    with serving(tmp_path / "new") as url:
        assert post(url, "kv/range", {"key": PUT["key"]})["count"] == "1"


def test_a_damaged_log_is_named_and_repaired_when_told_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect(data / "store" / "log.sqlite")
    connection.execute("UPDATE batches SET data = zeroblob(60) WHERE id = (SELECT max(id) FROM batches)")
    connection.commit()
    connection.close()
    code, said = run(capsys, "check", "--data-dir", str(data))
    assert code == 1
    assert "is damaged" in said
    assert "--yes does it" in run(capsys, "repair", "--data-dir", str(data))[1]
    assert "kept" in run(capsys, "repair", "--yes", "--data-dir", str(data))[1]
    assert "is sound" in run(capsys, "check", "--data-dir", str(data))[1]


def test_a_snapshot_that_was_cut_is_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = tmp_path / "snapshot"
    run(capsys, "snapshot", "save", str(snapshot), "--data-dir", str(data))
    snapshot.write_bytes(snapshot.read_bytes()[:-5])
    code, said = run(capsys, "snapshot", "status", str(snapshot))
    assert code == 1
    assert "no whole snapshot" in said


def test_where_no_store_runs_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no store runs here" in run(capsys, "status", "--data-dir", str(tmp_path))[1]
    assert "there is no log" in run(capsys, "check", "--data-dir", str(tmp_path))[1]
