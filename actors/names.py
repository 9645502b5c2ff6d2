"""Registered names: each belongs to one actor, across its restarts, until that ends for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.errors import Down, NameTaken
from actors.exit import MISSING
from actors.ref import Ref

if TYPE_CHECKING:
    from actors.system import System


class Names:
    """The names of one system. An actor may have many, a name has one actor."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._refs: dict[str, Ref[Any]] = {}
        self._of: dict[Ref[Any], dict[str, None]] = {}

    def register(self, name: str, ref: Ref[Any]) -> None:
        """Raises ``NameTaken`` while another actor has the name, ``Down`` when there is no actor at ``ref``."""
        holder = self._refs.get(name)
        if holder is not None and holder != ref:
            raise NameTaken(name)
        if ref.node == self._system.name:
            cell = self._system.cells.get(ref.path)
            if cell is None or cell.closed:
                raise Down(ref, MISSING)
            ref = cell.ref
        self._refs[name] = ref
        self._of.setdefault(ref, {})[name] = None
        ref.watch(self)
        if name not in self._refs:
            raise Down(ref, MISSING, "it was gone at once")

    def unregister(self, name: str) -> bool:
        """Take ``name`` away. False when nobody has it."""
        ref = self._refs.pop(name, None)
        if ref is None:
            return False
        names = self._of[ref]
        del names[name]
        if not names:
            del self._of[ref]
        return True

    def find(self, name: str) -> Ref[Any] | None:
        """Who has ``name``, None when nobody does."""
        return self._refs.get(name)

    def of(self, ref: Ref[Any]) -> tuple[str, ...]:
        """The names of one actor, in the order in which it got them."""
        return tuple(self._of.get(ref, ()))

    def all(self) -> dict[str, Ref[Any]]:
        """Each name with who has it."""
        return dict(self._refs)

    def hear(self, down: Down) -> None:
        """An instance has ended: its successor keeps the names, and is watched anew."""
        if down.restarting:
            down.ref.watch(self)
            return
        for name in self._of.pop(down.ref, ()):
            del self._refs[name]
