"""How components are kept: their mailboxes, back-off and restarts, the same in every process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors import Backoff, ChildSpec, Intensity, Mailbox, Supervisor, child

RESTARTS = Intensity(restarts=100, within=10.0)
"""Components restart alone and with back-off; only a storm of crashes brings the cluster down."""
WATCHER_MAILBOX = Mailbox(capacity=4096)
"""A watcher's credit bounds its frames far below this."""
RESTART_BACKOFF = Backoff(initial=0.05, maximum=10.0)


def group(strategy: Any, *children: ChildSpec) -> Supervisor:
    return Supervisor(strategy=strategy, intensity=RESTARTS, children=children)


def member_spec(make: Callable[..., Any], name: str, *args: Any) -> ChildSpec:
    return child(make, *args, name=name, mailbox=WATCHER_MAILBOX, backoff=RESTART_BACKOFF)
