"""``podium down``: stop the daemon and, unless told otherwise, the containers it runs."""

from __future__ import annotations

import argparse
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchestrator.cli import datadir, members
from orchestrator.cli.terminal import CommandError, duration

STOP_SECONDS = 45.0
"""A pod may take 30 s to stop gracefully; the daemon itself needs 5."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, default=datadir.default(), help="which cluster (default ~/.podium)")
    parser.add_argument(
        "--keep-containers",
        action="store_true",
        help="stop only the daemon: the next `podium up` adopts its containers",
    )


def run(options: argparse.Namespace) -> int:
    together = members.directories(options.data_dir)
    if not together:
        return stop(options, options.data_dir)
    with ThreadPoolExecutor(len(together)) as pool:
        return max(pool.map(lambda directory: stop(options, directory), together))


def stop(options: argparse.Namespace, data_dir: Path) -> int:
    record = datadir.read_record(data_dir)
    if record is None:
        print(f"Podium is not running in {data_dir}")
        return 0
    began = time.monotonic()
    os.kill(record.pid, signal.SIGTERM if options.keep_containers else signal.SIGINT)
    if not gone(record, began + STOP_SECONDS):
        raise CommandError(
            f"podium down: process {record.pid} did not stop within {STOP_SECONDS:.0f} s; "
            f"`kill -9 {record.pid}` loses nothing"
        )
    kept = " · its containers run on" if options.keep_containers else ""
    print(
        f"Podium is down after {duration(time.monotonic() - began)}{kept} · "
        f"data in {data_dir} (podium reset deletes it)"
    )
    return 0


def gone(record: datadir.DaemonRecord, deadline: float) -> bool:
    while record.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
