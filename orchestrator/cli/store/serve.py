"""``podium store serve``: a store by itself on its file, and etcd's gateway in front of it, until a signal says stop.

With ``--member`` it is one of several that keep one log: each is such a process with a data directory of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from pathlib import Path

from actors.errors import StartFailed
from orchestrator.cli.terminal import CommandError
from orchestrator.config import ClusterConfig, ConfigError, parse_listen
from orchestrator.daemon import plain_logs, tune
from orchestrator.fastloop import new_loop
from orchestrator.housekeeping import Housekeeper

DEFAULT_LISTEN = "127.0.0.1:2379"
"""etcd's."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", default=DEFAULT_LISTEN, help=f"HOST:PORT (default {DEFAULT_LISTEN})")
    parser.add_argument("--quota-bytes", type=int, help="what keys and history may take (0: no bound)")
    parser.add_argument("--member", type=int, default=0, help="the number of this one among --members")
    parser.add_argument("--members", default="", metavar="1=HOST:PORT,2=...", help="where members reach each other")
    parser.add_argument(
        "--authority", type=Path, metavar="DIR", help="ca.crt and ca.key of all members, made if missing"
    )


def run(options: argparse.Namespace) -> int:
    try:
        config = configured(options)
    except (ConfigError, ValueError) as error:
        raise CommandError(f"podium store serve: {error}", code=2) from error
    tune()
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(config, options.quota_bytes))
    except (StartFailed, OSError) as error:
        raise CommandError(f"podium store serve: {_cause(error)}") from error
    return 0


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, StartFailed) and error.__cause__ is not None:
        error = error.__cause__
    return error


def configured(options: argparse.Namespace) -> ClusterConfig:
    """Raises ``ConfigError``; with several members this one's keys are there afterwards."""
    listen, members = parse_listen(options.listen), _members(options.members)
    config = ClusterConfig(data_dir=options.data_dir, listen=listen, nodes=0, member=options.member, members=members)
    if config.member:
        from orchestrator.pki import prepare_member

        assert config.data_dir is not None
        prepare_member(
            options.authority or config.data_dir / "pki", config.data_dir / "pki", config.member, time.time()
        )
    return config


def _members(text: str) -> dict[int, str]:
    """Raises ``ConfigError``."""
    members = {}
    for one in filter(None, text.split(",")):
        number, _, address = one.partition("=")
        if not number.isdigit() or ":" not in address:
            raise ConfigError("members", f"expected NUMBER=HOST:PORT, found {one!r}")
        host, port = parse_listen(address)
        members[int(number)] = f"tcp://{host}:{port}"
    return members


async def serve(config: ClusterConfig, quota_bytes: int | None) -> None:
    plain_logs()
    from actors import Mailbox, System, child, rest_for_one
    from orchestrator import membership
    from orchestrator.specs import RESTART_BACKOFF, group, member_spec
    from orchestrator.store.connection import connect_prompt
    from orchestrator.store.gateway.door import Gateway, Listening
    from orchestrator.store.protocol import SetQuota
    from orchestrator.store.sqlite_log import RESERVED_BYTES, SqliteLog
    from orchestrator.store.store import Store

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    assert config.data_dir is not None
    assert config.listen is not None
    path = str(config.data_dir / "store" / "log.sqlite")
    async with System(membership.system_name(config.member) if config.member else "store") as system:
        await membership.connect(system, config)
        log = SqliteLog(path, reserved_bytes=RESERVED_BYTES, connect=connect_prompt)
        name, several = membership.store_name(config), membership.group(system, config)
        store = child(
            lambda: Store(log, member=name, group=several),
            name="store",
            mailbox=Mailbox(8192),
            later=8192,
            backoff=RESTART_BACKOFF,
        )
        ref = system.ref(membership.STORE)
        lookout = member_spec(lambda: membership.Lookout(ref, config), "lookout")
        await system.spawn(group(rest_for_one, store, lookout), name="server")
        await system.spawn(member_spec(Housekeeper, "housekeeper"))
        if quota_bytes is not None:
            await ref.ask(SetQuota(quota_bytes))
        host, port = config.listen
        await system.spawn(child(lambda: Gateway(ref, host=host, port=port), name="gateway", mailbox=Mailbox(16_384)))
        url = await system.ref("gateway").ask(Listening())
        print(f"serving {path} at {url} · pid {os.getpid()}\nCtrl-C stops it", flush=True)
        await stopped.wait()
