"""What every verb that makes objects does with them: send or only show, and say what was made."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.remote.session import Session
from orchestrator.cli.show import output

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dry-run",
        choices=("none", "server", "client"),
        default="none",
        help="make nothing; with -o yaml: the manifest",
    )
    output.arguments(parser)


def make(session: Session, objects: Sequence[Object], options: argparse.Namespace, done: str = "created") -> int:
    output.structured(options.output)
    made = []
    dry = options.dry_run
    for obj in objects:
        resource = session.discovery.find_kind(obj["apiVersion"], obj["kind"])
        result = obj if dry == "client" else session.create(resource, obj, dry_run=dry == "server")
        made.append((resource, result))
        if not options.output:
            suffix = f" ({dry} dry run)" if dry != "none" else ""
            print(f"{resource.title(result['metadata']['name'])} {done}{suffix}")
    if options.output:
        for line in output.lines(made, options.output, single=len(made) == 1, managed=options.show_managed_fields):
            print(line)
    return 0
