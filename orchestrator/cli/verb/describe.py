"""``podium describe``: an object with its events and what belongs to it, for people."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from orchestrator.apimachinery.selectors import selector_text
from orchestrator.cli.describe import generic, node, pod, service, workload
from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import ApiError
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import fail

Object = dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="pod web-1 · deploy/web · nodes · pods -l app=web")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--show-events", nargs="?", const="true", default="true", choices=("true", "false"))
    sessions.arguments(parser, every_namespace=True)


def run(options: argparse.Namespace) -> int:
    code = 0
    first = True
    with Session.begin(options) as session:
        for resource, namespace, name in words.objects(session, options.what, options.selector, everything=True):
            try:
                lines = described(session, resource, session.get(resource, name, namespace), options)
            except ApiError as error:
                code = fail(str(error))
                continue
            print("\n".join(lines if first else ["", "", *lines]))
            first = False
        if first and not code:
            print("No resources found", file=sys.stderr)
    return code


def described(session: Session, resource: Resource, obj: Object, options: argparse.Namespace) -> list[str]:
    happened = events_of(session, obj) if options.show_events == "true" else []
    obj = {"apiVersion": resource.api_version, "kind": resource.kind, **obj}
    kind = resource.kind if resource.group in ("", "apps", "batch") else ""
    if kind == "Pod":
        return pod.describe(obj, happened, session.now)
    if kind == "Node":
        pods = session.list(session.find("pods"), "", fields=f"spec.nodeName={obj['metadata']['name']}")
        return node.describe(obj, lease_of(session, obj), pods, happened, session.now)
    if kind == "Service":
        labels = f"kubernetes.io/service-name={obj['metadata']['name']}"
        slices = session.list(session.find("endpointslices"), obj["metadata"]["namespace"], labels=labels)
        return service.describe(obj, slices, happened, session.now)
    if kind in workload.KINDS:
        return workload.describe(obj, owned_by(session, obj), happened, session.now)
    return generic.describe(obj, happened, session.now)


def events_of(session: Session, obj: Object) -> list[Object]:
    metadata = obj["metadata"]
    uid = metadata["uid"] if obj.get("kind") != "Node" else metadata["name"]
    fields = f"involvedObject.name={metadata['name']}"
    try:
        found = session.list(session.find("events"), metadata.get("namespace", ""), fields=fields)
    except ApiError:
        return []
    return [event for event in found if (event.get("involvedObject") or {}).get("uid") in (uid, metadata["uid"])]


def lease_of(session: Session, obj: Object) -> Object | None:
    try:
        return session.get(session.find("leases"), obj["metadata"]["name"], "kube-node-lease")
    except ApiError:
        return None


def owned_by(session: Session, obj: Object) -> list[Object]:
    resource = session.find("replicasets.apps" if obj["kind"] == "Deployment" else "pods")
    selector = obj["spec"].get("selector") or {}
    labels = selector_text({"matchLabels": selector} if obj["kind"] == "ReplicationController" else selector)
    found = session.list(resource, obj["metadata"]["namespace"], labels=labels)
    uid = obj["metadata"]["uid"]
    return [
        entry for entry in found if any(owner["uid"] == uid for owner in entry["metadata"].get("ownerReferences") or ())
    ]
