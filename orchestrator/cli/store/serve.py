"""``podium store serve``: one store, its file, and etcd's gateway in front of it, until a signal says stop."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from typing import Any

from orchestrator.cli.terminal import CommandError
from orchestrator.config import ConfigError, parse_listen
from orchestrator.daemon import new_loop, tune
from orchestrator.store.errors import LogError

DEFAULT_LISTEN = "127.0.0.1:2379"
"""etcd's."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", default=DEFAULT_LISTEN, help=f"HOST:PORT (default {DEFAULT_LISTEN})")
    parser.add_argument("--quota-bytes", type=int, help="what keys and history may take (0: no bound)")


def run(options: argparse.Namespace) -> int:
    try:
        host, port = parse_listen(options.listen)
    except ConfigError as error:
        raise CommandError(f"podium store serve: {error}", code=2) from error
    tune()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(str(options.data_dir / "store" / "log.sqlite"), host, port, options.quota_bytes))
    except (LogError, OSError) as error:
        raise CommandError(f"podium store serve: {error}") from error
    return 0


async def serve(path: str, host: str, port: int, quota_bytes: int | None) -> None:
    from actors import Mailbox, Ref, System, child
    from orchestrator.store.gateway.door import Gateway, Listening
    from orchestrator.store.protocol import SetQuota
    from orchestrator.store.sqlite_log import SqliteLog
    from orchestrator.store.store import Store

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with System("store") as system:
        spec = child(Store, SqliteLog(path), name="store", mailbox=Mailbox(8192), later=8192)
        store = await system.spawn(spec)
        if quota_bytes is not None:
            await store.ask(SetQuota(quota_bytes))
        gateway = child(lambda: Gateway(store, host=host, port=port), name="gateway", mailbox=Mailbox(16_384))
        await system.spawn(gateway)
        door: Ref[Any] = system.ref("gateway")
        url = await door.ask(Listening())
        print(f"serving {path} at {url} · pid {os.getpid()}\nCtrl-C stops it", flush=True)
        await stopped.wait()
