"""Faults as messages: each goes through the mailbox of one actor, so each stands in the trace at its moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, assert_never

from actors import Actor, Ask, Tell


class Kill(Ask[bool]):
    """End the actor at ``path`` as a crash would; its supervisor acts. False: none runs there now."""

    path: str


class Falter(Ask[bool]):
    """As ``Kill``, and the next ``times`` starts of an informer or a kubelet at ``path`` fail."""

    path: str
    times: int = 1


class PowerOff(Ask[bool]):
    """The machine ``node`` is gone, and what ran on it."""

    node: str


class PowerOn(Ask[bool]):
    """The machine ``node`` is back; its containers are not."""

    node: str


class Partition(Ask[bool]):
    """``nodes`` and the API server do not reach each other; what runs there goes on."""

    nodes: tuple[str, ...]


class Drop(Ask[bool]):
    """This share (0 to 1) of the requests of whoever matches ``who`` is lost, or its answer is."""

    share: float
    who: str = "*"


class Late(Ask[bool]):
    """This share of the requests of whoever matches ``who`` gets no answer, and arrives up to ``seconds`` later."""

    share: float
    seconds: float
    who: str = "*"


class Delay(Ask[bool]):
    """Requests of whoever matches ``who``, and their answers, take up to ``seconds`` longer."""

    seconds: float
    who: str = "*"


class SlowDisk(Ask[bool]):
    """Every append to the log takes up to ``seconds``."""

    seconds: float


class FailPull(Ask[bool]):
    """The registry does not have what fits the shell pattern ``image`` ("": it has everything again)."""

    image: str
    message: str


class ClockSkew(Ask[bool]):
    """The clock of ``node`` is ahead by ``seconds`` (behind when negative)."""

    node: str
    seconds: float


class Lag(Ask[bool]):
    """What watches tell is up to ``seconds`` late, in its order: to the caches of kinds that match ``kind``
    (``pods``), and to kubelets (``node-1/pods``)."""

    seconds: float
    kind: str = "*"


class CutWatches(Ask[bool]):
    """Watches of resources that match ``resource`` by users that match ``who`` end; ``silent``: as a connection whose
    other end is gone."""

    resource: str = "*"
    silent: bool = False
    who: str = "*"


class Compact(Ask[bool]):
    """The history is gone up to now: who watches from before has to list again."""


class Ambush(Ask[bool]):
    """The actor at ``path``, which asks as ``user``, is killed when its next write is done, before it hears so."""

    path: str
    user: str


class Heal(Ask[bool]):
    """No more faults: links, disk, clocks and registry are well; machines that are off stay off."""


Fault = (
    Kill
    | Falter
    | PowerOff
    | PowerOn
    | Partition
    | Drop
    | Late
    | Delay
    | Lag
    | CutWatches
    | Compact
    | Ambush
    | SlowDisk
    | FailPull
    | ClockSkew
    | Heal
)


class Lost(Tell):
    """For the trace: a request of ``who`` did not arrive, or was done and its answer did not arrive (``answer``)."""

    who: str
    verb: str
    target: str
    answer: bool


class FaultActor(Actor):
    """Carries faults out by ``perform``, one at a time."""

    def __init__(self, perform: Callable[[Fault], bool | Awaitable[bool]]) -> None:
        self._perform = perform

    async def receive(self, message: Any) -> bool | None:
        if isinstance(message, Lost):
            return None
        done = self._perform(message)
        return done if isinstance(done, bool) else await done


def describe(fault: Fault) -> str:
    """A line for a person: ``power off node-1``."""
    match fault:
        case Kill(path=path):
            return f"kill {path}"
        case Falter(path=path, times=times):
            return f"kill {path}, whose next {times} starts fail"
        case PowerOff(node=node):
            return f"power off {node}"
        case PowerOn(node=node):
            return f"power on {node}"
        case Partition(nodes=nodes):
            return f"partition {', '.join(nodes)}"
        case Drop(share=share, who=who):
            return f"drop {share:.0%} of the requests of {who}"
        case Late(share=share, seconds=seconds, who=who):
            return f"{share:.0%} of the requests of {who} arrive up to {seconds:g} s after they were given up"
        case Lag(seconds=seconds, kind=kind):
            return f"the caches of {kind} are up to {seconds:g} s late"
        case CutWatches(resource=resource, silent=silent, who=who):
            return f"the watches of {resource} by {who} end{' silently' if silent else ''}"
        case Compact():
            return "compact the history"
        case Ambush(path=path):
            return f"kill {path} when its next write is done"
        case Delay(seconds=seconds, who=who):
            return f"delay the requests of {who} by up to {seconds:g} s"
        case SlowDisk(seconds=seconds):
            return f"slow disk: up to {seconds:g} s an append"
        case FailPull(image=image):
            return f"pulls of {image} fail"
        case ClockSkew(node=node, seconds=seconds):
            return f"the clock of {node} is off by {seconds:g} s"
        case Heal():
            return "heal"
        case _:
            assert_never(fault)
