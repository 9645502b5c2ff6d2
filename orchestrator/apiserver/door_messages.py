"""What the HTTP door asks of the API server besides requests: who a caller is, and whether they may see a path."""

from __future__ import annotations

from typing import Any

import msgspec

from actors import Ask, Ref
from orchestrator.client.protocol import Identity


class Authenticated(msgspec.Struct, frozen=True, array_like=True):
    """``identity`` None: the caller is not who they say (401). ``status``: they may not impersonate (403)."""

    identity: Identity | None
    status: dict[str, Any] | None = None


class Authenticate(Ask[Authenticated]):
    """A verified certificate's identity or a bearer token, and the impersonation headers."""

    certificate: Identity | None = None
    token: str = ""
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    as_uid: str = ""
    as_extra: dict[str, list[str]] = msgspec.field(default_factory=dict)


class Authorized(msgspec.Struct, frozen=True, array_like=True):
    """The Status to answer with, None when they may."""

    status: dict[str, Any] | None


class Authorize(Ask[Authorized]):
    """May they ``verb`` this non-resource path?"""

    identity: Identity
    verb: str
    path: str


class Fetched(msgspec.Struct, frozen=True, array_like=True):
    body: dict[str, Any] | None


class Fetch(Ask[Fetched]):
    """``jwks``, ``openid`` or ``ready``."""

    what: str


class Defined(msgspec.Struct, frozen=True, array_like=True):
    """The definitions whose kinds are served; None: nothing changed since the generation that was asked with."""

    generation: int
    definitions: list[dict[str, Any]] | None = None


class Define(Ask[Defined]):
    """Which custom kinds are there?"""

    generation: int = 0


class Located(msgspec.Struct, frozen=True, array_like=True):
    """The kubelet's ref, and what to open there. ``status``: why not."""

    node: Ref[Any] | None = None
    pod_uid: str = ""
    container: str = ""
    status: dict[str, Any] | None = None


class Locate(Ask[Located]):
    """Where is this pod, and may they ``verb`` its ``subresource``?"""

    identity: Identity
    verb: str
    namespace: str
    name: str
    subresource: str
    container: str = ""
