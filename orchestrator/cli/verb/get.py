"""``podium get``: objects as tables that the server makes, or whole."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.arguments import Selection
from orchestrator.cli.remote.connection import GONE, TABLE, ApiError
from orchestrator.cli.remote.session import PAGE, Session
from orchestrator.cli.show import output, rows
from orchestrator.cli.show.rows import Layout
from orchestrator.cli.show.table import line, widths
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="*", help="pods · pods,svc · pod web-1 web-2 · deploy/web svc/web · all")
    parser.add_argument(
        "-f", "--filename", action="append", default=[], metavar="FILE", help="the objects that a manifest names"
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="folders with all their folders")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="app=web,tier!=cache")
    parser.add_argument("--field-selector", default="", metavar="FIELDS", help="status.phase=Running")
    parser.add_argument("-w", "--watch", action="store_true", help="then show every change")
    parser.add_argument("--watch-only", action="store_true", help="show changes only")
    parser.add_argument("--ignore-not-found", action="store_true", help="a missing object is no error")
    parser.add_argument("--no-headers", action="store_true")
    parser.add_argument("--show-labels", action="store_true")
    parser.add_argument("--show-kind", action="store_true", help="type/name in place of name")
    parser.add_argument(
        "-L", "--label-columns", action="append", default=[], metavar="LABEL", help="a column for this label"
    )
    parser.add_argument("--sort-by", default="", metavar="PATH", help=".metadata.creationTimestamp")
    parser.add_argument("--raw", metavar="PATH", help="what the server answers to a GET of this path")
    output.arguments(parser)
    sessions.arguments(parser, every_namespace=True)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        if options.raw:
            print(session.connection.text(options.raw))
            return 0
        selections = chosen(session, options)
        whole = output.structured(options.output)
        if options.watch or options.watch_only:
            return watch(session, selections, options, whole=whole)
        return show_whole(session, selections, options) if whole else show_tables(session, selections, options)


def chosen(session: Session, options: argparse.Namespace) -> list[Selection]:
    if not options.filename:
        return words.select(session, options.what)
    from orchestrator.cli.remote import manifests

    found = []
    for manifest in manifests.read(options.filename, recursive=options.recursive):
        obj = manifest.object
        resource = session.discovery.find_kind(obj["apiVersion"], obj["kind"])
        session.own_namespace = session.place(resource, obj) or session.own_namespace
        found.append(Selection(resource, (obj["metadata"]["name"],)))
    return found


def query(options: argparse.Namespace) -> dict[str, str | int | bool | None]:
    return {"labelSelector": options.selector, "fieldSelector": options.field_selector}


def answers(
    session: Session, selection: Selection, options: argparse.Namespace, accept: str, include: str = ""
) -> Iterator[Object]:
    """One document for each name, or for each page of the list."""
    resource = selection.resource
    if selection.names:
        if not session.namespace and resource.namespaced:
            raise CommandError("an object has one namespace: leave out -A, or the name", code=2)
        for name in selection.names:
            try:
                path = resource.path(session.place(resource), name)
                yield session.connection.get(path, {"includeObject": include}, accept=accept)
            except ApiError as error:
                if error.http_code != 404:
                    raise
                missing(error, options)
        return
    token = ""
    while True:
        asked = {**query(options), "limit": PAGE, "continue": token, "includeObject": include}
        page = session.connection.get(resource.path(session.namespace), asked, accept=accept)
        yield page
        token = (page.get("metadata") or {}).get("continue") or ""
        if not token:
            return


def missing(error: ApiError, options: argparse.Namespace) -> None:
    """A name that is not there does not keep the others from being shown."""
    if not options.ignore_not_found:
        print(error, file=sys.stderr)
        options.failed = True


def show_whole(session: Session, selections: Sequence[Selection], options: argparse.Namespace) -> int:
    found = []
    for selection in selections:
        resource = selection.resource
        shared = {"apiVersion": resource.api_version, "kind": resource.kind}
        for document in answers(session, selection, options, "application/json"):
            items = [document] if selection.names else document.get("items") or []
            found += [(resource, {**shared, **item}) for item in items]
    single = len(selections) == 1 and len(selections[0].names) == 1
    if found or not single:
        sort(found, options.sort_by)
        for text in output.lines(
            found, options.output, single=single, managed=options.show_managed_fields, headings=not options.no_headers
        ):
            print(text)
    return 1 if getattr(options, "failed", False) else 0


def sort(found: list[Any], path: str) -> None:
    if path:
        from orchestrator.cli.show.sorting import key

        found.sort(key=lambda entry: key(path, entry[1]))


def layout(selection: Selection, options: argparse.Namespace, several: bool) -> Layout:
    resource = selection.resource
    named = several or options.show_kind
    return Layout(
        wide=options.output == "wide",
        namespaces=options.all_namespaces and resource.namespaced,
        labels=options.show_labels,
        label_columns=tuple(key for word in options.label_columns for key in word.split(",")),
        prefix=resource.title("") if named else "",
    )


def show_tables(session: Session, selections: Sequence[Selection], options: argparse.Namespace) -> int:
    several = len(selections) > 1
    printed = False
    for selection in selections:
        shown = layout(selection, options, several)
        lines = table_lines(session, selection, options, shown)
        if lines and printed and several:
            print()
        for text in lines:
            print(text)
        printed = printed or bool(lines)
    failed = getattr(options, "failed", False)
    if not printed and not failed and not options.ignore_not_found:
        nothing(session, selections)
    return 1 if failed else 0


def table_lines(session: Session, selection: Selection, options: argparse.Namespace, shown: Layout) -> list[str]:
    definitions: list[Object] = []
    found: list[Object] = []
    include = "Object" if options.sort_by else ""
    for document in answers(session, selection, options, TABLE, include):
        page = rows.as_table(document, session.now)
        definitions = definitions or page.get("columnDefinitions") or []
        found += page.get("rows") or []
    if options.sort_by:
        from orchestrator.cli.show.sorting import key

        found.sort(key=lambda row: key(options.sort_by, row["object"]))
    cells = [rows.cells(row, definitions, shown) for row in found]
    if cells and not options.no_headers:
        cells.insert(0, rows.header(definitions, shown))
    columns = widths(cells)
    return [line(row, columns) for row in cells]


def nothing(session: Session, selections: Sequence[Selection]) -> None:
    everywhere = not session.namespace or not any(selection.resource.namespaced for selection in selections)
    place = "" if everywhere else f" in {session.namespace} namespace"
    print(f"No resources found{place}", file=sys.stderr)


def watch(session: Session, selections: Sequence[Selection], options: argparse.Namespace, *, whole: bool) -> int:
    """The table, then a line for each change until interrupted."""
    if len(selections) != 1 or len(selections[0].names) > 1:
        raise CommandError("watch one type or one object at a time", code=2)
    selection = selections[0]
    resource = selection.resource
    place = session.place(resource) if selection.names else session.namespace
    asked = query(options)
    if selection.names:
        asked["fieldSelector"] = f"metadata.name={selection.names[0]}"
    accept = "application/json" if whole else TABLE
    path = resource.path(place)
    listing = session.connection.get(path, asked, accept=accept)
    printer = Watched(session, selection, options, whole=whole)
    if not options.watch_only:
        printer.listing(listing)
    revision = listing["metadata"]["resourceVersion"]
    while True:
        try:
            for event in session.connection.events(path, {**asked, "resourceVersion": revision}, accept=accept):
                revision = printer.event(event) or revision
        except ApiError as error:
            if error.http_code != GONE:
                raise
            revision = session.connection.get(path, {**asked, "limit": 1})["metadata"]["resourceVersion"]


class Watched:
    """Prints rows below each other; columns only grow."""

    def __init__(self, session: Session, selection: Selection, options: argparse.Namespace, *, whole: bool) -> None:
        self._session = session
        self._resource = selection.resource
        self._layout = layout(selection, options, several=False)
        self._options = options
        self._whole = whole
        self._definitions: list[Object] = []
        self._columns: list[int] = []
        self._headed = options.no_headers

    def listing(self, document: Object) -> None:
        if self._whole:
            for item in document.get("items") or ():
                self._object(item)
        else:
            self._rows(rows.as_table(document, self._session.now))

    def event(self, event: Object) -> str | None:
        """Prints one event; the revision it brings."""
        obj = event["object"]
        metadata = obj.get("metadata") or {}
        revision: str | None = metadata.get("resourceVersion")
        if event["type"] == "BOOKMARK":
            return revision
        if self._whole:
            self._object(obj)
            return revision
        table = rows.as_table(obj, self._session.now)
        self._rows(table)
        for row in table.get("rows") or ():
            revision = ((row.get("object") or {}).get("metadata") or {}).get("resourceVersion") or revision
        return revision

    def _object(self, obj: Object) -> None:
        shared = {"apiVersion": self._resource.api_version, "kind": self._resource.kind}
        found = [(self._resource, {**shared, **obj})]
        managed = self._options.show_managed_fields
        form = self._options.output
        if form == "yaml":
            print("---")
        for text in output.lines(found, form, single=True, managed=managed, headings=not self._headed):
            print(text, flush=True)
        self._headed = True

    def _rows(self, table: Object) -> None:
        self._definitions = table.get("columnDefinitions") or self._definitions
        cells = [rows.cells(row, self._definitions, self._layout) for row in table.get("rows") or ()]
        if cells and not self._headed:
            cells.insert(0, rows.header(self._definitions, self._layout))
            self._headed = True
        self._columns = widths(cells, self._columns)
        for row in cells:
            print(line(row, self._columns), flush=True)
