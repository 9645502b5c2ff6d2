"""``podium taint``: ``key=value:NoSchedule`` sets, ``key:NoSchedule-`` and ``key-`` remove."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", help="node-1 key=value:NoSchedule other-")
    parser.add_argument("--overwrite", action="store_true", help="change the value of a taint that is there")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--all", action="store_true", help="every node")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    named, changes = split(options.words)
    with Session.begin(options) as session:
        resource = session.find("nodes")
        if not named:
            if not options.all and not options.selector:
                raise CommandError("which nodes? give names, -l SELECTOR or --all", code=2)
            named = [item["metadata"]["name"] for item in session.list(resource, labels=options.selector)]
        for name in named:
            node = session.get(resource, name)
            taints = changed(f"node/{name}", node["spec"].get("taints") or [], changes, overwrite=options.overwrite)
            revision = node["metadata"]["resourceVersion"]
            session.patch(
                resource, name, {"metadata": {"resourceVersion": revision}, "spec": {"taints": taints or None}}
            )
            print(f"node/{name} {'untainted' if all(remove for _, remove in changes) else 'tainted'}")
    return 0


def split(words: Sequence[str]) -> tuple[list[str], list[tuple[Object, bool]]]:
    """Names of nodes, and (taint, is it removed) in order."""
    named: list[str] = []
    changes: list[tuple[Object, bool]] = []
    for word in words:
        if word in ("node", "nodes", "no") and not named:
            continue
        if ":" not in word and not word.endswith("-"):
            named.append(word.removeprefix("node/"))
            continue
        changes.append((parse(word.removesuffix("-")), word.endswith("-")))
    if not changes:
        raise CommandError("say which taint: key=value:NoSchedule sets, key:NoSchedule- removes", code=2)
    return named, changes


def parse(text: str) -> Object:
    label, colon, effect = text.partition(":")
    key, _, value = label.partition("=")
    if colon and effect not in EFFECTS:
        raise CommandError(f"taint {text!r}: expected one of {', '.join(EFFECTS)}, found {effect!r}", code=2)
    return {"key": key, **({"value": value} if value else {}), **({"effect": effect} if effect else {})}


def changed(
    title: str, standing: Sequence[Object], changes: Sequence[tuple[Object, bool]], *, overwrite: bool
) -> list[Object]:
    """The taints afterwards. Raises ``CommandError`` for one held with another value, or not there to remove."""
    taints = list(standing)
    for taint, remove in changes:
        effect = taint.get("effect")
        same = [held for held in taints if held["key"] == taint["key"] and effect in (None, held.get("effect"))]
        if remove:
            if not same:
                raise CommandError(f"{title} has no taint {taint['key']}" + (f":{effect}" if effect else ""))
        elif not effect:
            raise CommandError(f"taint {taint['key']!r} has no effect; write {taint['key']}:NoSchedule", code=2)
        elif same and same[0].get("value") != taint.get("value") and not overwrite:
            raise CommandError(f"{title} has taint {taint['key']}:{effect} already; --overwrite changes it")
        taints = [held for held in taints if held not in same]
        if not remove:
            taints.append(taint)
    return taints
