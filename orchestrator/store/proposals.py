"""From what is asked to what is proposed: the checks that need no state, and the command."""

from __future__ import annotations

from actors import Refused
from orchestrator.store import commands
from orchestrator.store.commands import Command, CompactTo, Grant, Revoke, Transact, Write
from orchestrator.store.compare import comparable
from orchestrator.store.protocol import (
    MAX_BATCH_OPS,
    MAX_TXN_OPS,
    Batch,
    Change,
    Compact,
    LeaseGrant,
    LeaseRevoke,
    SetQuota,
    Txn,
)

MAX_KEY_BYTES = 1024
"""Kubernetes' longest names (253 each for group, namespace and name) fit."""
MAX_PARTS = 16
MAX_TTL_SECONDS = 9_000_000_000.0
"""etcd's bound."""

Proposal = Batch | Txn | Compact | LeaseGrant | LeaseRevoke | SetQuota


def to_command(proposal: Proposal, at: int) -> Command:
    """Raises ``Refused`` with code "invalid" for what can never be done."""
    match proposal:
        case Batch(changes=changes):
            _bound("changes of a batch", len(changes), MAX_BATCH_OPS)
            for change in changes:
                _check(change)
            return Write(at, changes, proposal.request_id)
        case Txn():
            return _transact(proposal, at)
        case Compact(revision=revision):
            return CompactTo(at, revision)
        case LeaseGrant(ttl_seconds=ttl):
            if not 0 < ttl <= MAX_TTL_SECONDS:
                raise Refused(
                    "invalid", f"ttl_seconds is {ttl}: more than 0 and at most {MAX_TTL_SECONDS:.0f} is expected"
                )
            return Grant(at, max(1, round(ttl * 1000)), proposal.lease)
        case LeaseRevoke(lease=lease):
            return Revoke(at, lease)
        case SetQuota(quota_bytes=quota):
            if quota < 0:
                raise Refused("invalid", f"quota_bytes is {quota}: 0 (no bound) or more is expected")
            return commands.SetQuota(at, quota)


def _transact(txn: Txn, at: int) -> Transact:
    for what, changes in (("success", txn.success), ("failure", txn.failure)):
        _bound(f"operations of {what}", len(changes), MAX_TXN_OPS)
        for change in changes:
            _check(change)
        if len({change.key for change in changes}) < len(changes):
            raise Refused("invalid", f"{what} changes a key twice: one revision holds one change of a key")
    _bound("compares", len(txn.compares), MAX_TXN_OPS)
    for compare in txn.compares:
        if not comparable(compare):
            raise Refused(
                "invalid", f"compare of {compare.key}: {compare.operand!r} is no operand for {compare.target.name}"
            )
    return Transact(at, txn.compares, txn.success, txn.failure, txn.request_id)


def _check(change: Change) -> None:
    if not change.key:
        raise Refused("invalid", "a change without a key")
    if len(change.key) > MAX_KEY_BYTES:
        raise Refused(
            "invalid", f"a key of {len(change.key)} letters, at most {MAX_KEY_BYTES} may be: {change.key[:64]}..."
        )
    if change.parts is not None and not 0 < len(change.parts) <= MAX_PARTS:
        raise Refused("invalid", f"{change.key}: {len(change.parts)} parts, 1 to {MAX_PARTS} are expected")


def _bound(what: str, found: int, limit: int) -> None:
    if found > limit:
        raise Refused("invalid", f"{found} {what}, at most {limit} may be: cut them into several")
