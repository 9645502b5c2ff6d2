"""What ``label`` and ``annotate`` share: ``key=value`` sets, ``key-`` removes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", help="pod web-1 key=value other- · deploy/web key=value")
    parser.add_argument("--overwrite", action="store_true", help="change a value that is there")
    parser.add_argument("--list", action="store_true", help="print what stands afterwards")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--all", action="store_true", help="every object of the type in the namespace")
    parser.add_argument("--dry-run", choices=("none", "server"), default="none")
    sessions.arguments(parser)


def split(arguments: Sequence[str]) -> tuple[list[str], dict[str, str | None]]:
    """The words that name objects, and the changes: None removes. Raises ``CommandError``."""
    named: list[str] = []
    changes: dict[str, str | None] = {}
    for word in arguments:
        key, equals, value = word.partition("=")
        if equals:
            changes[key] = value
        elif word.endswith("-") and named:
            changes[word[:-1]] = None
        elif changes:
            raise CommandError(f"expected key=value or key-, found {word!r}", code=2)
        else:
            named.append(word)
    return named, changes


def refused(standing: dict[str, str], changes: dict[str, str | None]) -> list[str]:
    """Keys whose value would be replaced by another."""
    return [key for key, value in changes.items() if value is not None and standing.get(key, value) != value]


def run(options: argparse.Namespace, field: str, done: str) -> int:
    named, changes = split(options.words)
    if not changes and not options.list:
        raise CommandError("say what to change: key=value sets, key- removes", code=2)
    with Session.begin(options) as session:
        for resource, namespace, name in words.objects(session, named, options.selector, options.all):
            title = resource.title(name)
            standing = session.get(resource, name, namespace)["metadata"].get(field) or {}
            if not options.overwrite and (keys := refused(standing, changes)):
                held = ", ".join(f"{key}={standing[key]}" for key in keys)
                raise CommandError(f"{title} has {held} already; --overwrite changes it")
            result = standing
            if changes:
                dry = options.dry_run == "server"
                patched = session.patch(
                    resource, name, {"metadata": {field: changes}}, namespace=namespace, dry_run=dry
                )
                result = patched["metadata"].get(field) or {}
                if not options.list:
                    print(f"{title} {done}" if result != standing else f"{title} not changed")
            if options.list:
                for key, value in sorted(result.items()):
                    print(f"{key}={value}")
    return 0
