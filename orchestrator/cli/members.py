"""Several daemons that are one control plane: where each lives, and how they find each other.

Below the data directory each member has one of its own, ``member-N``. ``members.json`` says who founded the group, so
that a later start finds the same ones; a member that was added has a ``join.json`` in its directory, which can be moved
to another machine.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from orchestrator.cli import datadir
from orchestrator.cli.terminal import CommandError
from orchestrator.client.kubeconfig import SERVERS
from orchestrator.config import ClusterConfig
from orchestrator.daemon import free_port

FOUNDERS = "members.json"
JOIN = "join.json"
MAX_MEMBERS = 7
"""More voters make every write slower and outlive no more than three losses."""


def directories(data_dir: Path) -> list[Path]:
    """Where the members of this data directory live; none for a cluster of one."""
    return sorted(data_dir.glob("member-*"), key=lambda path: int(path.name.removeprefix("member-")))


def plan(config: ClusterConfig, count: int) -> list[ClusterConfig]:
    """The configuration of each member. Raises ``CommandError`` when others were founded here before."""
    assert config.data_dir is not None
    assert config.listen is not None
    if not 2 <= count <= MAX_MEMBERS:
        raise CommandError(f"podium up: expected 2 to {MAX_MEMBERS} members (3 or 5 are best), found {count}", code=2)
    if (config.data_dir / "store").exists():
        raise CommandError(f"podium up: {config.data_dir} holds a cluster of one member: choose another --data-dir")
    members = _members(config.data_dir, count)
    host, port = config.listen
    founded = [
        replace(
            config,
            data_dir=config.data_dir / f"member-{number}",
            listen=(host, port + number - 1 if port else free_port(host)),
            nodes=_share(config.nodes, number, count),
            member=number,
            members=members,
        )
        for number in sorted(members)
    ]
    added = [directory for directory in directories(config.data_dir) if (directory / JOIN).exists()]
    return founded + [joining(replace(config, listen=(host, free_port(host)), nodes=0), one) for one in added]


def _share(nodes: int, number: int, count: int) -> int:
    """How many of all the nodes member ``number`` runs."""
    return nodes // count + (number <= nodes % count)


def _members(data_dir: Path, count: int) -> dict[int, str]:
    path = data_dir / FOUNDERS
    if path.exists():
        found = {int(number): address for number, address in json.loads(path.read_text()).items()}
        if len(found) != count:
            raise CommandError(f"podium up: {len(found)} members founded this group, {count} were asked for", code=2)
        return found
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    members = {number: f"tcp://127.0.0.1:{free_port()}" for number in range(1, count + 1)}
    path.write_text(json.dumps(members))
    return members


def prepare(data_dir: Path, number: int, address: str, now: float) -> Path:
    """The directory of a member that was added: its keys, and who the others are."""
    from orchestrator.pki import share

    members = {int(other): place for other, place in json.loads((data_dir / FOUNDERS).read_text()).items()}
    for other in directories(data_dir):
        if (other / JOIN).exists():
            members |= {int(one): place for one, place in json.loads((other / JOIN).read_text())["members"].items()}
    members[number] = address
    directory = data_dir / f"member-{number}"
    share(data_dir, directory, now)
    (directory / JOIN).write_text(json.dumps({"member": number, "members": members}))
    return directory


def joining(config: ClusterConfig, directory: Path) -> ClusterConfig:
    """The configuration of the member whose directory that is. Raises ``CommandError``."""
    try:
        found = json.loads((directory / JOIN).read_text())
    except (OSError, ValueError) as error:
        raise CommandError(
            f"podium up: {directory} is not the directory of a member that was added ({error}): "
            "podium store member add makes one",
            code=2,
        ) from error
    members = {int(number): address for number, address in found["members"].items()}
    return replace(config, data_dir=directory.absolute(), member=found["member"], members=members, joins=True)


def detach_all(configs: list[ClusterConfig], data_dir: Path) -> list[datadir.DaemonRecord]:
    """Start those that do not run, at once: a majority of them must meet before any of them serves."""
    from orchestrator.cli.up import detach
    from orchestrator.pki import share

    for config in configs:
        assert config.data_dir is not None
        share(data_dir, config.data_dir, time.time())

    def start(config: ClusterConfig) -> datadir.DaemonRecord:
        assert config.data_dir is not None
        return datadir.read_record(config.data_dir) or detach(config)

    with ThreadPoolExecutor(len(configs)) as pool:
        records = list(pool.map(start, configs))
    assert configs[0].data_dir is not None
    kubeconfig = data_dir / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    document = json.loads((configs[0].data_dir / "kubeconfig").read_text())
    servers = {"name": SERVERS, "extension": [record.url for record in records]}
    document["clusters"][0]["cluster"]["extensions"] = [servers]
    kubeconfig.write_text(json.dumps(document, indent=2) + "\n")
    return records
