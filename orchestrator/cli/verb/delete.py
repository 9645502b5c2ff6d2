"""``podium delete``: objects by name, selector or manifest; waits until they are gone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import ApiError
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.remote.spans import seconds
from orchestrator.cli.remote.watching import follow, until
from orchestrator.cli.show.progress import progress
from orchestrator.cli.terminal import CommandError, fail

Object = dict[str, Any]
Doomed = tuple[Resource, str, str]
FOREVER = 7 * 86400.0
CASCADES = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="*", help="pod web-1 · deploy/web svc/web · pods -l app=web · pods --all")
    parser.add_argument("-f", "--filename", action="append", default=[], metavar="FILE", help="what a manifest names")
    parser.add_argument("-R", "--recursive", action="store_true", help="folders with all their folders")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--field-selector", default="", metavar="FIELDS")
    parser.add_argument("--all", action="store_true", help="every object of the type in the namespace")
    parser.add_argument(
        "--grace-period", type=int, default=-1, metavar="SECONDS", help="time to stop (default: the object's own)"
    )
    parser.add_argument("--now", action="store_true", help="a grace period of 1 second")
    parser.add_argument("--force", action="store_true", help="a grace period of 0: do not wait for the node")
    parser.add_argument("--cascade", choices=tuple(CASCADES), default="background", help="what becomes of what it owns")
    parser.add_argument(
        "--wait",
        nargs="?",
        const="true",
        default="true",
        choices=("true", "false"),
        help="until they are gone (default)",
    )
    parser.add_argument(
        "--timeout", type=seconds, default=0.0, metavar="SPAN", help="how long to wait: 30s, 5m (default: for ever)"
    )
    parser.add_argument("--ignore-not-found", action="store_true")
    parser.add_argument("--dry-run", choices=("none", "server", "client"), default="none")
    parser.add_argument("-o", "--output", choices=("name",), default="")
    sessions.arguments(parser, every_namespace=True)


def run(options: argparse.Namespace) -> int:
    code = 0
    with Session.begin(options) as session:
        gone: list[tuple[Doomed, str]] = []
        for doomed in chosen(session, options):
            try:
                uid = delete(session, doomed, options)
            except ApiError as error:
                if error.http_code != 404 or not options.ignore_not_found:
                    code = fail(str(error))
                continue
            print(said(doomed, options), flush=True)
            gone.append((doomed, uid))
        if options.wait == "true" and options.dry_run == "none":
            wait(session, gone, options.timeout or FOREVER)
    return code


def chosen(session: Session, options: argparse.Namespace) -> list[Doomed]:
    if not options.filename:
        if options.field_selector and not options.selector:
            options.all = True
        if options.field_selector:
            resource = words.select(session, options.what)[0].resource
            items = session.list(resource, labels=options.selector, fields=options.field_selector)
            return [(resource, session.place(resource, item), item["metadata"]["name"]) for item in items]
        return words.objects(session, options.what, options.selector, options.all)
    from orchestrator.cli.remote import manifests

    found = []
    for manifest in manifests.read(options.filename, recursive=options.recursive):
        obj = manifest.object
        resource = session.discovery.find_kind(obj["apiVersion"], obj["kind"])
        found.append((resource, session.place(resource, obj), obj["metadata"]["name"]))
    return found


def delete_options(options: argparse.Namespace) -> Object:
    made: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": CASCADES[options.cascade]}
    grace = 0 if options.force else 1 if options.now else options.grace_period
    if grace >= 0:
        made["gracePeriodSeconds"] = grace
    if options.dry_run == "server":
        made["dryRun"] = ["All"]
    return made


def delete(session: Session, doomed: Doomed, options: argparse.Namespace) -> str:
    """The uid of the object, "" where the server does not say."""
    resource, namespace, name = doomed
    path = resource.path(namespace, name)
    if options.dry_run == "client":
        uid: str = session.connection.get(path)["metadata"]["uid"]
        return uid
    answer = session.connection.call("DELETE", path, None, delete_options(options))[1]
    return str((answer.get("metadata") or {}).get("uid") or (answer.get("details") or {}).get("uid") or "")


def said(doomed: Doomed, options: argparse.Namespace) -> str:
    title = doomed[0].title(doomed[2])
    if options.output == "name":
        return title
    dry = f" ({options.dry_run} dry run)" if options.dry_run != "none" else ""
    return f"{title} deleted{dry}"


def wait(session: Session, gone: Sequence[tuple[Doomed, str]], limit_seconds: float) -> None:
    """Until each is gone, or another object has its name."""
    for (resource, namespace, name), uid in gone:
        title = resource.title(name)

        def is_gone(obj: Object | None, uid: str = uid) -> bool | None:
            return True if obj is None or (uid and obj["metadata"].get("uid") != uid) else None

        with progress(f"waiting until {title} is gone"):
            try:
                done = until(follow(session, resource, namespace, name, limit_seconds), is_gone)
            except ApiError as error:
                if error.http_code in (403, 404, 405):
                    continue
                raise
        if not done:
            raise CommandError(f"{title} is not gone after {limit_seconds:.0f} s; its finalizers may still be at work")
