"""``podium create``: new objects, from manifests or from words."""

from __future__ import annotations

import argparse

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError, fail
from orchestrator.cli.verb import made_access, made_config, made_workloads, making

MAKERS = {**made_workloads.MAKERS, **made_config.MAKERS, **made_access.MAKERS}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--filename", action="append", default=[], metavar="FILE", help="file, folder, URL or -")
    parser.add_argument("-R", "--recursive", action="store_true", help="folders with all their folders")
    common(parser)
    kinds = parser.add_subparsers(dest="what", metavar="KIND", help=" · ".join(MAKERS))
    for name, (declare, _) in MAKERS.items():
        child = kinds.add_parser(name, allow_abbrev=False, aliases=ALIASES.get(name, ()))
        declare(child)
        common(child)


ALIASES = {
    "deployment": ("deploy",),
    "configmap": ("cm",),
    "namespace": ("ns",),
    "service": ("svc",),
    "serviceaccount": ("sa",),
    "cronjob": ("cj",),
    "poddisruptionbudget": ("pdb",),
    "priorityclass": ("pc",),
    "ingress": ("ing",),
}
_NAMES = {alias: name for name, aliases in ALIASES.items() for alias in aliases}


def common(parser: argparse.ArgumentParser) -> None:
    making.arguments(parser)
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    if options.filename:
        return from_manifests(options)
    if options.what is None:
        raise CommandError(f"create what? -f FILE, or one of {', '.join(MAKERS)}", code=2)
    _, make = MAKERS[_NAMES.get(options.what, options.what)]
    with Session.begin(options) as session:
        return making.make(session, [make(options)], options)


def from_manifests(options: argparse.Namespace) -> int:
    from orchestrator.cli.remote import manifests

    code = 0
    with Session.begin(options) as session:
        for manifest in manifests.read(options.filename, recursive=options.recursive):
            try:
                making.make(session, [manifest.object], options)
            except CommandError as error:
                code = fail(f"{manifest.source}: {error}")
    return code
