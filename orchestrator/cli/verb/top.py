"""``podium top``: CPU and memory of pods or nodes, from metrics.k8s.io."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.apimachinery.quantity import Quantity
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import ApiError
from orchestrator.cli.remote.session import Session
from orchestrator.cli.show.table import table
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
ROOT = "/apis/metrics.k8s.io/v1beta1"
MEBI = 2**20
SORTS = {"cpu": 0, "memory": 1}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("pods", "pod", "po", "nodes", "node", "no"))
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--sort-by", choices=tuple(SORTS), default="")
    parser.add_argument("--containers", action="store_true", help="of pods: each container")
    parser.add_argument("--no-headers", action="store_true")
    sessions.arguments(parser, every_namespace=True)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        if options.what.startswith("n"):
            capacity = {node["metadata"]["name"]: node for node in session.list(session.find("nodes"))}
            rows = node_rows(items(session, f"{ROOT}/nodes", options), capacity, options.sort_by)
        else:
            place = f"/namespaces/{session.namespace}" if session.namespace else ""
            found = items(session, f"{ROOT}{place}/pods", options)
            rows = pod_rows(found, options.sort_by, namespaces=not session.namespace, containers=options.containers)
    print("\n".join(table(rows[1:] if options.no_headers else rows)))
    return 0


def items(session: Session, path: str, options: argparse.Namespace) -> list[Object]:
    try:
        if options.name:
            return [session.connection.get(f"{path}/{options.name}")]
        found: list[Object] = session.connection.get(path, {"labelSelector": options.selector}).get("items") or []
    except ApiError as error:
        if (error.http_code in (404, 503) and error.reason != "NotFound") or "could not find" in str(error):
            raise CommandError("the server has no metrics.k8s.io: nothing measures this cluster") from error
        raise
    if not found:
        raise CommandError("nothing is measured yet; a first sample takes up to 15 s")
    return found


def usage(entry: Object) -> tuple[int, int]:
    """Thousandths of a core, and bytes."""
    used = entry.get("usage") or {}
    return Quantity.parse(used.get("cpu", "0")).milli(), Quantity.parse(used.get("memory", "0")).value()


def ordered(rows: list[tuple[list[str], tuple[int, int]]], sort_by: str) -> list[tuple[list[str], tuple[int, int]]]:
    if sort_by:
        return sorted(rows, key=lambda row: -row[1][SORTS[sort_by]])
    return sorted(rows, key=lambda row: row[0])


def amounts(used: tuple[int, int]) -> list[str]:
    return [f"{used[0]}m", f"{used[1] // MEBI}Mi"]


def node_rows(found: Sequence[Object], nodes: Mapping[str, Object], sort_by: str) -> list[list[str]]:
    rows = ordered([([entry["metadata"]["name"]], usage(entry)) for entry in found], sort_by)
    shown = [["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]]
    for [name], used in rows:
        room = (nodes.get(name, {}).get("status") or {}).get("allocatable") or {}
        cpu, memory = amounts(used)
        shares = [
            share(used[0], Quantity.parse(room.get("cpu", "0")).milli()),
            share(used[1], Quantity.parse(room.get("memory", "0")).value()),
        ]
        shown.append([name, cpu, shares[0], memory, shares[1]])
    return shown


def share(used: int, room: int) -> str:
    return f"{100 * used // room}%" if room else "<unknown>"


def pod_rows(found: Sequence[Object], sort_by: str, *, namespaces: bool, containers: bool) -> list[list[str]]:
    rows: list[tuple[list[str], tuple[int, int]]] = []
    for entry in found:
        metadata = entry["metadata"]
        place = [metadata.get("namespace", "")] if namespaces else []
        parts = [(part["name"], usage(part)) for part in entry.get("containers") or ()]
        if containers:
            rows += [([*place, metadata["name"], name], used) for name, used in parts]
        else:
            total = (sum(used[0] for _, used in parts), sum(used[1] for _, used in parts))
            rows.append(([*place, metadata["name"]], total))
    head = [*(["NAMESPACE"] if namespaces else []), *(["POD", "NAME"] if containers else ["NAME"])]
    return [[*head, "CPU(cores)", "MEMORY(bytes)"]] + [
        [*names, *amounts(used)] for names, used in ordered(rows, sort_by)
    ]
