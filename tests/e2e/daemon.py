"""A daemon under test: the real command, its own directory and port, killed at the end whatever happened."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from orchestrator.cli.datadir import DaemonRecord, read_record
from orchestrator.daemon import free_port

COMMAND = (sys.executable, "-m", "orchestrator.cli.main")
WAIT_SECONDS = 60.0


class Daemon:
    """``podium up --detach`` in ``data_dir``; ``kubectl`` runs a kubectl against it."""

    def __init__(self, data_dir: Path, runtime: str, kubectl: Path, *, nodes: int = 1) -> None:
        self.data_dir = data_dir
        self.runtime = runtime
        self.binary = kubectl
        self.nodes = nodes
        self.port = free_port()
        self.kubeconfig = data_dir / "kubeconfig"

    def up(self, *more: str) -> str:
        """Start it, or start it again on the same data; what the command printed."""
        return self.podium(
            "up", "--detach", "--data-dir", str(self.data_dir), "--runtime", self.runtime,
            "--nodes", str(self.nodes), "--listen", f"127.0.0.1:{self.port}", *more,
        )  # fmt: skip

    def down(self, *more: str) -> str:
        return self.podium("down", "--data-dir", str(self.data_dir), *more)

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        record = self.record()
        os.kill(record.pid, signal.SIGKILL)
        while record.alive():
            time.sleep(0.005)

    def record(self) -> DaemonRecord:
        record = read_record(self.data_dir)
        assert record is not None, self.log()
        return record

    def log(self) -> str:
        path = self.data_dir / "daemon.log"
        return path.read_text()[-8000:] if path.exists() else "no log"

    def podium(self, *words: str, timeout: float = 120) -> str:
        return run([*COMMAND, *words], self.environment(), timeout)

    def kubectl(self, *words: str, stdin: str | None = None, timeout: float = 120) -> str:
        return run([str(self.binary), *words], self.environment(), timeout, stdin)

    def json(self, *words: str) -> Any:
        return json.loads(self.kubectl(*words, "-o", "json"))

    def apply(self, manifest: str) -> str:
        return self.kubectl("apply", "-f", "-", stdin=manifest)

    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.data_dir)}

    def wait(self, what: str, check: Any, seconds: float = WAIT_SECONDS) -> Any:
        """Poll ``check`` until it gives something true. Real processes are waited for, not simulated."""
        deadline = time.monotonic() + seconds
        last: Any = None
        while time.monotonic() < deadline:
            try:
                last = check()
                if last:
                    return last
            except (CommandFailed, OSError, KeyError, IndexError) as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {seconds:.0f} s; last {last}\n{self.log()}")


class CommandFailed(AssertionError):
    """A command that should have worked; ``code`` and ``output`` say how it failed."""

    def __init__(self, command: list[str], code: int, output: str) -> None:
        super().__init__(f"{' '.join(command)} ended with {code}: {output}")
        self.code = code
        self.output = output


def run(command: list[str], environment: dict[str, str], timeout: float, stdin: str | None = None) -> str:
    """Its standard output. Raises CommandFailed."""
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise CommandFailed(command, done.returncode, done.stdout + done.stderr)
    return done.stdout
