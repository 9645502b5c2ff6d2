"""Process groups: names for many actors. A member is an instance; it leaves when it ends and its successor joins anew.

Membership changes at once, in the call or with the end of the instance, so whoever reads ``members`` next never sees
one that is over. A monitor is told by signals that carry the net change since the last one: however fast the
membership changes, one signal for each group waits, and applying them to what ``monitor`` returned gives the members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.cell import Cell, State
from actors.errors import Down
from actors.exit import MISSING
from actors.message import Tell
from actors.ref import Ref

if TYPE_CHECKING:
    from actors.system import System


class GroupChanged(Tell):
    """The members of ``group`` are not those of the last message. One that left and came back is in both lists."""

    group: str
    left: tuple[Ref[Any], ...]
    joined: tuple[Ref[Any], ...]


class Groups:
    """The groups of one system. A group exists while it has members or monitors."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._members: dict[str, dict[Ref[Any], None]] = {}  # by group, in the order of joining
        self._of: dict[Ref[Any], dict[str, None]] = {}  # the groups of an instance
        self._monitors: dict[str, dict[Ref[Any], _Monitor]] = {}

    def join(self, group: str, ref: Ref[Any]) -> None:
        """Make the instance at ``ref`` a member (once, however often). Raises ``Down`` when none is running there.

        An instance on another node is a member until it ends or the connection is lost.
        """
        if ref.node == self._system.name:
            cell = self._system.cells.get(ref.path)
            if cell is None or cell.state not in (State.STARTING, State.RUNNING):
                raise Down(ref, MISSING)
            ref = cell.ref
        members = self._members.setdefault(group, {})
        if ref in members:
            return
        members[ref] = None
        self._of.setdefault(ref, {})[group] = None
        for monitor in self._monitors.get(group, {}).values():
            monitor.joined(ref)
        ref.watch(self)
        if ref not in members:
            raise Down(ref, MISSING, "it was gone at once")

    def leave(self, group: str, ref: Ref[Any]) -> None:
        """End a membership; nothing happens when there is none."""
        groups = self._of.get(ref, {})
        if group in groups:
            del groups[group]
            if not groups:
                del self._of[ref]
            self._remove(group, ref)

    def members(self, group: str) -> tuple[Ref[Any], ...]:
        """Who is in it now, in the order of joining."""
        return tuple(self._members.get(group, ()))

    def names(self) -> tuple[str, ...]:
        """The groups that have members."""
        return tuple(self._members)

    def of(self, ref: Ref[Any]) -> tuple[str, ...]:
        """The groups of one instance, in the order in which it joined."""
        return tuple(self._of.get(ref, ()))

    def monitor(self, group: str, cell: Cell) -> tuple[Ref[Any], ...]:
        """Tell ``cell`` of each later change, until its instance ends. Returns the members now."""
        self._monitors.setdefault(group, {})[cell.ref] = _Monitor(group, cell)
        cell.watch(self)
        return self.members(group)

    def demonitor(self, group: str, ref: Ref[Any]) -> None:
        """Tell the actor at ``ref`` no more."""
        monitors = self._monitors.get(group, {})
        monitor = monitors.pop(ref, None)
        if monitor is not None:
            monitor.closed = True
            if not monitors:
                del self._monitors[group]

    def forget(self, ref: Ref[Any]) -> None:
        """The instance at ``ref`` is over, or about to be: it is in no group any more."""
        for group in self._of.pop(ref, ()):
            self._remove(group, ref)

    def hear(self, down: Down) -> None:
        """An instance has ended: it is no member and no monitor any more."""
        ref = down.ref
        self.forget(ref)
        for group in [group for group, monitors in self._monitors.items() if ref in monitors]:
            self.demonitor(group, ref)

    def _remove(self, group: str, ref: Ref[Any]) -> None:
        members = self._members[group]
        del members[ref]
        if not members:
            del self._members[group]
        for monitor in self._monitors.get(group, {}).values():
            monitor.left(ref)


class _Monitor:
    """What one actor has yet to be told of one group: the net change, and whether a signal is under way."""

    __slots__ = ("_cell", "_group", "_joined", "_left", "_signalled", "closed")

    def __init__(self, group: str, cell: Cell) -> None:
        self._group = group
        self._cell = cell
        self._joined: dict[Ref[Any], None] = {}
        self._left: dict[Ref[Any], None] = {}
        self._signalled = False
        self.closed = False

    def joined(self, ref: Ref[Any]) -> None:
        self._joined[ref] = None
        self._signal()

    def left(self, ref: Ref[Any]) -> None:
        if ref in self._joined:
            del self._joined[ref]  # it came and went untold
        else:
            self._left[ref] = None
            self._signal()

    def _signal(self) -> None:
        if not self._signalled:
            self._signalled = True
            self._cell.signal(self._tell)

    def _tell(self, cell: Cell) -> Any:
        self._signalled = False
        left, joined = _taken(self._left), _taken(self._joined)
        if self.closed or not (left or joined):
            return None
        return cell.receive(GroupChanged(self._group, left, joined))


def _taken(refs: dict[Ref[Any], None]) -> tuple[Ref[Any], ...]:
    taken = tuple(refs)
    refs.clear()
    return taken
