"""Workloads and Services from words: each maker declares its arguments and makes an object."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
Maker = tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], Object]]


def deployment_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--image", action="append", required=True, help="more than once: several containers")
    parser.add_argument("--replicas", "-r", type=int, default=1)
    parser.add_argument("--port", type=int, default=0)


def deployment(options: argparse.Namespace) -> Object:
    labels = {"app": options.name}
    containers = [container(image, options.after) for image in options.image]
    if options.port:
        containers[0]["ports"] = [{"containerPort": options.port}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": options.name, "labels": labels},
        "spec": {
            "replicas": options.replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def container(image: str, command: list[str]) -> Object:
    """Named as its image: ``registry/team/web:1`` is ``web``."""
    name = image.rsplit("/", 1)[-1].split("@")[0].split(":")[0].replace("_", "-").replace(".", "-").lower()
    return {"name": name, "image": image, **({"command": list(command)} if command else {})}


def service_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("type", choices=("clusterip", "nodeport", "loadbalancer", "externalname"))
    parser.add_argument("name")
    parser.add_argument("--tcp", action="append", default=[], metavar="PORT[:TARGET]")
    parser.add_argument("--node-port", type=int, default=0)
    parser.add_argument("--clusterip", default="", help="an address, or None for a headless Service")
    parser.add_argument("--external-name", default="")


SERVICE_TYPES = {
    "clusterip": "ClusterIP",
    "nodeport": "NodePort",
    "loadbalancer": "LoadBalancer",
    "externalname": "ExternalName",
}


def service(options: argparse.Namespace) -> Object:
    labels = {"app": options.name}
    spec: Object = {"type": SERVICE_TYPES[options.type], "selector": labels}
    if ports := [service_port(text) for text in options.tcp]:
        spec["ports"] = ports
    if options.node_port and ports:
        ports[0]["nodePort"] = options.node_port
    if options.clusterip:
        spec["clusterIP"] = options.clusterip
    if options.type == "externalname":
        if not options.external_name:
            raise CommandError("create service externalname needs --external-name", code=2)
        spec["externalName"] = options.external_name
    elif not options.tcp and options.clusterip != "None":
        raise CommandError(f"create service {options.type} needs --tcp PORT[:TARGET]", code=2)
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": options.name, "labels": labels}, "spec": spec}


def service_port(text: str) -> Object:
    port, _, target = text.partition(":")
    if not port.isdigit():
        raise CommandError(f"--tcp: expected PORT or PORT:TARGET, found {text!r}", code=2)
    target = target or port
    return {
        "name": text.replace(":", "-"),
        "port": int(port),
        "protocol": "TCP",
        "targetPort": int(target) if target.isdigit() else target,
    }


def job_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--image", required=True)


def job(options: argparse.Namespace) -> Object:
    metadata = {"name": options.name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {"template": job_template(options, "Never")},
    }


def job_template(options: argparse.Namespace, restart: str) -> Object:
    entry = {**container(options.image, options.after), "name": options.name}
    return {"spec": {"containers": [entry], "restartPolicy": restart}}


def cronjob_arguments(parser: argparse.ArgumentParser) -> None:
    job_arguments(parser)
    parser.add_argument("--schedule", required=True, help='"*/5 * * * *"')
    parser.add_argument("--restart", choices=("OnFailure", "Never"), default="OnFailure")


def cronjob(options: argparse.Namespace) -> Object:
    template = {"spec": {"template": job_template(options, options.restart)}}
    spec = {"schedule": options.schedule, "jobTemplate": template}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": options.name}, "spec": spec}


def ingress_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument(
        "--rule",
        action="append",
        required=True,
        metavar="HOST/PATH=SERVICE:PORT",
        help="a path that ends in * is a prefix",
    )
    parser.add_argument("--class", dest="ingress_class", default="")


def ingress(options: argparse.Namespace) -> Object:
    spec: Object = {"rules": [ingress_rule(text) for text in options.rule]}
    if options.ingress_class:
        spec["ingressClassName"] = options.ingress_class
    metadata = {"name": options.name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def ingress_rule(text: str) -> Object:
    left, _, right = text.partition("=")
    host, _, path = left.partition("/")
    name, _, port = right.partition(":")
    if not name or not port:
        raise CommandError(f"--rule: expected HOST/PATH=SERVICE:PORT, found {text!r}", code=2)
    number = {"number": int(port)} if port.isdigit() else {"name": port}
    entry = {
        "path": "/" + path.removesuffix("*"),
        "pathType": "Prefix" if path.endswith("*") else "Exact",
        "backend": {"service": {"name": name, "port": number}},
    }
    return {**({"host": host} if host else {}), "http": {"paths": [entry]}}


MAKERS: dict[str, Maker] = {
    "deployment": (deployment_arguments, deployment),
    "service": (service_arguments, service),
    "job": (job_arguments, job),
    "cronjob": (cronjob_arguments, cronjob),
    "ingress": (ingress_arguments, ingress),
}
