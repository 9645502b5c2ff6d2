"""``podium apply``: make objects be as manifests say, by server-side apply."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.cli.remote import manifests
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import APPLY, ApiError
from orchestrator.cli.remote.manifests import Manifest
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import MANAGER, Session
from orchestrator.cli.show import output
from orchestrator.cli.show.progress import progress
from orchestrator.cli.terminal import CommandError, fail

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-f",
        "--filename",
        action="append",
        required=True,
        metavar="FILE",
        help="file, folder, URL or - (standard input)",
    )
    parser.add_argument("-R", "--recursive", action="store_true", help="folders with all their folders")
    parser.add_argument("--dry-run", choices=("none", "server", "client"), default="none", help="change nothing")
    parser.add_argument("--force-conflicts", action="store_true", help="take over fields that another manager set")
    parser.add_argument("--field-manager", default=MANAGER, metavar="NAME", help=f"who applies (default {MANAGER})")
    parser.add_argument("--server-side", action="store_true", help="always so; taken for kubectl's sake")
    output.arguments(parser)
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Every object is tried; those that fail are said one by one."""
    code = 0
    output.structured(options.output)
    found = manifests.read(options.filename, recursive=options.recursive)
    applied = []
    with Session.begin(options) as session, progress(f"applying {len(found)} objects") as shown:
        for manifest in found:
            shown.say(f"applying {manifest.object['kind']} {manifest.object['metadata'].get('name')}")
            try:
                resource, obj, what = apply_one(session, manifest, options)
            except CommandError as error:
                code = fail(f"{manifest.source}: {explained(error)}")
                continue
            applied.append((resource, obj))
            if not options.output:
                print(resource.title(obj["metadata"]["name"]) + f" {what}", flush=True)
    if options.output:
        for line in output.lines(
            applied, options.output, single=len(applied) == 1, managed=options.show_managed_fields
        ):
            print(line)
    return code


def apply_one(session: Session, manifest: Manifest, options: argparse.Namespace) -> tuple[Resource, Object, str]:
    obj = manifest.object
    resource = session.discovery.find_kind(obj["apiVersion"], obj["kind"])
    name = obj["metadata"].get("name")
    if not name:
        raise CommandError(f"{obj['kind']} has only a generateName; `podium create -f` makes one")
    if options.dry_run == "client":
        return resource, obj, "applied (client dry run)"
    dry = options.dry_run == "server"
    path = resource.path(session.place(resource, obj), name)
    before = revision_of(session, path)
    query = {
        "fieldManager": options.field_manager,
        "fieldValidation": "Strict",
        "force": "true" if options.force_conflicts else "false",
        "dryRun": "All" if dry else "",
    }
    code, after = session.connection.call("PATCH", path, query, obj, content=APPLY)
    return resource, after, outcome(code, before, after["metadata"].get("resourceVersion"), dry=dry)


def revision_of(session: Session, path: str) -> str | None:
    try:
        found: str | None = session.connection.get(path)["metadata"].get("resourceVersion")
    except ApiError as error:
        if error.http_code != 404:
            raise
        return None
    return found


def outcome(code: int, before: str | None, after: str | None, *, dry: bool) -> str:
    word = "created" if code == 201 else "unchanged" if before == after and not dry else "configured"
    return f"{word} (server dry run)" if dry else word


def explained(error: CommandError) -> str:
    """A conflict says how to go on."""
    if isinstance(error, ApiError) and error.reason == "Conflict" and "conflict" in str(error):
        return f"{error}; --force-conflicts takes the fields over"
    return str(error)
