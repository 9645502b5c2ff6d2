"""Who holds how much memory: every object that an actor reaches, counted once.

An actor is followed through its fields, its mailbox, its tasks and whatever these refer to, up to other actors,
classes, modules and code. What several reach (a pod's bytes in the store, the API server and the caches are one
object) is counted for the first of them in the order of the tree: the store, the API server, the informers, then who
reads them. So the sum is what all hold together, and an actor's figure is what would go if it and those after it went.
A supervisor holds recipes, which lead everywhere: it is not looked at.

A size is ``sys.getsizeof``, rounded up to the sixteen bytes that the allocator deals in. What is missing to the
resident size is in nobody's hands: the interpreter, code, the libraries' own memory, free blocks of arenas.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import msgspec

from actors import Actor, Ref, System
from actors.cell import Cell
from actors.overseer import Overseer

ALIGNMENT_BYTES = 16
"""Of Python's allocator."""
_ATOMS = (int, float, str, bytes, bool, type(None))
_BORDERS = (type, ModuleType, CodeType, BuiltinFunctionType, System, Ref, Cell, Actor)
"""Belongs to all, or to another actor."""

FIRST = ("Store", "ApiServer", "Informer")
"""Whose objects the others only read; all else is in the order in which it was started."""

Held = dict[str, tuple[int, int]]
"""Bytes and objects by the class of actor."""


def census(system: System) -> Held:
    """What the actors of ``system`` hold now. It stops the process for about a microsecond an object."""
    gc.collect()
    seen: set[int] = {id(system.loop), id(system.cells)}
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for cell in sorted(system.cells.values(), key=_rank):
        if isinstance(cell.actor, Overseer):
            continue
        kind = type(cell.actor).__name__
        size, count = reach(roots(cell), seen)
        sizes[kind] += size
        counts[kind] += count
    return {kind: (size, counts[kind]) for kind, size in sizes.most_common()}


def _rank(cell: Cell) -> int:
    kind = type(cell.actor).__name__
    return FIRST.index(kind) if kind in FIRST else len(FIRST)


def roots(cell: Cell) -> Iterator[Any]:
    yield from _inside(cell.actor)
    for name in ("box", "timers", "links", "watchers", "tasks", "laters", "stash", "history"):
        yield getattr(cell, name)


def reach(roots: Iterable[Any], seen: set[int]) -> tuple[int, int]:
    """Bytes and number of the objects behind ``roots`` that are not in ``seen``, which takes them up."""
    size = count = 0
    waiting = list(roots)
    while waiting:
        held = waiting.pop()
        if id(held) in seen or isinstance(held, _BORDERS):
            continue
        seen.add(id(held))
        count += 1
        size += weight(held)
        if not isinstance(held, _ATOMS):
            waiting.extend(_inside(held))
    return size, count


def weight(held: Any) -> int:
    return -(-sys.getsizeof(held) // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def _inside(held: Any) -> Iterable[Any]:
    if isinstance(held, FunctionType):
        return held.__closure__ or ()
    if isinstance(held, msgspec.Struct):  # those without the collector's header do not say what they refer to
        return [getattr(held, name, None) for name in held.__struct_fields__]
    return gc.get_referents(held)
