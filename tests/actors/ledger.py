"""What a run of the exploration writes down, outside of the actors, and what must be true of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from actors.dead_letters import DeadLetter

UNDELIVERABLE = {
    ("Tick", "full"),  # a timer does not wait for room
    ("Receipt", "missing"),  # for a parcel that came twice
    ("Remark", "disconnected"),
    ("Question", "disconnected"),
}
"""The mail of this workload that may reach nobody."""


class Violation(AssertionError):
    """A promise of the library was broken in this run."""


@dataclass
class Ledger:
    """Facts of one run; an actor cannot fail a run by raising, so it writes its objections into ``objections``."""

    sent: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # by receiver and sender
    handled: list[tuple[str, int, int]] = field(default_factory=list)  # receiver, sender, number
    watches: Counter[str] = field(default_factory=Counter)  # by the path that is watched
    downs: Counter[str] = field(default_factory=Counter)
    starts: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    last_stops: list[str] = field(default_factory=list)  # in the order of the final stop
    answered: int = 0
    replies: int = 0
    pushed: list[int] = field(default_factory=list)
    streamed: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)  # over the lossy link
    remarks: list[int] = field(default_factory=list)  # what was heard from another node
    far_downs: int = 0
    late: int = 0
    undeliverable: list[str] = field(default_factory=list)
    stopping: bool = False
    objections: list[str] = field(default_factory=list)

    def objects(self, fine: bool, why: str) -> None:
        if not fine:
            self.objections.append(why)

    def took_dead_letter(self, letter: DeadLetter) -> None:
        kind = letter.header.type.rpartition(".")[2]
        if letter.reason == "late":
            self.late += 1
        elif letter.reason != "expired" and (kind, letter.reason) not in UNDELIVERABLE:
            self.undeliverable.append(f"{kind} to {letter.header.receiver}: {letter.reason}")


def check(ledger: Ledger, troupe: list[str]) -> None:
    """Raise ``Violation`` for the first promise that this run broke."""
    for objection in ledger.objections:
        raise Violation(objection)
    _check_mail(ledger)
    _expect(ledger.downs == ledger.watches, f"watches {dict(ledger.watches)} were told {dict(ledger.downs)} times")
    _expect(ledger.starts == ledger.stops, f"started {dict(ledger.starts)}, stopped {dict(ledger.stops)}")
    _expect(
        ledger.answered == ledger.replies + ledger.late,
        f"{ledger.answered} answers, {ledger.replies} reached their asker and {ledger.late} came too late",
    )
    _expect(not ledger.undeliverable, f"nothing should be undeliverable: {ledger.undeliverable}")
    _check_stop_order(ledger, troupe)


def _check_mail(ledger: Ledger) -> None:
    _expect(len(set(ledger.handled)) == len(ledger.handled), "a message was handled twice")
    got: dict[tuple[str, int], list[int]] = {}
    for receiver, sender, number in ledger.handled:
        got.setdefault((receiver, sender), []).append(number)
    for pair, numbers in ledger.sent.items():
        _expect(got.get(pair, []) == numbers, f"{pair} got {got.get(pair)} of {numbers}")
    _expect(ledger.streamed == ledger.pushed, f"the stream of {ledger.pushed} was handled as {ledger.streamed}")
    _expect(ledger.delivered == sorted(set(ledger.delivered)), f"the link delivered {ledger.delivered}")


def _check_stop_order(ledger: Ledger, troupe: list[str]) -> None:
    """The youngest first, children before their parent."""
    expected = [path for name in reversed(troupe) for path in (f"{name}/hand", name)]
    found = [path for path in ledger.last_stops if path in expected]
    _expect(found == expected, f"stopped in the order {found}, expected {expected}")


def _expect(fine: bool, why: str) -> None:
    if not fine:
        raise Violation(why)
