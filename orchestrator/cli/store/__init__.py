"""``podium store``: serve a store by itself, look at one, mend one, copy one."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli import datadir
from orchestrator.cli.terminal import CommandError

if TYPE_CHECKING:
    from orchestrator.store.sealing import Keyring

WORDS = {
    "serve": "a store by itself, behind etcd's v3 JSON gateway",
    "status": "revision, keys, bytes, alarm",
    "check": "whether the log on disk is sound, and where it is not",
    "repair": "keep what is sound of a damaged log, drop the rest",
    "defrag": "rewrite the log's file to its least size",
    "quota": "the bytes that keys and history may take",
    "snapshot": "save, restore or look at a snapshot",
    "rotate": "a fresh key in front of those that encrypt Secrets",
    "member": "the members of the store",
}
"""Each is ``orchestrator.cli.store.<word>`` with ``arguments(parser)`` and ``run(options) -> exit code``."""


def arguments(parser: argparse.ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD")
    for word, help in WORDS.items():
        inner = words.add_parser(word, help=help, description=help, allow_abbrev=False)
        place(inner, None)
        module(word).arguments(inner)


def place(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    """Where the store is; an action of a word takes it too."""
    help = "where the cluster's state lives (default ~/.podium)"
    parser.add_argument("--data-dir", type=Path, default=default, help=help)


def keys_option(parser: argparse.ArgumentParser) -> None:
    """For what reads a log that may be encrypted."""
    parser.add_argument("--encryption-keys", type=Path, metavar="FILE", help="the keys of an encrypted log")


def keys_of(options: argparse.Namespace) -> Keyring | None:
    """Raises ``CommandError``."""
    from orchestrator.store.sealing import KeysUnusable, load_keys

    path: Path | None = options.encryption_keys
    if path is None:
        return None
    if not path.exists():
        raise CommandError(f"podium store: there is no key file {path}")
    try:
        return load_keys(path)
    except (KeysUnusable, OSError) as error:
        raise CommandError(f"podium store: {error}") from error


def module(word: str):  # type: ignore[no-untyped-def]
    return importlib.import_module(f"orchestrator.cli.store.{word}")


def run(options: argparse.Namespace) -> int:
    options.data_dir = (options.data_dir or datadir.default()).expanduser().absolute()
    code: int = module(options.word).run(options)
    return code


def log_path(options: argparse.Namespace) -> Path:
    """The file of the log. Raises ``CommandError`` when there is none."""
    path: Path = options.data_dir / "store" / "log.sqlite"
    if not path.exists():
        raise CommandError(f"podium store: there is no log at {path}; --data-dir says where")
    return path
