"""The store as the handlers see it: reads and writes whose refusals are ``Status`` errors."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

from actors import AskTimeout, Down, MailboxFull, Ref, Refused
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Encoded
from orchestrator.store.protocol import (
    MAX_BATCH_OPS,
    Batch,
    Change,
    Get,
    GetReply,
    LeaseGrant,
    LeaseKeepAlive,
    LeaseRevoke,
    Range,
    RangeReply,
    Result,
    Txn,
    Value,
    Watch,
    WatchReply,
)

STORE_SECONDS = 30.0
"""How long a request waits for the store before it answers with a timeout."""

NO_LEASE = "lease"
"""The code of a refusal: it ended or was revoked."""

R = TypeVar("R")

COMPACTED = "The resourceVersion for the provided watch is too old."
INEXACT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter."
)


class Storage:
    """Asks of the store actor."""

    def __init__(self, store: Ref[Any]) -> None:
        self._store = store

    async def get(self, keys: Sequence[str], revision: int = 0) -> GetReply:
        return await self._ask(self._store.ask(Get(list(keys), revision), STORE_SECONDS))

    async def range(
        self,
        prefix: str,
        *,
        after: str = "",
        limit: int = 0,
        revision: int = 0,
        fields: Mapping[str, str] | None = None,
        count_only: bool = False,
    ) -> RangeReply:
        asked = Range(prefix, after, limit, revision, dict(fields or {}), count_only)
        return await self._ask(self._store.ask(asked, STORE_SECONDS))

    async def commit(self, changes: Sequence[Change]) -> list[Result]:
        """What became of each change, in order."""
        results: list[Result] = []
        for start in range(0, len(changes), MAX_BATCH_OPS):
            part = list(changes[start : start + MAX_BATCH_OPS])
            reply = await self._ask(self._store.ask(Batch(part), STORE_SECONDS))
            results.extend(reply.results)
        return results

    async def together(self, changes: Sequence[Change]) -> list[Result]:
        """All of them at one revision, or none: then some are refused, and the others bear no revision."""
        return (await self._ask(self._store.ask(Txn([], list(changes)), STORE_SECONDS))).results

    async def grant(self, ttl_seconds: float) -> int:
        """A new lease."""
        return (await self._ask(self._store.ask(LeaseGrant(ttl_seconds), STORE_SECONDS))).lease

    async def keep_alive(self, lease: int) -> bool:
        """Whether it is still there."""
        return await self._ask(self._kept_alive(lease))

    async def _kept_alive(self, lease: int) -> bool:
        try:
            await self._store.ask(LeaseKeepAlive(lease), STORE_SECONDS)
        except Refused as refused:
            if refused.code != NO_LEASE:
                raise
            return False
        return True

    async def revoke(self, lease: int) -> None:
        await self._ask(self._store.ask(LeaseRevoke(lease), STORE_SECONDS))

    async def watch(self, watch: Watch) -> WatchReply:
        return await self._ask(self._store.ask(watch, STORE_SECONDS))

    async def tell(self, message: Any) -> None:
        await self._store.tell(message)

    async def _ask(self, asked: Awaitable[R]) -> R:
        try:
            return await asked
        except Refused as refused:
            raise refusal(refused) from refused
        except AskTimeout as late:
            raise errors.timeout("request did not complete within the allotted timeout") from late
        except (Down, MailboxFull) as gone:
            raise errors.service_unavailable(f"the store does not answer: {gone}") from gone


def refusal(refused: Refused) -> errors.StatusError:
    """The ``Status`` for what the store says no to."""
    if refused.code == "compacted":
        return errors.expired(COMPACTED)
    if refused.code == "future":
        asked, current = revisions_of(refused)
        return errors.too_large_resource_version(asked, current)
    return errors.service_unavailable(f"the store refused: {refused.message}")


def revisions_of(refused: Refused) -> tuple[int, int]:
    """The revision asked for and the one that stands, where the store tells them."""
    detail = refused.detail
    if isinstance(detail, Mapping):
        return int(detail.get("asked", 0)), int(detail.get("current", 0))
    if isinstance(detail, (list, tuple)) and len(detail) == 2:
        return int(detail[0]), int(detail[1])
    return 0, 0


def encoded_of(value: Value) -> Encoded:
    """The object of a stored value."""
    metadata, status, rest = value.parts
    return Encoded(metadata, status, rest, value.mod_revision)
