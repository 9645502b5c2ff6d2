"""The programs of this folder, run as they are."""

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


def test_a_day_goes_by(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER.parents[1])
    runpy.run_path(str(FOLDER / "day.py"), run_name="__main__")
    assert capsys.readouterr().out.startswith("3 ['node-")


def test_code_without_a_loop_has_a_cluster(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(FOLDER)
    runpy.run_path(str(FOLDER / "blocking.py"), run_name="__main__")
    assert "certificate-authority-data" in capsys.readouterr().out
