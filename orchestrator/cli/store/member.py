"""``podium store member``: who the store is made of, and changes of that, one member at a time."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from orchestrator.cli import members
from orchestrator.cli.store import gateway, place
from orchestrator.cli.terminal import CommandError

ONE = {
    "promote": ("cluster/member/promote", "ID", "make a learner that has caught up a voter"),
    "remove": ("cluster/member/remove", "ID", "take a member out of the group; stop it afterwards"),
    "move-leader": ("maintenance/transfer-leadership", "targetID", "hand the leadership to this voter"),
}
"""What is done to one member: the gateway's path, its name for the number, and the help."""


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the members")
    adding = actions.add_parser("add", help="a learner more, and its directory with its keys")
    adding.add_argument("address", metavar="HOST:PORT", help="where the others will reach it")
    parsers = [listing, adding]
    for name, (_, _, help) in ONE.items():
        inner = actions.add_parser(name, help=help)
        inner.add_argument("member", type=int)
        parsers.append(inner)
    for inner in parsers:
        place(inner)
        gateway.arguments(inner)


def run(options: argparse.Namespace) -> int:
    if options.action == "list":
        show(ask(options, "cluster/member/list"))
    elif options.action == "add":
        add(options)
    else:
        path, name, _ = ONE[options.action]
        ask(options, path, {name: str(options.member)})
        show(ask(options, "cluster/member/list"))
    return 0


def show(answer: dict[str, Any]) -> None:
    for member in answer["members"]:
        role = "leader" if member.get("leader") else "learner" if member.get("isLearner") else "voter"
        protocol = [f"protocol {member['protocol']}"] if "protocol" in member else []
        print("  ".join([member["ID"], member["name"], role, *member.get("peerURLs", []), *protocol]))


def add(options: argparse.Namespace) -> None:
    if not members.directories(options.data_dir):
        raise CommandError(f"podium store: {options.data_dir} holds no group: one is founded by podium up --members 3")
    answer = ask(options, "cluster/member/add", {"peerURLs": [f"tcp://{options.address}"]})
    number = int(answer["member"]["ID"])
    directory = members.prepare(options.data_dir, number, f"tcp://{options.address}", time.time())
    show(answer)
    print(f"next: podium up --detach --join {directory} (move it to the machine where that is to run first)")
    print(f"then: podium store member promote {number}")


def ask(options: argparse.Namespace, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Of whichever member answers; a change, of the one that leads. Raises ``CommandError``."""
    together = members.directories(options.data_dir)
    if options.endpoint or not together:
        return gateway.ask(options, path, body)
    failed = CommandError("podium store: no member runs here")
    for directory in together:
        if not gateway.socket_path(directory).exists():
            continue
        try:
            answer = gateway.ask(argparse.Namespace(endpoint=None, data_dir=Path(directory)), path, body)
            if answer.get("members") and not any(member.get("leader") for member in answer["members"]):
                failed = CommandError(f"podium store: {directory} knows no leader")
                continue  # cut off, or removed
            return answer
        except CommandError as error:
            failed = error
            if "does not lead" not in str(error) and "cannot ask" not in str(error):
                raise
    raise failed
