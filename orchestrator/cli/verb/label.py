"""``podium label``."""

from __future__ import annotations

import argparse

from orchestrator.cli.verb import marks
from orchestrator.cli.verb.marks import arguments as arguments


def run(options: argparse.Namespace) -> int:
    return marks.run(options, "labels", "labeled")
