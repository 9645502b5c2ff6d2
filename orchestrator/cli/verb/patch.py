"""``podium patch``: change fields of an object."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import manifests
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import JSON_PATCH, MERGE, STRATEGIC
from orchestrator.cli.remote.session import Session
from orchestrator.cli.show import output
from orchestrator.cli.terminal import CommandError
from orchestrator.client.kubeconfig import LOADER

TYPES = {"strategic": STRATEGIC, "merge": MERGE, "json": JSON_PATCH}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="deploy/web or deploy web")
    parser.add_argument("-p", "--patch", default="", help='JSON or YAML: {"spec":{"replicas":3}}')
    parser.add_argument("--patch-file", type=Path, metavar="FILE")
    parser.add_argument(
        "--type", choices=tuple(TYPES), default="strategic", help="how the patch is read (default strategic)"
    )
    parser.add_argument("--subresource", default="", choices=("", "status", "scale", "resize"))
    parser.add_argument("--dry-run", choices=("none", "server"), default="none")
    output.arguments(parser)
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    body = document(options)
    output.structured(options.output)
    with Session.begin(options) as session:
        resource, name = words.one(session, options.what)
        before = session.get(resource, name)["metadata"].get("resourceVersion")
        after = session.patch(
            resource,
            name,
            body,
            kind=TYPES[options.type],
            subresource=options.subresource,
            dry_run=options.dry_run == "server",
        )
        if options.output:
            for line in output.lines(
                [(resource, after)], options.output, single=True, managed=options.show_managed_fields
            ):
                print(line)
        else:
            changed = after["metadata"].get("resourceVersion") != before or options.dry_run == "server"
            print(f"{resource.title(name)} patched" + ("" if changed else " (no change)"))
    return 0


def document(options: argparse.Namespace) -> object:
    if bool(options.patch) == bool(options.patch_file):
        raise CommandError("give the patch by -p or by --patch-file", code=2)
    try:
        text = options.patch or options.patch_file.read_text()
        return manifests.plain(yaml.load(text, Loader=LOADER))
    except OSError as error:
        raise CommandError(f"cannot read {options.patch_file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CommandError(f"the patch is neither JSON nor YAML: {' '.join(str(error).split())}") from error
