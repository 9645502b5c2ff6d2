"""``podium status``: how the cluster on this machine is, actor by actor."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from orchestrator.cli import datadir
from orchestrator.cli.status_view import render
from orchestrator.cli.terminal import CommandError

PATH = "/podium/v1/status"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, default=datadir.default(), help="which cluster (default ~/.podium)")
    parser.add_argument("--kubeconfig", metavar="FILE", help="of a Podium elsewhere")
    parser.add_argument("-o", "--output", choices=("json",), default="")


def run(options: argparse.Namespace) -> int:
    if not options.kubeconfig and datadir.read_record(options.data_dir) is None:
        raise CommandError(f"Podium is not running in {options.data_dir}; `podium up` starts it")
    from orchestrator.cli.remote import access
    from orchestrator.cli.remote.connection import ApiError, Connection

    file = options.kubeconfig or str(options.data_dir / "kubeconfig")
    connection = Connection(access.find(file, None, {}, Path.home()))
    try:
        status = connection.get(PATH)
    except ApiError as error:
        if error.http_code == 404:
            raise CommandError(f"{connection.access.server} is no Podium: it has no {PATH}") from error
        raise
    finally:
        connection.close()
    if options.output == "json":
        import json

        print(json.dumps(status, indent=2))
    else:
        print("\n".join(render(status, shutil.get_terminal_size((120, 24)).columns)))
    return 0
