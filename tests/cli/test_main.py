from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

import pytest

from orchestrator.cli.main import main, parsed
from orchestrator.cli.verbs import VERBS

HEAVY = ("asyncio", "aiohttp", "orjson", "rich", "cryptography", "numpy", "actors", "orchestrator.store")
"""What must not be imported to print a table."""


@pytest.mark.parametrize("command", VERBS, ids=lambda command: command.name)
def test_every_verb_says_what_it_takes(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])  # type: ignore[attr-defined]
    assert ended.value.code == 0
    assert "--kubeconfig" in capsys.readouterr().out


def test_names_may_stand_before_and_after_options() -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module("orchestrator.cli.verb.get").arguments(parser)
    options = parsed(parser, ["pods", "-n", "shop", "web-1", "-o", "wide", "web-2"])
    assert options.what == ["pods", "web-1", "web-2"]


def test_what_follows_two_dashes_is_kept_as_it_stands() -> None:
    options = parsed(argparse.ArgumentParser(), ["--", "sh", "-c", "--", "x"])
    assert options.after == ["sh", "-c", "--", "x"]


def test_an_error_is_one_line_and_the_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "pods", "--kubeconfig", "/nonexistent/config"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


@pytest.mark.slow
def test_a_get_imports_nothing_heavy() -> None:
    code = "import sys, orchestrator.cli.verb.get as _; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in HEAVY if name in loaded] == []
