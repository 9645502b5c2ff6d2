"""``podium logs``: what containers wrote."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import pods as of_pods
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.connection import CHUNK_BYTES, ApiError, lines
from orchestrator.cli.remote.session import Session
from orchestrator.cli.remote.spans import seconds
from orchestrator.cli.terminal import CommandError, fail

Object = dict[str, Any]
MAX_FOLLOWED = 64
"""Logs followed at once; each has a thread and a connection."""


class Source(NamedTuple):
    namespace: str
    pod: str
    container: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="*", help="web-1 [container] · deploy/web · -l app=web")
    parser.add_argument("-c", "--container", default="")
    parser.add_argument("--all-containers", action="store_true")
    parser.add_argument("-l", "--selector", default="", metavar="LABELS", help="of all these pods")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    parser.add_argument("--tail", type=int, default=None, metavar="LINES", help="only the last lines (-1: all)")
    parser.add_argument("-p", "--previous", action="store_true", help="of the container before the last restart")
    parser.add_argument("--timestamps", action="store_true")
    parser.add_argument("--since", type=seconds, default=0.0, metavar="SPAN", help="5m, 1h")
    parser.add_argument("--since-time", default="", metavar="TIME", help="2026-01-02T03:04:05Z")
    parser.add_argument("--limit-bytes", type=int, default=0)
    parser.add_argument("--prefix", action="store_true", help="say of which pod and container each line is")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        sources = chosen(session, options)
        if len(sources) == 1 and not options.prefix:
            return copy(session, sources[0], options)
        if options.follow:
            return follow_all(session, sources, options)
        codes = [copy_lines(session, source, options) for source in sources]
        return max(codes, default=0)


def chosen(session: Session, options: argparse.Namespace) -> list[Source]:
    if options.selector:
        if options.what:
            raise CommandError("give a name or -l SELECTOR, not both", code=2)
        found = session.list(session.find("pods"), labels=options.selector)
        return [source for pod in found for source in sources_of(pod, options)]
    if not options.what or len(options.what) > 2:
        raise CommandError("logs of what? a pod, deploy/web or -l SELECTOR", code=2)
    if len(options.what) == 2 and "/" not in options.what[0]:
        options.container = options.container or options.what.pop()
    elif len(options.what) == 2:
        options.container = options.what.pop()
    resource, name = words.one(session, options.what, default="pods")
    return sources_of(of_pods.one(session, resource, name), options)


def sources_of(pod: Object, options: argparse.Namespace) -> list[Source]:
    metadata = pod["metadata"]
    names = of_pods.containers(pod) if options.all_containers else [of_pods.container(pod, options.container)]
    return [Source(metadata["namespace"], metadata["name"], name) for name in names]


def query(source: Source, options: argparse.Namespace) -> dict[str, str | int | bool | None]:
    tail = 10 if options.tail is None and options.selector else options.tail
    return {
        "container": source.container,
        "follow": options.follow,
        "previous": options.previous,
        "timestamps": options.timestamps,
        "tailLines": str(tail) if tail is not None and tail >= 0 else None,
        "sinceSeconds": int(options.since) if options.since else None,
        "sinceTime": options.since_time,
        "limitBytes": options.limit_bytes or None,
    }


def path(session: Session, source: Source) -> str:
    return session.find("pods").path(source.namespace, source.pod, "log")


def copy(session: Session, source: Source, options: argparse.Namespace) -> int:
    """The bytes as they come."""
    with session.connection.open(path(session, source), query(source, options), accept="*/*") as answer:
        while chunk := answer.read1(CHUNK_BYTES):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    return 0


def copy_lines(session: Session, source: Source, options: argparse.Namespace) -> int:
    prefix = f"[pod/{source.pod}/{source.container}] ".encode() if options.prefix else b""
    try:
        with session.connection.open(path(session, source), query(source, options), accept="*/*") as answer:
            for line in lines(answer, last=True):
                sys.stdout.buffer.write(prefix + line + b"\n")
                sys.stdout.buffer.flush()
    except ApiError as error:
        return fail(str(error))
    return 0


def follow_all(session: Session, sources: Sequence[Source], options: argparse.Namespace) -> int:
    if len(sources) > MAX_FOLLOWED:
        raise CommandError(f"expected at most {MAX_FOLLOWED} containers to follow, found {len(sources)}")
    threads = [
        threading.Thread(target=copy_lines, args=(session, source, options), name=f"log {source.pod}", daemon=True)
        for source in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0
