"""``podium store snapshot``: a copy of the whole state as one file, and a store from one."""

from __future__ import annotations

import argparse
import asyncio
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

from orchestrator.cli.store import gateway, keys_of, keys_option, place
from orchestrator.cli.terminal import CommandError
from orchestrator.store.errors import LogError
from orchestrator.store.snapshot import Unreadable
from orchestrator.store.snapshot_file import SnapshotDamaged


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    save = actions.add_parser("save", help="of the store that runs, or of one that is stopped")
    save.add_argument("file", type=Path)
    keys_option(save)
    gateway.arguments(save)
    restore = actions.add_parser("restore", help="a store from a snapshot, where none is")
    restore.add_argument("file", type=Path)
    restore.add_argument(
        "--bump-revision",
        type=int,
        default=0,
        help="how far beyond the snapshot's revision to begin: more than was written since, so that no client that "
        "saw a later one is misled",
    )
    status = actions.add_parser("status", help="what a snapshot has in it")
    status.add_argument("file", type=Path)
    for action in (save, restore, status):
        place(action)


def run(options: argparse.Namespace) -> int:
    try:
        return {"save": save, "restore": restore, "status": status}[options.action](options)
    except (LogError, SnapshotDamaged, Unreadable) as error:
        raise CommandError(f"podium store snapshot {options.action}: {error}") from error
    except OSError as error:
        raise CommandError(f"podium store snapshot {options.action}: {error.filename}: {error.strerror}") from error


def save(options: argparse.Namespace) -> int:
    from orchestrator.store.backup import save_offline
    from orchestrator.store.snapshot_file import verify, write

    offline = not options.endpoint and not gateway.socket_path(options.data_dir).exists()
    if offline:
        from orchestrator.cli.store import log_path

        size = asyncio.run(save_offline(str(log_path(options)), options.file, keys_of(options)))
    else:
        size = write(options.file, pieces(options))
    print(f"{options.file}: {size:,} bytes, {verify(options.file)} chunks, whole")
    return 0


def pieces(options: argparse.Namespace) -> Iterator[bytes]:
    for line in gateway.stream(options, "maintenance/snapshot"):
        yield b64decode(line["result"].get("blob", ""))


def restore(options: argparse.Namespace) -> int:
    from orchestrator.store.backup import restore as make

    path = options.data_dir / "store" / "log.sqlite"
    if path.exists():
        raise CommandError(f"podium store snapshot restore: {path} is there already: move it away first")
    state = asyncio.run(make(str(path), options.file, options.bump_revision))
    print(f"{path}: revision {state.revision}, {state.keys:,} keys")
    return 0


def status(options: argparse.Namespace) -> int:
    from orchestrator.store.backup import describe

    state = describe(options.file)
    print(f"{options.file}: revision {state.revision}, {state.keys:,} keys, {state.bytes:,} bytes, whole")
    return 0
