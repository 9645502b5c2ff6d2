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
        self._of: dict[str, dict[str, None]] = {}  # the names of the actor at a path

    def register(self, name: str, ref: Ref[Any]) -> None:
        """Raises ``NameTaken`` while another actor has the name, ``Down`` when there is no actor at ``ref``."""
        holder = self._refs.get(name)
        if holder is not None and holder != ref:
            raise NameTaken(name)
        cell = self._system.cell_of(ref)
        if cell is None or cell.closed:
            raise Down(ref, MISSING)
        self._refs[name] = cell.ref
        self._of.setdefault(ref.path, {})[name] = None
        cell.watch(self)

    def unregister(self, name: str) -> bool:
        ref = self._refs.pop(name, None)
        if ref is None:
            return False
        names = self._of[ref.path]
        del names[name]
        if not names:
            del self._of[ref.path]
        return True

    def find(self, name: str) -> Ref[Any] | None:
        return self._refs.get(name)

    def of(self, ref: Ref[Any]) -> tuple[str, ...]:
        """The names of one actor, in the order in which it got them."""
        return tuple(self._of.get(ref.path, ()))

    def all(self) -> dict[str, Ref[Any]]:
        return dict(self._refs)

    def hear(self, down: Down) -> None:
        """An instance has ended: its successor keeps the names, and is watched anew."""
        path = down.ref.path
        cell = self._system.cells.get(path)
        if down.restarting and cell is not None:
            cell.watch(self)
            return
        for name in self._of.pop(path, ()):
            del self._refs[name]
