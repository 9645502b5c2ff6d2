"""Links: instances that end together. A link has no direction, and is gone when one of the two has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actors.exit import LINKED, Exit

if TYPE_CHECKING:
    from actors.cell import Cell


def link(one: Cell, other: Cell) -> None:
    """Linking twice is linking once; an actor is not linked to itself."""
    if one is other:
        return
    for cell, peer in ((one, other), (other, one)):
        if cell.links is None:
            cell.links = {}
        cell.links[peer] = None


def unlink(one: Cell, other: Cell) -> None:
    for cell, peer in ((one, other), (other, one)):
        if cell.links is not None:
            cell.links.pop(peer, None)


def part(cell: Cell, exit_: Exit) -> None:
    """The instance of ``cell`` ended: its links are gone, and an abnormal end takes the linked instances with it."""
    linked, cell.links = cell.links, None
    for peer in linked or ():
        if peer.links is not None:
            peer.links.pop(cell, None)
        if exit_.abnormal:
            peer.end(Exit(LINKED, f"it is linked to {cell.path}, which ended: {exit_.reason} {exit_.error}".rstrip()))
