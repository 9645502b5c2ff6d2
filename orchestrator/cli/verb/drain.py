"""``podium drain``: move the pods off a node, as far as their disruption budgets let it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import ApiError
from orchestrator.cli.remote.session import Session
from orchestrator.cli.remote.spans import seconds
from orchestrator.cli.remote.watching import follow, until
from orchestrator.cli.show.progress import progress
from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.cordon import mark, names

Object = dict[str, Any]
RETRY_SECONDS = 5.0
"""After a budget said no; as kubectl."""
FOREVER = 7 * 86400.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("nodes", nargs="*", help="node-1 node-2")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--pod-selector", default="", metavar="LABELS", help="only these pods")
    parser.add_argument("--ignore-daemonsets", action="store_true", help="leave DaemonSet pods; they would come back")
    parser.add_argument(
        "--delete-emptydir-data", action="store_true", help="pods with emptyDir volumes too: their data is lost"
    )
    parser.add_argument("--force", action="store_true", help="pods without a controller too: nobody makes them again")
    parser.add_argument("--disable-eviction", action="store_true", help="delete, whatever budgets say")
    parser.add_argument("--grace-period", type=int, default=-1, metavar="SECONDS")
    parser.add_argument(
        "--timeout", type=seconds, default=0.0, metavar="SPAN", help="how long to try (default: for ever)"
    )
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        pods = session.find("pods")
        for name in names(session, options):
            mark(session, name, unschedulable=True)
            found = session.list(pods, "", labels=options.pod_selector, fields=f"spec.nodeName={name}")
            moved = plan(name, found, options)
            deadline = time.monotonic() + (options.timeout or FOREVER)
            for pod in moved:
                evict(session, pod, options, deadline)
            for pod in moved:
                wait_gone(session, pod, deadline)
            print(f"node/{name} drained")
    return 0


def plan(node: str, pods: Sequence[Object], options: argparse.Namespace) -> list[Object]:
    """The pods to move. Raises ``CommandError`` that names those that a flag must allow."""
    moved: list[Object] = []
    refused: dict[str, list[str]] = {}
    for pod in pods:
        reason = obstacle(pod, options)
        if reason == "leave":
            continue
        if reason:
            refused.setdefault(reason, []).append(pod["metadata"]["name"])
        else:
            moved.append(pod)
    if refused:
        why = "; ".join(f"{', '.join(held)} ({reason})" for reason, held in refused.items())
        raise CommandError(f"node/{node} is cordoned but not drained: {why}")
    return moved


def obstacle(pod: Object, options: argparse.Namespace) -> str:
    """ "" move it, "leave" it is left, else which flag it needs."""
    metadata = pod["metadata"]
    owner = next((owner for owner in metadata.get("ownerReferences") or () if owner.get("controller")), None)
    finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return "leave"
    if owner is not None and owner["kind"] == "DaemonSet" and not finished:
        return "leave" if options.ignore_daemonsets else "of a DaemonSet: --ignore-daemonsets"
    if owner is None and not finished and not options.force:
        return "no controller: --force deletes it for good"
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    if any("emptyDir" in volume for volume in volumes) and not finished and not options.delete_emptydir_data:
        return "has emptyDir data: --delete-emptydir-data"
    return ""


def evict(session: Session, pod: Object, options: argparse.Namespace, deadline: float) -> None:
    """Again and again while a budget says no."""
    metadata = pod["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    path = session.find("pods").path(namespace, name)
    grace = {"gracePeriodSeconds": options.grace_period} if options.grace_period >= 0 else {}
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
        "deleteOptions": grace,
    }
    print(f"evicting pod {namespace}/{name}", flush=True)
    with progress(f"evicting pod {namespace}/{name}") as shown:
        while True:
            try:
                if options.disable_eviction:
                    session.connection.call(
                        "DELETE", path, None, {"apiVersion": "v1", "kind": "DeleteOptions", **grace}
                    )
                else:
                    session.connection.call("POST", f"{path}/eviction", None, eviction)
            except ApiError as error:
                if error.http_code == 404:
                    return
                if error.http_code != 429:
                    raise
                if time.monotonic() + RETRY_SECONDS > deadline:
                    raise CommandError(f"pod {namespace}/{name} was not evicted in time: {error}") from error
                shown.say(f"pod {namespace}/{name}: {error}; again in {RETRY_SECONDS:.0f} s")
                time.sleep(RETRY_SECONDS)
                continue
            return


def wait_gone(session: Session, pod: Object, deadline: float) -> None:
    metadata = pod["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}"
    states = follow(session, session.find("pods"), metadata["namespace"], metadata["name"], deadline - time.monotonic())
    with progress(f"waiting until pod {name} is gone"):
        gone = until(states, lambda obj: True if obj is None or obj["metadata"]["uid"] != metadata["uid"] else None)
    if not gone:
        raise CommandError(f"pod {name} was evicted but is not gone in time")
