"""``podium store defrag``: give the file's free pages back to the disk, with the store stopped."""

from __future__ import annotations

import argparse

from orchestrator.cli.store import log_path
from orchestrator.cli.terminal import CommandError
from orchestrator.store.errors import LogError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing beside where the log is."""


def run(options: argparse.Namespace) -> int:
    from orchestrator.store.repair import defragment

    try:
        before, after = defragment(str(log_path(options)))
    except LogError as error:
        raise CommandError(f"podium store defrag: {error}") from error
    print(f"{before:,} bytes before, {after:,} after")
    return 0
