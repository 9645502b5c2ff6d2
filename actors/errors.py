"""What sending and starting can raise. Ours ("not now", "not there"), never a handler's own exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actors.ref import Ref


class ActorError(Exception):
    """Any error of the library."""


class Refused(ActorError):
    """The asked actor says no: raised in its handler, raised again in the asker; the actor lives on."""

    def __init__(self, code: str, message: str = "", detail: Any = None) -> None:
        super().__init__(code, message, detail)
        self.code = code
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class Down(ActorError):
    """An actor's instance has ended: raised in an asker who waits for it, received by an actor that watches it.

    ``reason`` is that of its ``Exit`` ("crashed", "normal", ...) or "missing" when there was nobody.
    ``restarting`` is true when its supervisor starts it again.
    """

    __match_args__ = ("ref", "reason")

    def __init__(self, ref: Ref[Any], reason: str, message: str = "", restarting: bool = False) -> None:
        super().__init__(ref, reason, message, restarting)
        self.ref = ref
        self.reason = reason
        self.message = message
        self.restarting = restarting

    def __str__(self) -> str:
        return f"{self.ref.path} is down: {self.reason}" + (f" ({self.message})" if self.message else "")


class AskTimeout(ActorError, TimeoutError):
    """No reply before the deadline. A later one reaches nobody."""

    def __init__(self, path: str, message: str, seconds: float) -> None:
        super().__init__(path, message, seconds)
        self.path = path
        self.message = message
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.path} did not answer {self.message} within {self.seconds:g} s"


class AskCycle(ActorError):
    """The asked actor waits, itself or through others, for the asker. ``paths`` is the circle."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(paths)
        self.paths = paths

    def __str__(self) -> str:
        return "actors would wait for each other: " + " -> ".join(self.paths)


class MailboxFull(ActorError):
    """The mailbox is at its capacity and its policy takes no more."""

    def __init__(self, path: str, capacity: int) -> None:
        super().__init__(path, capacity)
        self.path = path
        self.capacity = capacity

    def __str__(self) -> str:
        return f"the mailbox of {self.path} is full ({self.capacity} messages)"


class Unpackable(ActorError, TypeError):
    """A message cannot be encoded: raised in the sender. ``field`` is the one to blame ("" when it is the whole)."""

    def __init__(self, message: str, field: str, cause: str) -> None:
        super().__init__(message, field, cause)
        self.message = message
        self.field = field
        self.cause = cause

    def __str__(self) -> str:
        where = f"{self.message}.{self.field}" if self.field else self.message
        return f"{where} cannot be packed: {self.cause}"


class StartFailed(ActorError):
    """An actor's constructor or ``start`` raised (the cause is chained), so there is no such actor."""

    def __init__(self, path: str, error: str) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error

    def __str__(self) -> str:
        return f"{self.path} did not start: {self.error}"


class Escalated(ActorError):
    """A child was given up (too many restarts) and its parent did not handle that: the parent crashes."""

    def __init__(self, path: str, error: str) -> None:
        super().__init__(path, error)
        self.path = path
        self.error = error

    def __str__(self) -> str:
        return f"{self.path} was given up: {self.error}"


class NameTaken(ActorError):
    """There is an actor of this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the name {self.name!r} is taken"


class StashFull(ActorError):
    """The stash is at its bound: the message was not stashed."""

    def __init__(self, path: str, capacity: int) -> None:
        super().__init__(path, capacity)
        self.path = path
        self.capacity = capacity

    def __str__(self) -> str:
        return f"the stash of {self.path} is full ({self.capacity} messages)"


class SystemClosed(ActorError):
    """The system is not running: nothing can be spawned or asked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the system {self.name!r} is not running"
