"""``podium store repair``: keep what is sound of a damaged log."""

from __future__ import annotations

import argparse
import asyncio

from orchestrator.cli.store import keys_of, keys_option, log_path
from orchestrator.cli.terminal import CommandError
from orchestrator.store.errors import LogError


def arguments(parser: argparse.ArgumentParser) -> None:
    keys_option(parser)
    parser.add_argument("--yes", action="store_true", help="do it: what was acknowledged after the damage is lost")


def run(options: argparse.Namespace) -> int:
    from orchestrator.store.repair import check, repair

    path = str(log_path(options))
    try:
        if not asyncio.run(check(path, keys_of(options))).damage:
            print(f"{path} is sound: nothing was done")
            return 0
        if not options.yes:
            raise CommandError(
                "podium store repair: this drops what was acknowledged after the damage; --yes does it. "
                "A member of a group is better replaced"
            )
        found = asyncio.run(repair(path))
    except LogError as error:
        raise CommandError(f"podium store repair: {error}") from error
    print(f"kept {found.kept} entries up to {found.last}, dropped {found.dropped} batches behind them")
    if found.reason:
        print(f"the first damage: {found.reason}")
    print(f"the damaged files are {found.saved}*")
    return 0
