"""``podium kubeconfig``: print the cluster's kubeconfig, or merge it into the one kubectl reads."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import yaml

from orchestrator.cli import datadir
from orchestrator.cli.terminal import CommandError

LISTS = ("clusters", "users", "contexts")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, default=datadir.default(), help="which cluster (default ~/.podium)")
    parser.add_argument(
        "--merge", action="store_true", help="add it to $KUBECONFIG or ~/.kube/config and make it the current context"
    )


def run(options: argparse.Namespace) -> int:
    source: Path = options.data_dir / "kubeconfig"
    if not source.exists():
        raise CommandError(f"podium kubeconfig: there is none at {source}; `podium up` makes it")
    if not options.merge:
        print(source.read_text(), end="")
        return 0
    target = Path((os.environ.get("KUBECONFIG") or "").split(os.pathsep)[0] or Path.home() / ".kube" / "config")
    ours = yaml.safe_load(source.read_text())
    theirs = (yaml.safe_load(target.read_text()) if target.exists() else None) or {}
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".podium")
    draft.touch(mode=0o600)
    draft.write_text(yaml.safe_dump(merged(theirs, ours), sort_keys=False))
    draft.replace(target)
    print(f"merged into {target} · current context {ours['current-context']}")
    return 0


def merged(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """``theirs`` with our cluster, user and context added or replaced by name, and ours current."""
    result: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", **theirs}
    for name in LISTS:
        added = {entry["name"] for entry in ours[name]}
        result[name] = [entry for entry in theirs.get(name) or [] if entry["name"] not in added] + ours[name]
    result["current-context"] = ours["current-context"]
    return result
