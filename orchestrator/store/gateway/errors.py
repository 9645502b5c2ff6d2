"""Refusals as etcd words them, with gRPC's code and the HTTP status that its gateway gives."""

from __future__ import annotations

from actors import AskTimeout, Down, MailboxFull, Refused

INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, FAILED_PRECONDITION = 3, 5, 8, 9
OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 11, 12, 13, 14
HTTP_STATUS = {
    INVALID_ARGUMENT: 400,
    NOT_FOUND: 404,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 412,
    OUT_OF_RANGE: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
}


class GatewayError(Exception):
    """What the client is told: ``code`` is gRPC's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


KEY_MISSING = "etcdserver: key is not provided"
DUPLICATE_KEY = "etcdserver: duplicate key given in txn request"
TOO_MANY_OPERATIONS = "etcdserver: too many operations in txn request"
VALUE_PROVIDED = "etcdserver: value is provided"
LEASE_PROVIDED = "etcdserver: lease is provided"
KEY_NOT_FOUND = "etcdserver: key not found"
NO_LEASE = "etcdserver: requested lease not found"
LEASE_EXISTS = "etcdserver: lease already exists"
COMPACTED = "etcdserver: mvcc: required revision has been compacted"
FUTURE = "etcdserver: mvcc: required revision is a future revision"
NO_SPACE = "etcdserver: mvcc: database space exceeded"
NO_LEADER = "etcdserver: no leader"
LEADER_LOST = "etcdserver: request timed out, possibly due to previous leader failure"
BUSY = "etcdserver: too many requests"

_REFUSED = {
    "compacted": (OUT_OF_RANGE, COMPACTED),
    "future": (OUT_OF_RANGE, FUTURE),
    "lease": (NOT_FOUND, NO_LEASE),
    "lease exists": (FAILED_PRECONDITION, LEASE_EXISTS),
    "unavailable": (UNAVAILABLE, NO_LEADER),
    "unknown": (UNAVAILABLE, LEADER_LOST),
    "busy": (RESOURCE_EXHAUSTED, BUSY),
}


def translate(error: BaseException) -> GatewayError:
    """What came of a question to the store, as etcd would say it."""
    match error:
        case GatewayError():
            return error
        case Refused(code=code) if code in _REFUSED:
            return GatewayError(*_REFUSED[code])
        case Refused():
            return GatewayError(INVALID_ARGUMENT, f"etcdserver: {error.message}")
        case AskTimeout():
            return GatewayError(UNAVAILABLE, "etcdserver: request timed out")
        case Down() | MailboxFull():
            return GatewayError(UNAVAILABLE, "etcdserver: server stopped")
        case _:
            return GatewayError(INTERNAL, f"{type(error).__name__}: {error}")
