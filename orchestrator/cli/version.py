"""``podium version``: of the command, and of the server where one runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator import __version__
from orchestrator.cli import datadir


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, default=datadir.default(), help="which cluster (default ~/.podium)")


def run(options: argparse.Namespace) -> int:
    print(f"podium {__version__}")
    record = datadir.read_record(options.data_dir)
    print(f"server {record.version} · {record.url} · pid {record.pid}" if record else "server: none runs here")
    return 0
