"""``podium scale``: how many replicas."""

from __future__ import annotations

import argparse

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="deploy/web · statefulset db · deploy --all")
    parser.add_argument("--replicas", type=int, required=True)
    parser.add_argument("--current-replicas", type=int, default=-1, help="only if there are so many now")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--dry-run", choices=("none", "server"), default="none")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    if options.replicas < 0:
        raise CommandError(f"--replicas: expected 0 or more, found {options.replicas}", code=2)
    with Session.begin(options) as session:
        for resource, namespace, name in words.objects(session, options.what, options.selector, options.all):
            if "scale" not in resource.subresources:
                raise CommandError(f"{resource.title(name)} has no replicas to scale")
            if options.current_replicas >= 0:
                now = session.connection.get(resource.path(namespace, name, "scale"))["spec"].get("replicas", 0)
                if now != options.current_replicas:
                    expected = f"expected {options.current_replicas} replicas, found {now}"
                    raise CommandError(f"{resource.title(name)}: {expected}; nothing was changed")
            body = {"spec": {"replicas": options.replicas}}
            session.patch(
                resource, name, body, namespace=namespace, subresource="scale", dry_run=options.dry_run == "server"
            )
            print(f"{resource.title(name)} scaled")
    return 0
