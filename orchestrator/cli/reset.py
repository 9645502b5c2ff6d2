"""``podium reset``: delete a cluster's data. Only what Podium made is deleted, and never under a running daemon."""

from __future__ import annotations

import argparse
import asyncio
import shutil
from pathlib import Path

from orchestrator.cli import datadir
from orchestrator.cli.terminal import CommandError

MADE = ("store", "pki", "pods", "volumes", "nodes", "kubeconfig", "daemon.json", "daemon.log", "identity")
"""What a cluster leaves in its directory."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, default=datadir.default(), help="which cluster (default ~/.podium)")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    directory: Path = options.data_dir.expanduser().absolute()
    if datadir.read_record(directory) is not None:
        raise CommandError(f"podium reset: Podium runs in {directory}; `podium down` first")
    found = [directory / name for name in MADE if (directory / name).exists()]
    if not found:
        print(f"there is no cluster in {directory}")
        return 0
    if not options.yes and input(f"delete all objects and volumes in {directory}? [y/N] ").strip().lower() not in (
        "y",
        "yes",
    ):
        return 1
    _end_pods(directory)
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(f"deleted the cluster in {directory}")
    return 0


def _end_pods(directory: Path) -> None:
    """What a daemon that was killed left running, and the network that it made."""
    from orchestrator.kubelet.runtime.process.bridge import BridgeNetwork
    from orchestrator.kubelet.runtime.process.disk import end_shim

    for folder in sorted(directory.glob("nodes/*/pods/*")):
        end_shim(folder)
    bridge = BridgeNetwork(str(directory))
    if Path("/sys/class/net", bridge.name).exists():
        asyncio.run(bridge.release(keep=False))
