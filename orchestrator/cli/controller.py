"""``podium controller``: run controllers of your own against any cluster, in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from orchestrator.cli.terminal import CommandError


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "controllers", nargs="+", metavar="MODULE:CLASS", help="a Controller, as certificates:Certificates"
    )
    parser.add_argument("--kubeconfig", type=Path, help="which cluster (default $KUBECONFIG or ~/.kube/config)")
    parser.add_argument("--context", default="", help="a context of the kubeconfig")
    parser.add_argument("--lease", default="", metavar="NAMESPACE/NAME", help="work only while holding this Lease")


def run(options: argparse.Namespace) -> int:
    from orchestrator.client.errors import KubeconfigError
    from orchestrator.client.kubeconfig import load
    from orchestrator.controllers.outside import run_controllers

    classes = [_class(named) for named in options.controllers]
    try:
        access = load(options.kubeconfig, context=options.context)
    except KubeconfigError as error:
        raise CommandError(str(error)) from error
    print(f"running {', '.join(one.__name__ for one in classes)} against {access.server} · Ctrl-C stops it", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_controllers(*classes, access=access, lease=options.lease))
    return 0


def _class(named: str) -> Any:
    """The class of ``module:Class``; modules of this folder are found too."""
    from orchestrator.controllers.controller import Controller

    module, _, name = named.partition(":")
    if not name:
        raise CommandError(f"expected MODULE:CLASS, found {named!r}", code=2)
    sys.path.insert(0, os.getcwd())
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise CommandError(f"{named}: {error}", code=2) from error
    if not (isinstance(found, type) and issubclass(found, Controller)):
        raise CommandError(f"{named}: expected a subclass of orchestrator.Controller, found {found!r}", code=2)
    return found
