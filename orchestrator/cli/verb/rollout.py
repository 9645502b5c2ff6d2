"""``podium rollout``: status, history, undo, restart, pause and resume of Deployments, StatefulSets and DaemonSets."""

from __future__ import annotations

import argparse
import time
from typing import Any

from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import JSON_PATCH, STRATEGIC
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.remote.spans import seconds
from orchestrator.cli.remote.watching import follow
from orchestrator.cli.show.progress import progress
from orchestrator.cli.show.table import table
from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb import rollout_history as past
from orchestrator.cli.verb.rollout_state import state

Object = dict[str, Any]
KINDS = ("deployments", "statefulsets", "daemonsets")
FOREVER = 7 * 86400.0
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(ACTIONS))
    parser.add_argument("what", nargs="*", help="deploy/web · statefulset db")
    parser.add_argument("--revision", type=int, default=0, help="history: show it whole · status: stop at this one")
    parser.add_argument("--to-revision", type=int, default=0, help="undo: back to this one (default: the one before)")
    parser.add_argument(
        "-w",
        "--watch",
        nargs="?",
        const="true",
        default="true",
        choices=("true", "false"),
        help="status: until it is done (default)",
    )
    parser.add_argument(
        "--timeout", type=seconds, default=0.0, metavar="SPAN", help="status: how long (default: for ever)"
    )
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        code = 0
        for resource, namespace, name in words.objects(session, options.what, options.selector):
            if resource.resource not in KINDS:
                raise CommandError(f"{resource.title(name)} has no rollout; {', '.join(KINDS)} have one")
            code = max(code, ACTIONS[options.action](session, resource, namespace, name, options))
        return code


def status(session: Session, resource: Resource, namespace: str, name: str, options: argparse.Namespace) -> int:
    """Prints each step; 1 when the deadline of the rollout or of the command passed."""
    said = ""
    with progress(f"watching the rollout of {resource.title(name)}") as shown:
        for obj in follow(session, resource, namespace, name, options.timeout or FOREVER):
            if obj is None:
                raise CommandError(f"{resource.title(name)} is not there")
            if options.revision and revision(obj) not in (0, options.revision):
                raise CommandError(f"{resource.title(name)} is at revision {revision(obj)}, not {options.revision}")
            found = state(obj)
            if found.failed:
                raise CommandError(found.text)
            if found.text != said:
                said = found.text
                shown.say(said)
                print(said, flush=True)
            if found.done or options.watch == "false":
                return 0
    raise CommandError(f"{resource.title(name)} is not rolled out in time: {said}")


def revision(obj: Object) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(past.REVISION, "0")
    return int(text) if text.isdigit() else 0


def history(session: Session, resource: Resource, namespace: str, name: str, options: argparse.Namespace) -> int:
    found = past.revisions(session, resource, session.get(resource, name, namespace))
    if options.revision:
        from orchestrator.cli.describe.template import template_lines

        wanted = past.at(found, options.revision, resource.title(name))
        print(f"{resource.title(name)} with revision #{wanted.number}")
        print("\n".join(template_lines(wanted.template)))
        return 0
    rows = [["REVISION", "CHANGE-CAUSE"], *([str(entry.number), entry.cause or "<none>"] for entry in found)]
    print(resource.title(name))
    print("\n".join(table(rows, gap=2)))
    return 0


def undo(session: Session, resource: Resource, namespace: str, name: str, options: argparse.Namespace) -> int:
    obj = session.get(resource, name, namespace)
    if (obj.get("spec") or {}).get("paused"):
        raise CommandError(f"{resource.title(name)} is paused; `podium rollout resume` first")
    wanted = past.before(past.revisions(session, resource, obj), options.to_revision, resource.title(name))
    if past.same(obj["spec"]["template"], wanted.template):
        print(f"{resource.title(name)} is at revision {wanted.number} already: nothing to roll back")
        return 0
    body = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": obj["metadata"]["resourceVersion"]},
        {"op": "replace", "path": "/spec/template", "value": wanted.template},
    ]
    session.patch(resource, name, body, kind=JSON_PATCH, namespace=namespace)
    print(f"{resource.title(name)} rolled back to revision {wanted.number}")
    return 0


def restart(session: Session, resource: Resource, namespace: str, name: str, options: argparse.Namespace) -> int:
    if (session.get(resource, name, namespace).get("spec") or {}).get("paused"):
        raise CommandError(f"{resource.title(name)} is paused; `podium rollout resume` first")
    annotations = {RESTARTED: rfc3339(time.time())}
    body = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    session.patch(resource, name, body, kind=STRATEGIC, namespace=namespace)
    print(f"{resource.title(name)} restarted")
    return 0


def pause(session: Session, resource: Resource, namespace: str, name: str, options: argparse.Namespace) -> int:
    return set_paused(session, resource, namespace, name, paused=True)


def resume(session: Session, resource: Resource, namespace: str, name: str, options: argparse.Namespace) -> int:
    return set_paused(session, resource, namespace, name, paused=False)


def set_paused(session: Session, resource: Resource, namespace: str, name: str, *, paused: bool) -> int:
    word = "paused" if paused else "resumed"
    if resource.resource != "deployments":
        raise CommandError(f"{resource.title(name)} cannot be {word}; only Deployments can")
    if bool(session.get(resource, name, namespace)["spec"].get("paused")) == paused:
        raise CommandError(f"{resource.title(name)} is {'already paused' if paused else 'not paused'}")
    session.patch(resource, name, {"spec": {"paused": paused or None}}, namespace=namespace)
    print(f"{resource.title(name)} {word}")
    return 0


ACTIONS = {"status": status, "history": history, "undo": undo, "restart": restart, "pause": pause, "resume": resume}
