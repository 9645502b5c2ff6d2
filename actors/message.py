"""Messages: typed records that are encoded by whoever sends them, and the table of their types by name."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, dataclass_transform, get_args, get_origin

import msgspec

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
M = TypeVar("M", covariant=True)

_types: dict[str, type[Message]] = {}
_tables: weakref.WeakSet[TypeTable] = weakref.WeakSet()


class TypeTable(Protocol):
    """Keeps what it compiled for message types."""

    def forget(self) -> None: ...


def type_name(cls: type) -> str:
    """The name that a message type has on the wire: module and qualified name."""
    return f"{cls.__module__}.{cls.__qualname__}"


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class MessageMeta(msgspec.StructMeta):
    """Makes each subclass a frozen ``msgspec.Struct`` without saying so."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> Any:
        options.setdefault("frozen", True)
        return super().__new__(mcls, name, bases, namespace, **options)


class Message(msgspec.Struct, metaclass=MessageMeta):
    """What actors send. Declare a ``Tell`` or an ``Ask``, with fields as in a dataclass."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = type_name(cls)
        again = name in _types
        _types[name] = cls
        if again:  # a module reloaded, a notebook cell run twice: the newest definition counts
            for table in list(_tables):
                table.forget()


class Tell(Message):
    """A message without a reply."""

    if TYPE_CHECKING:

        def _told(self) -> Self: ...


class Shared(Tell):
    """A ``Tell`` whose last field, a ``memoryview``, is large and goes to many.

    ``Ref.hand`` puts it into the mailbox with that field's bytes beside it, so that a thousand mailboxes hold them
    once; told, or sent to another system, it is in one piece as any other.
    """


class Ask(Message, Generic[R]):
    """A message whose reply is an ``R``: any type msgspec can encode, or None."""

    if TYPE_CHECKING:

        def _asked(self) -> tuple[Self, R]: ...


class Told(Protocol[M]):
    """For type checkers: a ``Tell`` that is one of the messages ``M``."""

    def _told(self) -> M: ...


class Asked(Protocol[M, R_co]):
    """For type checkers: an ``Ask`` that is one of the messages ``M``, with its reply."""

    def _asked(self) -> tuple[M, R_co]: ...


def find_type(name: str) -> type[Message] | None:
    """The newest message type of this name, None when its module is not loaded here."""
    return _types.get(name)


def watch_types(table: TypeTable) -> None:
    """Tell ``table``, while it lives, when a known name gets another type."""
    _tables.add(table)


def reply_type(cls: type[Message]) -> Any:
    """The ``R`` of an ``Ask[R]`` subclass (Any when it was left open)."""
    for base in cls.__mro__:
        for origin in base.__dict__.get("__orig_bases__", ()):
            if get_origin(origin) is Ask:
                (reply,) = get_args(origin)
                return Any if isinstance(reply, TypeVar) else reply
    return Any
