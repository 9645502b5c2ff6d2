"""``podium store rotate FILE``: a fresh key in front of the others; the next start seals all anew with it."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator.cli.terminal import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="what the setting encryptionKeys names")


def run(options: argparse.Namespace) -> int:
    from orchestrator.store.sealing import KeysUnusable, load_keys, rotate

    try:
        name = rotate(options.file)
        others = load_keys(options.file).names[1:]
    except (OSError, KeysUnusable) as error:
        raise CommandError(f"podium store rotate: {error}") from error
    print(f"{options.file}: key {name} seals from the next start of Podium on")
    if others:
        print(f"keep {', '.join(others)} until its first snapshot is written: a minute of work is enough")
    return 0
