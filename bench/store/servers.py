"""The two that are measured beside each other: ``podium store serve`` and a real etcd, one process or three members.

The members of a group are on this machine and share its disk. Ours speak TLS with each other, etcd's do not.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0


class Missing(Exception):
    """A program that the measurement needs is not installed."""


@dataclass(frozen=True)
class Server:
    """``url``: of who is asked, the leader of several; ``pids``: all of them."""

    url: str
    pids: tuple[int, ...]

    def cpu_seconds(self) -> float:
        """What all of their threads have used so far."""
        return sum(map(_cpu_seconds, self.pids))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
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
def podium(folder: Path, members: int = 1) -> Iterator[Server]:
    urls, peers = _addresses(members), _addresses(members)
    everybody = ",".join(f"{number}={_host(peer)}" for number, peer in enumerate(peers, 1))
    commands = []
    for number, url in enumerate(urls, 1):
        command = [sys.executable, "-m", "orchestrator.cli.main", "store", "serve", "--listen", _host(url)]
        command += ["--data-dir", str(folder / f"{number}")]
        if members > 1:
            command += ["--member", f"{number}", "--members", everybody, "--authority", str(folder / "authority")]
        commands.append(command)
    with _running(commands, urls, folder) as server:
        yield server


@contextmanager
def etcd(folder: Path, members: int = 1) -> Iterator[Server]:
    urls, peers = _addresses(members), _addresses(members)
    everybody = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
    commands = []
    for number, (url, peer) in enumerate(zip(urls, peers, strict=True)):
        command = [program("etcd", "ETCD", "etcd-server"), "--name", f"m{number}", "--data-dir", f"{folder}/{number}"]
        command += ["--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peer]
        command += ["--initial-advertise-peer-urls", peer, "--initial-cluster", everybody]
        commands.append([*command, "--logger", "zap", "--log-level", "error"])
    with _running(commands, urls, folder) as server:
        yield server


@contextmanager
def _running(commands: list[list[str]], urls: list[str], folder: Path) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        processes = []
        for number, command in enumerate(commands):
            log = stack.enter_context((folder / f"server-{number}.log").open("wb"))
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))
            stack.callback(_end, processes[-1])
        for process, url in zip(processes, urls, strict=True):
            _wait(process, url)
        yield Server(_leader(urls), tuple(process.pid for process in processes))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _leader(urls: list[str]) -> str:
    """The one of ``urls`` that says of itself that it leads."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        for url in urls:
            request = urllib.request.Request(f"{url}/v3/maintenance/status", b"{}", method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                status = json.load(answer)
            if status.get("leader") == status["header"]["member_id"]:
                return url
        time.sleep(0.05)
    raise RuntimeError(f"none of {', '.join(urls)} leads")


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


def _addresses(count: int) -> list[str]:
    """URLs with ports that are free now."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [f"http://127.0.0.1:{probe.getsockname()[1]}" for probe in probes]


def _host(url: str) -> str:
    return url.removeprefix("http://")
