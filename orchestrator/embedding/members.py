"""What makes an embedded cluster one of several control planes over one log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.embedding.disk import SimulatedDisk
from orchestrator.membership import Way


@dataclass(frozen=True)
class Seat:
    """The place of ``member`` (0: it is alone) among ``members``, by number and address; ``way`` leads to the others.

    ``disk`` is the log of an earlier life, for this one to go on with."""

    member: int = 0
    members: Mapping[int, str] = field(default_factory=dict)
    way: Way | None = None
    disk: SimulatedDisk | None = None
