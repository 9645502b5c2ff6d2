"""The two that are measured beside each other: ``podium store serve`` and a real etcd, each a process with a file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0


class Missing(Exception):
    """A program that the measurement needs is not installed."""


@dataclass(frozen=True)
class Server:
    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """What all of its threads have used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def program(name: str, variable: str, package: str) -> str:
    """Its path: what the environment names, else what is installed. Raises ``Missing``."""
    found = os.environ.get(variable) or shutil.which(name)
    if not found:
        raise Missing(f"no {name} here: apt-get install {package}, or {variable}=path")
    return found


def etcd_version() -> str:
    said = subprocess.run([program("etcd", "ETCD", "etcd-server"), "--version"], capture_output=True, text=True)
    return said.stdout.split("\n")[0].removeprefix("etcd Version: ")


@contextmanager
def podium(folder: Path) -> Iterator[Server]:
    url = f"http://127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "orchestrator.cli.main", "store", "serve", "--data-dir", str(folder)]
    with _running([*command, "--listen", url.removeprefix("http://")], url, folder) as server:
        yield server


@contextmanager
def etcd(folder: Path) -> Iterator[Server]:
    url, peer = f"http://127.0.0.1:{_free_port()}", f"http://127.0.0.1:{_free_port()}"
    command = [program("etcd", "ETCD", "etcd-server"), "--data-dir", str(folder / "etcd"), "--log-level", "error"]
    command += ["--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peer]
    command += ["--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", "--logger", "zap"]
    with _running(command, url, folder) as server:
        yield server


@contextmanager
def _running(command: list[str], url: str, folder: Path) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(process, url)
        yield Server(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1) as answer:
                if b"true" in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not come up")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
