"""The answers to proposals that may be retried: the same id again gets the same answer and changes nothing."""

from __future__ import annotations

from orchestrator.store.protocol import BatchReply, TxnReply

MAX_REMEMBERED = 4096
"""Answers kept. A client retries within seconds; the oldest is forgotten first."""


def forgotten(since: int, index: int) -> bool:
    """Whether a proposal that stands in no entry up to ``since`` might be applied a second time at ``index``.

    So many entries on, its answer may have been remembered and forgotten.
    """
    return index - since > MAX_REMEMBERED


class Requests:
    def __init__(self) -> None:
        self._replies: dict[str, BatchReply | TxnReply] = {}

    def get(self, request_id: str) -> BatchReply | TxnReply | None:
        return self._replies.get(request_id) if request_id else None

    def remember(self, request_id: str, reply: BatchReply | TxnReply) -> None:
        if not request_id:
            return
        if len(self._replies) >= MAX_REMEMBERED:
            del self._replies[next(iter(self._replies))]
        self._replies[request_id] = reply

    def restore(self, items: list[tuple[str, BatchReply | TxnReply]]) -> None:
        self._replies = dict(items)

    def items(self) -> list[tuple[str, BatchReply | TxnReply]]:
        return list(self._replies.items())
