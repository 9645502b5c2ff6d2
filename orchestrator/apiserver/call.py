"""One request on its way through the chain, and what every handler may use."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from actors import Clock, Context, Ref
from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.schema import Resource, Subresource
from orchestrator.api.usage import Measure
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.keys import list_prefix, object_key
from orchestrator.apiserver.mirror import Mirror
from orchestrator.apiserver.rbac import Rbac
from orchestrator.apiserver.retention import EventLeases
from orchestrator.apiserver.special.allocator import Allocator
from orchestrator.apiserver.special.ranges import Ranges
from orchestrator.apiserver.standing import Standing
from orchestrator.apiserver.storage import Storage
from orchestrator.apiserver.tokens import Tokens
from orchestrator.client.protocol import Identity, Options, Request, Response, Verb

if TYPE_CHECKING:
    from orchestrator.apiserver.templates import Templates
    from orchestrator.apiserver.writer import Writer

_decode = msgspec.msgpack.Decoder().decode
_encode = msgspec.msgpack.Encoder().encode


MANAGERS = (
    ("system:node:", "kubelet"),
    ("system:serviceaccount:kube-system:", "kube-controller-manager"),
    ("system:kube-scheduler", "kube-scheduler"),
    ("system:admin", "podium"),
)
"""Owners of fields, by how the user begins."""
_VERSION_BITS = 4 << 76 | 2 << 62
_RANDOM_BITS = ~(0xF << 76 | 3 << 62)
"""Of a version 4 UUID."""


@dataclass(slots=True)
class Environment:
    """What the server lends to its handlers."""

    config: ServerConfig
    schema: Catalog
    storage: Storage
    mirror: Mirror
    rbac: Rbac
    clock: Clock
    random: random.Random
    log: Any
    context: Context
    allocator: Allocator
    templates: Templates
    ranges: Ranges
    events: EventLeases
    standing: Standing
    nodes: Callable[[str], Ref[Any]] | None = None
    tokens: Tokens | None = None
    measure: Measure | None = None
    writer: Writer = field(init=False)
    """Set by the server, which makes it of this."""

    def uid(self) -> str:
        """A version 4 UUID from the injected randomness."""
        text = (self.random.getrandbits(128) & _RANDOM_BITS | _VERSION_BITS).to_bytes(16, "big").hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Call:
    """A request with the facts of its resource. ``warnings`` and ``now`` belong to this request alone."""

    __slots__ = (
        "identity",
        "name",
        "namespace",
        "now",
        "options",
        "request",
        "resource",
        "served",
        "subresource",
        "subscriber",
        "tag",
        "verb",
        "warnings",
    )

    def __init__(
        self,
        identity: Identity,
        request: Request,
        resource: Resource,
        now: float,
        subscriber: Ref[Any] | None = None,
        tag: str = "",
    ) -> None:
        self.identity = identity
        self.request = request
        self.resource = resource
        """As it is stored, once a writer works on it."""
        self.now = now
        self.subscriber = subscriber
        self.tag = tag
        self.warnings: list[str] = []
        self.served: Resource | None = None
        """What was asked for, where it is stored in another form."""
        self.verb: Verb = request.verb
        self.options: Options = request.options
        target = request.target
        self.namespace = target.namespace
        self.name = target.name
        self.subresource = target.subresource

    def about(self, resource: Resource, request: Request, served: Resource | None) -> Call:
        """The same call about another resource. Its warnings are the same list."""
        call = Call(self.identity, request, resource, self.now, self.subscriber, self.tag)
        call.warnings, call.served = self.warnings, served
        return call

    def with_options(self, options: Options) -> None:
        """The body of the request says more than its query."""
        self.request = msgspec.structs.replace(self.request, options=options)
        self.options = options

    @property
    def below(self) -> Subresource | None:
        return self.resource.subresources.get(self.subresource)

    @property
    def key(self) -> str:
        return object_key(self.resource.group, self.resource.plural, self.namespace, self.name)

    @property
    def prefix(self) -> str:
        return list_prefix(self.resource.group, self.resource.plural, self.namespace)

    @property
    def manager(self) -> str:
        """Who owns the fields that this call changes."""
        return self.options.field_manager or manager_of(self.identity.user)

    def body(self) -> Any:
        """The decoded body, a private copy; None when there is none."""
        return _decode(self.request.body) if self.request.body else None

    def not_found(self, name: str = "") -> errors.StatusError:
        return errors.not_found(self.resource.group, self.resource.plural, name or self.name)

    def conflict(self, name: str = "") -> errors.StatusError:
        return errors.conflict(self.resource.group, self.resource.plural, name or self.name)

    def forbidden(self, why: str, name: str = "") -> errors.StatusError:
        return errors.forbidden(self.resource.group, self.resource.plural, name or self.name, why)


def manager_of(user: str) -> str:
    """Who writes, when neither the request nor a user agent says: a component of the process, by its user.

    The names are upstream's, whose programs these users are: tools go by them (``managedFieldsManagers``)."""
    return next((name for prefix, name in MANAGERS if user.startswith(prefix)), "unknown")


def failure(error: errors.StatusError, warnings: list[str] | None = None) -> Response:
    """The answer that a refusal becomes."""
    return Response(error.code, body=_encode(error.status), warnings=tuple(warnings or ()))


def answer(obj: Object, code: int = 200, warnings: list[str] | None = None) -> Response:
    """An answer that is no stored object."""
    return Response(code, body=_encode(obj), warnings=tuple(warnings or ()))


def stored(encoded: Encoded, code: int = 200, warnings: list[str] | None = None) -> Response:
    return Response(code, encoded.revision, encoded, warnings=tuple(warnings or ()))
