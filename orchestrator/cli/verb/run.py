"""``podium run``: one pod from an image."""

from __future__ import annotations

import argparse
from typing import Any

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb import making, pairs

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--image", required=True)
    parser.add_argument("--port", type=int, default=0, help="the port it listens on")
    parser.add_argument("--expose", action="store_true", help="a Service for that port too")
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--labels", "-l", default="", metavar="KEY=VALUE,...", help="default run=NAME")
    parser.add_argument("--restart", choices=("Always", "OnFailure", "Never"), default="Always")
    parser.add_argument("--image-pull-policy", default="")
    parser.add_argument(
        "--command", dest="as_command", action="store_true", help="what follows -- is the command, not its arguments"
    )
    making.arguments(parser)
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    if options.expose and not options.port:
        raise CommandError("--expose needs --port", code=2)
    made = [pod(options)]
    if options.expose:
        made.insert(0, service(options, made[0]["metadata"]["labels"]))
    with Session.begin(options) as session:
        return making.make(session, made, options)


def pod(options: argparse.Namespace) -> Object:
    container: Object = {"name": options.name, "image": options.image}
    if options.after:
        container["command" if options.as_command else "args"] = list(options.after)
    if options.env:
        container["env"] = [{"name": key, "value": value} for key, value in pairs.parse(options.env).items()]
    if options.port:
        container["ports"] = [{"containerPort": options.port}]
    if options.image_pull_policy:
        container["imagePullPolicy"] = options.image_pull_policy
    labels = pairs.parse(options.labels.split(",")) if options.labels else {"run": options.name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": options.name, "labels": labels},
        "spec": {"containers": [container], "restartPolicy": options.restart},
    }


def service(options: argparse.Namespace, labels: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": options.name},
        "spec": {"selector": labels, "ports": [{"port": options.port, "targetPort": options.port}]},
    }
