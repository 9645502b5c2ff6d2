"""Who the components are when they ask the API server: RBAC decides for them like for anybody."""

from __future__ import annotations

from orchestrator.client.protocol import Identity

AUTHENTICATED = "system:authenticated"
NODES = ("system:nodes", AUTHENTICATED)
NO_EXTRA: dict[str, list[str]] = {}
"""Shared by all nodes. Never written to."""
MASTERS = Identity("system:admin", ("system:masters", AUTHENTICATED))


def component(user: str) -> Identity:
    """A component of the control plane by its user name; a service account gets its account's groups."""
    if user.startswith("system:serviceaccount:"):
        namespace = user.split(":")[2]
        return Identity(user, ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED))
    return Identity(user, (AUTHENTICATED,))


def node(name: str) -> Identity:
    """The kubelet of a node."""
    return Identity(f"system:node:{name}", NODES, "", NO_EXTRA)
