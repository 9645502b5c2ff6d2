"""What to change so that the portals that are become those that shall be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.proxy.portals import Front, Portal


@dataclass(frozen=True, slots=True)
class Plan:
    """``close`` comes first: a front may change hands. ``update`` changes endpoints and leaves connections alone."""

    close: tuple[Front, ...] = ()
    open: tuple[Portal, ...] = ()
    update: tuple[Portal, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.close or self.open or self.update)


def plan(desired: Mapping[Front, Portal], observed: Mapping[Front, Portal]) -> Plan:
    """Pure; in the order of the fronts, so that the same difference always gives the same plan."""
    return Plan(
        close=tuple(front for front in sorted(observed) if front not in desired),
        open=tuple(desired[front] for front in sorted(desired) if front not in observed),
        update=tuple(desired[f] for f in sorted(desired) if f in observed and desired[f] != observed[f]),
    )
