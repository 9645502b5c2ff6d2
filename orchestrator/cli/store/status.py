"""``podium store status``: revision, bytes and alarm of a store that runs."""

from __future__ import annotations

import argparse

from orchestrator.cli.store import gateway


def arguments(parser: argparse.ArgumentParser) -> None:
    gateway.arguments(parser)


def run(options: argparse.Namespace) -> int:
    found = gateway.ask(options, "maintenance/status")
    everything = {"key": "AA==", "range_end": "AA==", "count_only": True}
    count = gateway.ask(options, "kv/range", everything).get("count", "0")
    header = found["header"]
    print(f"revision {header['revision']} · {int(count):,} keys · {int(found.get('dbSizeInUse', 0)):,} bytes", end="")
    print(f" · term {found.get('raftTerm')} · log index {found.get('raftIndex')}")
    for alarm in found.get("errors", []):
        print(f"alarm: {alarm}. Delete keys, compact (the history goes with time), or raise the quota")
    return 1 if found.get("errors") else 0
