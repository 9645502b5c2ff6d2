"""``podium autoscale``: replicas by CPU load."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.verb import making

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="deploy/web or deploy web")
    parser.add_argument("--min", type=int, default=1, help="at least so many replicas (default 1)")
    parser.add_argument("--max", type=int, required=True, help="at most so many")
    parser.add_argument("--cpu-percent", type=int, default=80, help="of what the pods ask for (default 80)")
    parser.add_argument("--name", default="", help="of the autoscaler (default: as what it scales)")
    making.arguments(parser)
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        resource, name = words.one(session, options.what)
        return making.make(session, [autoscaler(resource, name, options)], options, done="autoscaled")


def autoscaler(resource: Resource, name: str, options: argparse.Namespace) -> Object:
    target = {"type": "Utilization", "averageUtilization": options.cpu_percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": options.name or name},
        "spec": {
            "scaleTargetRef": {"apiVersion": resource.api_version, "kind": resource.kind, "name": name},
            "minReplicas": options.min,
            "maxReplicas": options.max,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
