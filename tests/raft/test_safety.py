"""Random histories of a group: losses, reordering, crashes, cuts. After each step what must never happen is sought."""

from __future__ import annotations

import random

import pytest

from orchestrator.raft.core import NotLeader, Role
from tests.raft.group import Group

STEPS = 600


class Universe:
    """One seed's history of a group, and the checks."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        size = self.random.choice([1, 2, 3, 3, 3, 4, 5, 5])
        self.group = Group(size, lambda line: None, self.random.randrange, election_ticks=5)
        self.leaders: dict[int, int] = {}
        self.committed: list[tuple[int, bytes]] = []
        self.proposed = 0

    def step(self) -> None:
        group, draw = self.group, self.random
        chance = draw.random()
        up = sorted(group.members)
        if chance < 0.35 and up:
            group.perform(draw.choice(up))
        elif chance < 0.75 and group.mail:
            message = group.mail.pop(draw.randrange(len(group.mail)))
            if draw.random() > 0.08:
                group.deliver(message)
            if draw.random() < 0.05:
                group.mail.append(message)
        elif chance < 0.90 and up:
            group.members[draw.choice(up)].tick()
        elif chance < 0.96 and up:
            self.propose(draw.choice(up))
        elif chance < 0.97 and up:
            self.forget(draw.choice(up))
        elif chance < 0.98 and up:
            self.transfer(draw.choice(up), draw.choice(group.voters))
        else:
            self.disturb()

    def propose(self, member: int) -> None:
        self.proposed += 1
        try:
            self.group.members[member].propose([b"%d" % self.proposed])
        except NotLeader:
            pass

    def transfer(self, member: int, to: int) -> None:
        try:
            self.group.members[member].transfer(to)
        except NotLeader:
            pass

    def forget(self, member: int) -> None:
        """A snapshot at what is applied takes the place of the log before it."""
        raft, disk = self.group.members[member], self.group.disks[member]
        raft.log.forget(min(raft.log.applied, len(disk.applied)))
        disk.mark = raft.log.mark
        disk.entries = [entry for entry in disk.entries if entry.index > disk.mark.index]

    def disturb(self) -> None:
        group, member = self.group, self.random.choice(self.group.voters)
        what = self.random.choice(["crash", "cut", "heal", "heal"])
        if what == "crash":
            if member in group.members:
                group.crash(member)
            else:
                group.start(member)
        elif what == "cut":
            group.cut.add(member)
        else:
            group.cut.discard(member)

    def check(self) -> None:
        for member, raft in self.group.members.items():
            if raft.role is Role.LEADER:
                assert self.leaders.setdefault(raft.term, member) == member, f"two leaders in term {raft.term}"
        for member, disk in self.group.disks.items():
            for position, entry in enumerate(disk.applied):
                found = (entry.term, entry.payload)
                assert entry.index == position + 1, f"member {member} applied {entry.index} as number {position + 1}"
                if position < len(self.committed):
                    assert self.committed[position] == found, f"member {member} applied another entry {entry.index}"
                else:
                    self.committed.append(found)

    def heal(self) -> None:
        """All members up and connected: within some timeouts they must agree and go on."""
        group = self.group
        group.cut.clear()
        for member in group.voters:
            if member not in group.members:
                group.start(member)
        before = len(self.committed)
        for _ in range(200):
            for member in sorted(group.members):
                group.members[member].tick()
            group.stabilize()
            self.propose(self.random.choice(group.voters))
            group.stabilize()
            self.check()
            if len(self.committed) > before + 3 and len({len(disk.applied) for disk in group.disks.values()}) == 1:
                return
        raise AssertionError("the healed group makes no progress")


def live(seed: int) -> Universe:
    universe = Universe(seed)
    for step in range(STEPS):
        universe.step()
        if step % 10 == 0:
            universe.check()
    universe.check()
    universe.heal()
    return universe


@pytest.mark.parametrize("seed", range(8))
def test_no_history_breaks_a_promise(seed: int) -> None:
    live(seed)


@pytest.mark.slow
def test_no_history_of_many_breaks_a_promise() -> None:
    committed = 0
    for seed in range(1000):
        try:
            committed += len(live(seed).committed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert committed > 10_000
