"""A member's process: the real command, forked from a server that has everything imported."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload([__name__, "tests.store.members.warm"])


def _be(log: str, command: list[str]) -> None:
    """The child: what it says goes to a file."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    from orchestrator.cli.main import main

    sys.argv = ["podium", *command]
    sys.exit(main())


class Process:
    """``podium`` with these words, again and again."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: BaseProcess | None = None

    def start(self) -> None:
        self._process = _forking.Process(target=_be, args=(str(self._log), self._command))
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def send(self, number: int) -> None:
        assert self._process is not None
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        if self._process is not None:
            if self._process.is_alive():
                self.send(signal.SIGKILL)
            self._process.join()
            self._process.close()
            self._process = None

    def said(self) -> str:
        """Whether it lives, and its last line."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return f"{'lives' if self.alive else 'has ended'}, and said last: {lines[-1] if lines else 'nothing'}"
