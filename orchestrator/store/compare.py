"""The conditions of a transaction."""

from __future__ import annotations

from orchestrator.store.protocol import Compare, Relation, Target, Value


def holds(compare: Compare, value: Value | None, revision: int) -> bool:
    """Whether ``compare`` is true of ``value`` (None: the key is not there) in a store at ``revision``."""
    found: int | bytes
    if compare.target is Target.REVISION:
        found = revision
    elif compare.target is Target.VALUE:
        found = b"".join(value.parts) if value is not None else b""
    elif value is None:
        found = 0
    elif compare.target is Target.MOD_REVISION:
        found = value.mod_revision
    elif compare.target is Target.CREATE_REVISION:
        found = value.create_revision
    elif compare.target is Target.VERSION:
        found = value.version
    else:
        found = value.lease
    return _stands(compare.relation, found, compare.operand)


def comparable(compare: Compare) -> bool:
    """Whether the operand is of the target's type: bytes for VALUE, an integer for the others."""
    return isinstance(compare.operand, bytes) == (compare.target is Target.VALUE)


def _stands(relation: Relation, found: int | bytes, operand: int | bytes) -> bool:
    if relation is Relation.EQUAL:
        return found == operand
    if relation is Relation.NOT_EQUAL:
        return found != operand
    if isinstance(found, bytes) != isinstance(operand, bytes):
        return False
    greater: bool = found > operand  # type: ignore[operator]
    return greater if relation is Relation.GREATER else not greater and found != operand
