from __future__ import annotations

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.exec import exit_code


def test_the_exit_code_of_the_command_is_ours() -> None:
    causes = [{"reason": "ExitCode", "message": "3"}]
    assert exit_code({"status": "Success"}) == 0
    assert exit_code({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}) == 3


def test_a_command_that_could_not_be_run_is_an_error() -> None:
    with pytest.raises(CommandError, match="no such program"):
        exit_code({"status": "Failure", "message": "no such program"})
