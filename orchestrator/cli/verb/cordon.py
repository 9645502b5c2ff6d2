"""``podium cordon``: no new pods on a node. ``uncordon`` is the same with the other answer."""

from __future__ import annotations

import argparse

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("nodes", nargs="*", help="node-1 node-2")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        for name in names(session, options):
            mark(session, name, unschedulable=True)
    return 0


def names(session: Session, options: argparse.Namespace) -> list[str]:
    if options.nodes:
        return [name.removeprefix("node/") for name in options.nodes]
    if not options.selector:
        raise CommandError("which nodes? give names or -l SELECTOR", code=2)
    return [item["metadata"]["name"] for item in session.list(session.find("nodes"), labels=options.selector)]


def mark(session: Session, name: str, *, unschedulable: bool) -> None:
    nodes = session.find("nodes")
    word = "cordoned" if unschedulable else "uncordoned"
    already = bool(session.get(nodes, name)["spec"].get("unschedulable")) == unschedulable
    if not already:
        session.patch(nodes, name, {"spec": {"unschedulable": unschedulable or None}})
    print(f"node/{name} {'already ' if already else ''}{word}", flush=True)
