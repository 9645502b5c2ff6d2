"""``podium api-resources``: what the server serves."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.show.table import table

HEADER = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--api-group", default=None, metavar="GROUP", help='"" is the core group')
    parser.add_argument("--namespaced", choices=("true", "false"), default=None)
    parser.add_argument("--verbs", default="", metavar="VERB,...", help="that know all these verbs")
    parser.add_argument("--categories", default="", metavar="NAME,...")
    parser.add_argument("--no-headers", action="store_true")
    parser.add_argument("-o", "--output", choices=("wide", "name"), default="")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        found = chosen(session.discovery.resources(fresh=True), options)
    if options.output == "name":
        print("\n".join(entry.plural_name for entry in found))
        return 0
    rows = [row(entry, wide=options.output == "wide") for entry in found]
    if not options.no_headers:
        rows.insert(0, [*HEADER, "VERBS", "CATEGORIES"] if options.output == "wide" else HEADER)
    print("\n".join(table(rows)))
    return 0


def chosen(resources: Iterable[Resource], options: argparse.Namespace) -> list[Resource]:
    wanted = {part for part in options.verbs.split(",") if part}
    categories = {part for part in options.categories.split(",") if part}
    found = [
        entry
        for entry in resources
        if entry.preferred
        and wanted <= set(entry.verbs)
        and categories <= set(entry.categories)
        and options.api_group in (None, entry.group)
        and options.namespaced in (None, "true" if entry.namespaced else "false")
    ]
    return sorted(found, key=lambda entry: (entry.group, entry.resource))


def row(entry: Resource, *, wide: bool) -> list[str]:
    cells = [
        entry.resource,
        ",".join(entry.short_names),
        entry.api_version,
        "true" if entry.namespaced else "false",
        entry.kind,
    ]
    return [*cells, ",".join(entry.verbs), ",".join(entry.categories)] if wide else cells
