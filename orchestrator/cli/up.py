"""``podium up``: start a cluster, in the foreground or detached, and say in one line how it came up."""

from __future__ import annotations

import argparse
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.cli import datadir
from orchestrator.cli.terminal import CommandError, duration
from orchestrator.config import (
    DEFAULT_PORT,
    RUNTIMES,
    ClusterConfig,
    ConfigError,
    document,
    load,
    parse_listen,
    placement,
)

START_SECONDS = 60.0
"""How long a detached daemon may take to answer; a big log is replayed well within it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", "-d", action="store_true", help="run in the background")
    parser.add_argument(
        "--nodes", type=int, help="how many nodes (default 1; more than one needs the simulated or process runtime)"
    )
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        help="what runs containers (default auto: Docker where its engine answers, else processes)",
    )
    parser.add_argument("--data-dir", type=Path, help="where its state lives (default ~/.podium)")
    parser.add_argument(
        "--listen", help=f"HOST:PORT of the API (default 127.0.0.1:{DEFAULT_PORT}; port 0 takes a free one)"
    )
    parser.add_argument(
        "--members",
        type=int,
        default=1,
        metavar="N",
        help="N daemons that are one control plane and outlive the loss of less than half of them (with --detach)",
    )
    parser.add_argument("--store", metavar="URL", help="etcd://HOST:PORT[,...]: keep the state in an etcd that runs")
    parser.add_argument(
        "--place", metavar="PART=PROCESS,...", help="run components in worker processes, as scheduler=worker"
    )
    parser.add_argument(
        "--join", type=Path, metavar="DIR", help="be the member whose directory podium store member add has made"
    )
    parser.add_argument("--config", type=Path, help="a YAML file of settings; the options above win over it")
    parser.add_argument(
        "--demo", type=Path, metavar="FILE", help="apply this manifest and show it become ready (with --detach)"
    )


def run(options: argparse.Namespace) -> int:
    try:
        config = configured(options)
    except ConfigError as error:
        raise CommandError(f"podium up: {error}", code=2) from error
    if options.join:
        from orchestrator.cli import members

        config = members.joining(config, options.join)
    assert config.data_dir is not None
    if options.members != 1:
        return up_together(options, config)
    running = datadir.read_record(config.data_dir)
    if running is None and not options.detach:
        from orchestrator.daemon import run as run_daemon

        return run_daemon(config)
    if running is None:
        began = time.monotonic()
        running = detach(config)
        print(came_up(running, time.monotonic() - began))
    else:
        print(f"Podium is up already · {running.url} · pid {running.pid}")
    if options.demo:
        from orchestrator.cli.demo import show

        show(options.demo, config.data_dir / "kubeconfig")
    print(
        f"next: export KUBECONFIG={config.data_dir / 'kubeconfig'} && kubectl get pods · "
        f"podium status · {stop_words(options)}"
    )
    return 0


def up_together(options: argparse.Namespace, config: ClusterConfig) -> int:
    from orchestrator.cli import members

    assert config.data_dir is not None
    if not options.detach:
        raise CommandError("podium up: several members run in the background: give --detach", code=2)
    began = time.monotonic()
    records = members.detach_all(members.plan(config, options.members), config.data_dir)
    urls = " ".join(record.url for record in records)
    print(
        f"Podium {records[0].version} is up in {duration(time.monotonic() - began)} · {len(records)} members · {urls}"
    )
    print(f"next: export KUBECONFIG={config.data_dir / 'kubeconfig'} && kubectl get pods · {stop_words(options)}")
    return 0


def stop_words(options: argparse.Namespace) -> str:
    return "make down" if options.demo else "podium down"


def configured(options: argparse.Namespace) -> ClusterConfig:
    """Defaults, then the file, then the command line."""
    config = ClusterConfig(data_dir=datadir.default(), listen=("127.0.0.1", DEFAULT_PORT), kernel=os.geteuid() == 0)
    if options.config:
        config = load(options.config, config)
    given: dict[str, Any] = {name: getattr(options, name) for name in ("nodes", "runtime", "data_dir", "store")}
    if options.listen:
        given["listen"] = parse_listen(options.listen)
    if options.place:
        given["place"] = {**config.place, **placement(options.place)}
    config = replace(config, **{name: value for name, value in given.items() if value is not None})
    assert config.data_dir is not None
    return replace(config, data_dir=config.data_dir.expanduser().absolute())


def detach(config: ClusterConfig) -> datadir.DaemonRecord:
    """Start the daemon in a session of its own and wait until its API answers, or for the line that says why not."""
    assert config.data_dir is not None
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = (config.data_dir / "daemon.log").open("ab")
    except OSError as error:
        raise CommandError(
            f"podium up: cannot use {config.data_dir}: {error.strerror}; choose another with --data-dir"
        ) from error
    reading, writing = os.pipe()
    settings = json.dumps(document(config))
    command = [sys.executable, "-m", "orchestrator.daemon", "--ready-fd", str(writing), "--settings", settings]
    with log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(writing,),
            cwd="/",
        )
    os.close(writing)
    answer = first_line(reading, START_SECONDS)
    if answer.get("error"):
        raise CommandError(f"podium up: {answer['error']}")
    record = datadir.read_record(config.data_dir)
    if record is None:
        process.kill()
        raise CommandError(f"podium up: the daemon did not come up; {config.data_dir / 'daemon.log'} says why")
    return record


def first_line(descriptor: int, seconds: float) -> dict[str, Any]:
    """What the daemon writes when it is up or gives up; {} when it says nothing in time."""
    with os.fdopen(descriptor) as source:
        ready, _, _ = select.select([source], [], [], seconds)
        line = source.readline() if ready else ""
    found: dict[str, Any] = json.loads(line) if line else {}
    return found


def came_up(record: datadir.DaemonRecord, seconds: float) -> str:
    nodes = f"{record.nodes} node" + ("s" if record.nodes != 1 else "")
    note = f" ({record.runtime_note})" if record.runtime_note else ""
    began = f"Podium {record.version} is up in {duration(seconds)}"
    return f"{began} · {record.url} · {nodes} · {record.runtime} runtime{note}"
