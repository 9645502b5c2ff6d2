"""``podium uncordon``: pods on a node again."""

from __future__ import annotations

import argparse

from orchestrator.cli.remote.session import Session
from orchestrator.cli.verb.cordon import arguments as arguments
from orchestrator.cli.verb.cordon import mark, names


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        for name in names(session, options):
            mark(session, name, unschedulable=False)
    return 0
