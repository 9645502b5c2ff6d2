"""``podium expose``: a Service for what runs."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb import making, pairs

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="deploy/web or deploy web")
    parser.add_argument("--port", type=int, default=0, help="of the Service (default: the container's)")
    parser.add_argument("--target-port", default="", help="of the pods: number or name (default: as --port)")
    parser.add_argument("--protocol", choices=("TCP", "UDP", "SCTP"), default="")
    parser.add_argument("--name", default="", help="of the Service (default: as what it exposes)")
    parser.add_argument("--type", choices=("ClusterIP", "NodePort", "LoadBalancer"), default="")
    parser.add_argument("--selector", default="", metavar="KEY=VALUE,...", help="default: the pods' own")
    parser.add_argument("--labels", "-l", default="", metavar="KEY=VALUE,...")
    parser.add_argument("--cluster-ip", default="", help="an address, or None for a headless Service")
    making.arguments(parser)
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        resource, name = words.one(session, options.what)
        made = service(session.get(resource, name), resource.title(name), options)
        return making.make(session, [made], options, done="exposed")


def service(source: Object, title: str, options: argparse.Namespace) -> Object:
    """Raises ``CommandError`` where ``source`` has no pods to select or no port is known."""
    labels = pairs.parse(options.labels.split(",")) if options.labels else source["metadata"].get("labels") or {}
    spec: Object = {"selector": selector(source, title, options), "ports": ports(source, title, options)}
    if options.type:
        spec["type"] = options.type
    if options.cluster_ip:
        spec["clusterIP"] = options.cluster_ip
    name = options.name or source["metadata"]["name"]
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": labels}, "spec": spec}


def selector(source: Object, title: str, options: argparse.Namespace) -> Object:
    if options.selector:
        return dict(pairs.parse(options.selector.split(",")))
    if source["kind"] == "Pod":
        found = source["metadata"].get("labels") or {}
    else:
        found = (source.get("spec") or {}).get("selector") or {}
        found = found.get("matchLabels") or {} if source["kind"] not in ("Service", "ReplicationController") else found
    if not found:
        raise CommandError(f"{title} selects no pods by labels; give --selector")
    return dict(found)


def ports(source: Object, title: str, options: argparse.Namespace) -> list[Object]:
    target: int | str | None = (
        int(options.target_port) if options.target_port.isdigit() else options.target_port or None
    )
    if options.port:
        known = [{"port": options.port}]
    else:
        spec = source.get("spec") or {}
        pod = spec if source["kind"] == "Pod" else (spec.get("template") or {}).get("spec") or {}
        declared = [port for container in pod.get("containers") or () for port in container.get("ports") or ()]
        known = (
            [{"port": port.get("containerPort"), "protocol": port.get("protocol", "TCP")} for port in declared]
            or spec.get("ports")
            or []
        )
    if not known:
        raise CommandError(f"{title} names no port; give --port")
    made = []
    for number, port in enumerate(known, 1):
        entry = {
            "port": port["port"],
            "protocol": options.protocol or port.get("protocol", "TCP"),
            "targetPort": target or port["port"],
        }
        made.append({"name": f"port-{number}", **entry} if len(known) > 1 else entry)
    return made
