"""``podium wait``: until a condition holds, and what stands in its way when it does not."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from orchestrator.apimachinery import jsonpath
from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.remote.spans import seconds
from orchestrator.cli.remote.watching import follow, until
from orchestrator.cli.show.progress import progress
from orchestrator.cli.terminal import CommandError, duration, fail

Object = dict[str, Any]
Met = Callable[[Object | None], bool | None]
"""True: it holds. None: not yet."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="+", help="deploy/web · pods -l app=web · pod web-1")
    parser.add_argument(
        "--for",
        dest="goal",
        required=True,
        metavar="GOAL",
        help="condition=Available[=True] · delete · create · jsonpath={.status.phase}=Running",
    )
    parser.add_argument("--timeout", type=seconds, default=30.0, metavar="SPAN", help="30s, 5m (default 30s)")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS")
    parser.add_argument("--all", action="store_true", help="every object of the type in the namespace")
    sessions.arguments(parser, every_namespace=True)


def run(options: argparse.Namespace) -> int:
    met, asked = goal(options.goal)
    code = 0
    deadline = time.monotonic() + options.timeout
    with Session.begin(options) as session:
        found = words.objects(session, options.what, options.selector, options.all)
        if not found and asked != "delete":
            raise CommandError(f"nothing matches {' '.join(options.what)}")
        for resource, namespace, name in found:
            title = resource.title(name)
            last: list[Object | None] = [None]

            def answer(obj: Object | None, last: list[Object | None] = last) -> bool | None:
                last[0] = obj
                if obj is None and asked not in ("delete", "create"):
                    raise CommandError(f"{title} is not there; --for=create waits for it")  # noqa: B023
                return met(obj)

            with progress(f"waiting for {asked} of {title}"):
                states = follow(session, resource, namespace, name, max(0.0, deadline - time.monotonic()))
                done = until(states, answer)
            if done:
                print(f"{title} {said(asked)}", flush=True)
            else:
                code = fail(f"waited {duration(options.timeout)} for {asked} of {title}: {why(last[0], asked)}")
    return code


def goal(text: str) -> tuple[Met, str]:
    """Whether an object meets it, and how it is called. Raises ``CommandError``."""
    head, _, rest = text.partition("=")
    if text == "delete":
        return lambda obj: True if obj is None else None, "delete"
    if text == "create":
        return lambda obj: None if obj is None else True, "create"
    if head == "condition" and rest:
        name, _, value = rest.partition("=")
        return lambda obj: condition_is(obj, name, value or "True"), f"condition {name}" + (
            f"={value}" if value else ""
        )
    if head == "jsonpath" and rest:
        path, wanted = split_path(rest)
        return lambda obj: path_is(obj, path, wanted), path + ("" if wanted is None else f"={wanted}")
    raise CommandError(f"--for: expected condition=NAME, delete, create or jsonpath=PATH=VALUE, found {text!r}", code=2)


def split_path(text: str) -> tuple[str, str | None]:
    """The path in braces or up to the last ``=``, and the value (None: any)."""
    if text.startswith("'"):
        text = text[1:].replace("'", "", 1)
    if text.startswith("{") and "}" in text:
        end = text.rindex("}")
        rest = text[end + 1 :]
        return text[: end + 1], rest[1:] if rest.startswith("=") else None
    path, equals, value = text.partition("=")
    return path, value if equals else None


def condition_is(obj: Object | None, name: str, value: str) -> bool | None:
    """A condition seen for an older generation of the object does not count."""
    if obj is None:
        return None
    found = condition(obj, name)
    if found is None:
        return None
    status = obj.get("status") or {}
    seen = found.get("observedGeneration", status.get("observedGeneration"))
    if seen is not None and seen < obj["metadata"].get("generation", 0):
        return None
    return True if str(found.get("status", "")).lower() == value.lower() else None


def condition(obj: Object, name: str) -> Object | None:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((entry for entry in conditions if str(entry.get("type", "")).lower() == name.lower()), None)


def path_is(obj: Object | None, path: str, value: str | None) -> bool | None:
    if obj is None:
        return None
    found = jsonpath.find(path, obj)
    if value is None:
        return True if found and found[0] not in (None, "") else None
    return True if found and jsonpath.text(found[0]) == value else None


def said(asked: str) -> str:
    return {"delete": "deleted", "create": "created"}.get(asked, "condition met")


def why(obj: Object | None, asked: str) -> str:
    """What the object says of itself: the condition's own message, else counts, else its phase."""
    if obj is None:
        return "it is not there"
    if asked == "delete":
        finalizers = obj["metadata"].get("finalizers") or ()
        return f"its finalizers are {', '.join(finalizers)}" if finalizers else "it is still there"
    status = obj.get("status") or {}
    wanted = asked.removeprefix("condition ").partition("=")[0]
    found = condition(obj, wanted)
    if found is not None:
        words_said = [str(found[key]) for key in ("reason", "message") if found.get(key)]
        return f"{found['type']} is {found['status']}" + (f" ({': '.join(words_said)})" if words_said else "")
    if asked.startswith("condition "):
        known = ", ".join(entry["type"] for entry in status.get("conditions") or ()) or "none"
        return f"it has no condition {wanted}; it has {known}"
    if "replicas" in (obj.get("spec") or {}):
        return f"{status.get('readyReplicas', 0)} of {obj['spec']['replicas']} pods ready"
    return f"its phase is {status['phase']}" if "phase" in status else "it does not say it"
