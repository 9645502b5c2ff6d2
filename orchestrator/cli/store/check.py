"""``podium store check``: read a log to its end, with the store stopped."""

from __future__ import annotations

import argparse
import asyncio

from orchestrator.cli.store import keys_of, keys_option, log_path
from orchestrator.cli.terminal import CommandError
from orchestrator.store.errors import LogError


def arguments(parser: argparse.ArgumentParser) -> None:
    keys_option(parser)


def run(options: argparse.Namespace) -> int:
    from orchestrator.store.repair import check
    from orchestrator.store.schema import FORMAT

    path = log_path(options)
    try:
        found = asyncio.run(check(str(path), keys_of(options)))
    except LogError as error:
        raise CommandError(f"podium store check: {error}") from error
    if found.cut:
        print(f"an unfinished append at the end is not counted: {found.cut}")
    if found.damage:
        for line in found.damage:
            print(line)
        print(f"{path} is damaged. podium store repair keeps what is sound")
        return 1
    upgrade = "" if found.format == FORMAT else f", which a start of the store makes {FORMAT}"
    print(f"format {found.format}{upgrade}")
    snapshot = f"snapshot at entry {found.snapshot.index}" if found.snapshot.index else "no snapshot"
    print(f"{path} is sound: {snapshot}, {found.entries} entries up to {found.last}", end="")
    print(f", revision {found.revision}, {found.keys} keys")
    return 0
