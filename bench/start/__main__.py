"""``make bench-start``: from the command to the first answer, to the first Running pod, and what an idle cluster costs.

``python -m bench.start [--rounds 5] [--idle-seconds 30]``: each round is a ``podium up`` in a directory of its own, one
simulated node, asked over HTTPS by this process like by anybody. Results in ``bench/results/start.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from orchestrator.apimachinery.errors import StatusError
from orchestrator.bench.objects import pod
from orchestrator.cli.bench import machine
from orchestrator.client.client import Client
from orchestrator.client.errors import TransportError
from orchestrator.client.https import HttpTransport
from orchestrator.client.kinds import NAMESPACES, PODS
from orchestrator.client.kubeconfig import load
from orchestrator.daemon import free_port

RESULT = Path(__file__).parents[1] / "results" / "start.json"
POLL_SECONDS = 0.005
"""Between two attempts: what the figures may be too large by."""
PATIENCE_SECONDS = 60.0
ANSWER_SECONDS = 0.5
RUNNING_SECONDS = 0.8
"""The aims, on a quiet machine."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle-seconds", type=float, default=30.0)
    options = parser.parse_args()
    rounds = [started(0.0) for _ in range(options.rounds - 1)]
    rounds.append(started(options.idle_seconds))
    report = {"machine": machine(), "rounds": rounds, "best": best(rounds)}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n")
    for name in rounds[-1]:
        print(f"{name:<32}" + "".join(f"{each.get(name, ''):>10}" for each in rounds))
    print(f"aims: first answer {ANSWER_SECONDS} s, first Running pod {RUNNING_SECONDS} s, 80 MB, 0.5 % of a core")
    return 0


def best(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The least and the middle of what was measured more than once."""
    names = ("first_answer_seconds", "first_running_seconds", "up_cpu_seconds")
    return {
        f"{name}_{kind}": round(choose([each[name] for each in rounds]), 3)
        for name in names
        for kind, choose in (("least", min), ("median", statistics.median))
    }


def started(idle_seconds: float) -> dict[str, float]:
    """One life of a daemon. ``idle_seconds`` 0: its idle time is not measured."""
    with tempfile.TemporaryDirectory(prefix="podium-start-") as scratch:
        directory, port = Path(scratch) / "data", free_port()
        command = [sys.executable, "-m", "orchestrator.cli.main", "up", "--runtime", "simulated", "--nodes", "1"]
        command += ["--data-dir", str(directory), "--listen", f"127.0.0.1:{port}"]
        began = time.perf_counter()
        daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not (directory / "kubeconfig").exists():
                _check(began)
                time.sleep(POLL_SECONDS)
            found = asyncio.run(_watched(directory / "kubeconfig", began))
            found["up_cpu_seconds"] = round(_cpu(daemon.pid), 3)
            if idle_seconds:
                found |= _idle(daemon.pid, idle_seconds)
        finally:
            daemon.send_signal(signal.SIGINT)
            daemon.wait()
    return found


async def _watched(kubeconfig: Path, began: float) -> dict[str, float]:
    transport = HttpTransport(load(kubeconfig))
    client = Client(transport)
    try:
        await _insist(lambda: client.get(NAMESPACES, "default"), began)
        answered = time.perf_counter() - began
        await _insist(lambda: client.create(PODS, pod("first"), "default"), began)
        created = time.perf_counter() - began
        while (await client.get(PODS, "first", "default")).get("status", {}).get("phase") != "Running":
            _check(began)
            await asyncio.sleep(POLL_SECONDS)
        running = time.perf_counter() - began
    finally:
        await transport.close()
    return {
        "first_answer_seconds": round(answered, 3),
        "first_created_seconds": round(created, 3),
        "first_running_seconds": round(running, 3),
    }


async def _insist(ask: Callable[[], Awaitable[Any]], began: float) -> None:
    """Until it is done: nobody listens yet, or what it needs is not there yet."""
    while True:
        try:
            await ask()
            return
        except (StatusError, TransportError):
            _check(began)
            await asyncio.sleep(POLL_SECONDS)


def _check(began: float) -> None:
    if time.perf_counter() - began > PATIENCE_SECONDS:
        raise TimeoutError(f"expected a cluster within {PATIENCE_SECONDS:.0f} s")


def _idle(process: int, seconds: float) -> dict[str, float]:
    time.sleep(seconds / 3)  # what the start left to do
    before = _cpu(process)
    time.sleep(seconds)
    spent = _cpu(process) - before
    return {
        "idle_percent_of_a_core": round(spent / seconds * 100, 2),
        "idle_resident_mb": round(_resident_bytes(process) / 2**20, 1),
    }


def _cpu(process: int) -> float:
    """CPU seconds of a process and its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    sys.exit(main())
