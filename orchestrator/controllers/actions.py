"""What a user's ``plan`` may answer: values that say what to do, performed by the controller in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.cache import Cache
from orchestrator.client.view import View


@dataclass(frozen=True)
class Apply:
    """Make ``object`` so by server-side apply; it becomes owned by what is reconciled unless ``owned`` is false."""

    object: Object
    owned: bool = True


@dataclass(frozen=True)
class Delete:
    """Remove an object that was observed."""

    view: View


@dataclass(frozen=True)
class SetStatus:
    """Write these fields into the status; what stands beside them stays."""

    status: Object


@dataclass(frozen=True)
class SetCondition:
    """Say in the status what holds; the time of its last change is kept. Lists of conditions have one of a type."""

    type: str
    holds: bool
    reason: str
    message: str = ""


@dataclass(frozen=True)
class Emit:
    """Say something to people, as an Event."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True)
class RequeueAt:
    """Plan again at this moment, whatever happens meanwhile."""

    moment: datetime


@dataclass(frozen=True)
class RequeueAfter:
    delay: timedelta


Action = Apply | Delete | SetStatus | SetCondition | Emit | RequeueAt | RequeueAfter


@dataclass(frozen=True)
class Observed:
    """The objects that the reconciled one owns: ``observed.secrets`` are all, ``observed.secret`` the first or None."""

    owner_uid: str
    caches: dict[str, Cache] = field(repr=False)

    def of(self, resource: str) -> Sequence[View]:
        return self.caches[resource].by_owner(self.owner_uid)

    def __getattr__(self, name: str) -> Sequence[View] | View | None:
        if name in self.caches:
            return self.of(name)
        plural = next((held for held in self.caches if held in (f"{name}s", f"{name}es", f"{name[:-1]}ies")), None)
        if plural is None:
            raise AttributeError(f"expected one of the owned resources {sorted(self.caches)}, found {name!r}")
        found = self.of(plural)
        return found[0] if found else None
