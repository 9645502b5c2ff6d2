"""``podium store member``: who the store is made of."""

from __future__ import annotations

import argparse

from orchestrator.cli.store import gateway, place


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the members")
    place(listing)
    gateway.arguments(listing)


def run(options: argparse.Namespace) -> int:
    for member in gateway.ask(options, "cluster/member/list")["members"]:
        print(f"{member['ID']}  {member['name']}  {' '.join(member.get('clientURLs', []))}")
    return 0
