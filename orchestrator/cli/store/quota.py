"""``podium store quota BYTES``: what keys and history of a store that runs may take."""

from __future__ import annotations

import argparse

from orchestrator.cli.store import gateway


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bytes", type=int, help="0: no bound")
    gateway.arguments(parser)


def run(options: argparse.Namespace) -> int:
    gateway.ask(options, "podium/quota", {"quota_bytes": options.bytes})
    print(f"the quota is {options.bytes:,} bytes" if options.bytes else "there is no quota")
    return 0
