"""The class to subclass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.errors import Escalated
from actors.exit import INTENSITY, Exit

if TYPE_CHECKING:
    from actors.context import Context
    from actors.ref import Ref


class Actor:
    """An actor handles one message at a time. What it raises, except ``Refused``, ends the instance.

    ``context`` is there from ``start`` on, not yet in the constructor.
    """

    context: Context

    async def start(self) -> None:
        """Called once before the first message; mail waits meanwhile."""

    async def receive(self, message: Any) -> Any:
        """Handle one message; what is returned is the reply of an ``Ask``."""
        raise NotImplementedError(f"{type(self).__qualname__} takes no messages, got {type(message).__qualname__}")

    async def stop(self, exit: Exit) -> None:
        """Called once when the instance ends, after its tasks and children, for whatever reason."""

    async def on_child_exit(self, child: Ref[Any], exit: Exit) -> None:
        """A child ended for good and it was not ordered to. One that was given up takes its parent with it."""
        if exit.reason == INTENSITY:
            raise Escalated(child.path, exit.error)
