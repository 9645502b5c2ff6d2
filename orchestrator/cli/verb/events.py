"""``podium events``: what happened, newest last."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.show import output
from orchestrator.cli.show.happened import last_seen, rows, when
from orchestrator.cli.show.table import line, table, widths

Object = dict[str, Any]
HEADER = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--for", dest="about", default="", metavar="TYPE/NAME", help="only of this object")
    parser.add_argument("--types", default="", metavar="TYPE,...", help="Warning, Normal")
    parser.add_argument("-w", "--watch", action="store_true", help="then each new one")
    parser.add_argument("--no-headers", action="store_true")
    output.arguments(parser)
    sessions.arguments(parser, every_namespace=True)


def run(options: argparse.Namespace) -> int:
    wanted = {part.strip().lower() for part in options.types.split(",") if part}
    with Session.begin(options) as session:
        events = session.find("events")
        query = {"fieldSelector": about(session, options.about)}
        listing = session.connection.get(events.path(session.namespace), query)
        found = sorted(listing.get("items") or (), key=when)
        found = [event for event in found if not wanted or str(event.get("type", "")).lower() in wanted]
        if output.structured(options.output):
            shared = {"apiVersion": "v1", "kind": "Event"}
            whole = [(events, {**shared, **event}) for event in found]
            print("\n".join(output.lines(whole, options.output, single=False, managed=options.show_managed_fields)))
            return 0
        shown = show(found, session, options)
        if options.watch:
            revision = listing["metadata"]["resourceVersion"]
            path = events.path(session.namespace)
            for change in session.connection.events(path, {**query, "resourceVersion": revision}):
                event = change["object"]
                if change["type"] != "DELETED" and (not wanted or str(event.get("type", "")).lower() in wanted):
                    one = rows([event], moment(event, session.now), namespaces=not session.namespace)[0]
                    shown = widths([one], shown)
                    print(line(one, shown), flush=True)
    return 0


def moment(event: Object, now: float) -> float:
    """A new event is seen now, whatever clock the cluster has."""
    return max(now, last_seen(event) or now)


def about(session: Session, words_given: str) -> str:
    if not words_given:
        return ""
    resource, name = words.one(session, [words_given])
    return f"involvedObject.kind={resource.kind},involvedObject.name={name}"


def show(found: Sequence[Object], session: Session, options: argparse.Namespace) -> list[int]:
    """Prints the table; the widths of its columns."""
    cells = rows(found, session.now, namespaces=not session.namespace)
    if not cells and not options.watch:
        from sys import stderr

        print(f"No events found{f' in {session.namespace} namespace' if session.namespace else ''}", file=stderr)
        return []
    if not options.no_headers:
        cells.insert(0, [*(["NAMESPACE"] if not session.namespace else []), *HEADER])
    for text in table(cells):
        print(text, flush=True)
    return widths(cells)
