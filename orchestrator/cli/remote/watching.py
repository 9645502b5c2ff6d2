"""Follow objects until a question about them is answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from orchestrator.cli.remote.connection import GONE, ApiError
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session

Object = dict[str, Any]
T = TypeVar("T")


def follow(session: Session, resource: Resource, namespace: str, name: str, seconds: float) -> Iterator[Object | None]:
    """The object as it stands (None: there is none), then after each change, for at most ``seconds``.

    A watch that ends early is begun again from what stands then.
    """
    deadline = time.monotonic() + seconds
    path = resource.path(namespace)
    fields = f"metadata.name={name}"
    while True:
        listing = session.connection.get(path, {"fieldSelector": fields})
        items = listing.get("items") or []
        yield {"apiVersion": resource.api_version, "kind": resource.kind, **items[0]} if items else None
        rest = deadline - time.monotonic()
        if rest <= 0:
            return
        query = {
            "fieldSelector": fields,
            "resourceVersion": listing["metadata"]["resourceVersion"],
            "timeoutSeconds": max(1, int(rest + 0.999)),
        }
        try:
            for event in session.connection.events(path, query):
                yield None if event["type"] == "DELETED" else event["object"]
        except ApiError as error:
            if error.http_code != GONE:
                raise
        if time.monotonic() >= deadline:
            return


def until(states: Iterator[Object | None], answer: Callable[[Object | None], T | None]) -> T | None:
    """The first answer that is not None; None when the states end without one."""
    for state in states:
        found = answer(state)
        if found is not None:
            return found
    return None
