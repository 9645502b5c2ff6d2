"""What one says to the API server by mailbox: the same requests as over HTTPS, encoded objects in place of JSON.

A request goes through the same authorization, admission and validation whichever door it came by. Watches are granted
by the API server and served by the store: the subscriber gets ``orchestrator.store.protocol.Changes`` frames.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from actors import Ask, Ref
from orchestrator.apimachinery.encoded import Encoded

MAX_BATCH_REQUESTS = 512
"""Requests in one ``BatchRequest``; a caller with more cuts them."""


class Verb(StrEnum):
    GET = "get"
    LIST = "list"
    WATCH = "watch"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    DELETECOLLECTION = "deletecollection"


class PatchType(StrEnum):
    """The media type of a patch body, without ``application/``."""

    JSON = "json-patch+json"
    MERGE = "merge-patch+json"
    STRATEGIC = "strategic-merge-patch+json"
    APPLY = "apply-patch+yaml"


class Want(StrEnum):
    """How much of the written object the caller wants back: a batch of creates rarely reads its answers."""

    OBJECT = "object"
    REVISION = "revision"


class Target(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a request is about: ``resource`` is the lower-case plural, ``group`` "" for core."""

    group: str
    version: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class Options(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The query parameters of the Kubernetes API that apply to the verb; empty is absent."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    send_initial_events: bool = False
    allow_bookmarks: bool = False
    timeout_seconds: int = 0
    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = ""
    force: bool = False
    grace_period_seconds: int | None = None
    propagation_policy: str = ""
    precondition_uid: str = ""
    precondition_resource_version: str = ""


class Identity(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who asks. In the daemon's process the composition root hands it out with the ref of the API server."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, list[str]] = {}


class Cause(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one write of a component answers to: the object it looked at, and that object's revision."""

    key: str
    revision: int


class Request(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One API request. ``body`` is MessagePack: the object, the patch, DeleteOptions or the subresource's body."""

    verb: Verb
    target: Target
    body: bytes = b""
    patch_type: PatchType | None = None
    options: Options = Options()
    want: Want = Want.OBJECT
    problems: tuple[str, ...] = ()
    """Strict errors that only the body's text shows (duplicate fields), found where it was parsed."""
    cause: Cause | None = None
    """Where the writes of one batch have causes of their own; without it the trace of the frame counts."""


class Response(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The answer. ``code`` is the HTTP code.

    Below 400 one of ``object``, ``items`` or ``body`` is filled; from 400 on ``body`` is a ``Status``.
    """

    code: int
    revision: int = 0
    object: Encoded | None = None
    items: list[Encoded] | None = None
    continue_token: str = ""
    remaining: int | None = None
    body: bytes = b""
    """MessagePack of whatever is no stored object: a ``Status``, a Scale, a review, a TokenRequest."""
    watch: int = 0
    """The id of a granted watch (``Changes.watch``)."""
    warnings: tuple[str, ...] = ()


class ApiRequest(Ask[Response]):
    identity: Identity
    request: Request
    subscriber: Ref[Any] | None = None
    """Who gets the ``Changes`` of a watch."""
    tag: str = ""


class BatchReply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    responses: list[Response]


class BatchRequest(Ask[BatchReply]):
    """Many independent writes, in order, as one proposal to the store; each is admitted and answered alone."""

    identity: Identity
    requests: list[Request]


class Batch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one of many asks, as in its own ``BatchRequest``."""

    identity: Identity
    requests: list[Request]


class BatchesReply(msgspec.Struct, frozen=True, array_like=True, gc=False):
    replies: list[list[Response]]


class BatchesRequest(Ask[BatchesReply]):
    """The batches of many clients of one process, at most ``MAX_BATCH_REQUESTS`` requests in all, on one seat. Each is
    authorized and answered as if it had come alone; the reply waits for the last of them."""

    batches: list[Batch]
