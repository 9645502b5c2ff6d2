"""What goes wrong, by a seed: each universe draws a few kinds of trouble, and leaders are hit the most."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Protocol

from orchestrator.raft.config import Config, Unsafe
from orchestrator.raft.core import NotLeader
from orchestrator.store.commands import Write
from orchestrator.store.errors import UnknownFormat
from orchestrator.store.protocol import Change
from tests.store.simulation.clients import Client, Passing
from tests.store.simulation.clients import Place as Users
from tests.store.simulation.node import Node
from tests.store.simulation.software import CURRENT, NEXT, OLDER
from tests.store.simulation.world import Network

POLL_MILLISECONDS = 5.0
"""How often a script looks whether what it waits for has come."""
FIRST_READER = 100
"""Clients that come and go are numbered from here."""
SCRIPT_MILLISECONDS = 2500.0
"""A script that waits longer for one thing is given up."""

Script = Generator[Callable[[], bool], None, None]


class Place(Users, Protocol):
    """What the faults see of the universe."""

    network: Network
    nodes: dict[int, Node]

    def leader(self) -> Node | None: ...

    def add_node(self) -> int: ...

    def use(self, client: Client) -> None: ...


class Faults:
    """Begins at once; ``stop`` ends it, what is broken then others must heal."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._world = place.world
        self._draw = place.world.random
        self.stopped = False
        self._happened = place.world.tally.happened
        self._readers = FIRST_READER
        draw = self._draw
        kinds = [
            self._crash,
            self._crash_leader,
            self._crash_all,
            self._isolate,
            self._isolate_one_way,
            self._split,
            self._pause,
            self._transfer,
            self._slow_disk,
            self._snapshot,
            self._late_snapshot,
            self._partly_replicated,
            self._break,
        ]
        if draw.random() < 0.35:
            kinds = [self._grow, self._promote, self._remove, self._remove_all, self._isolate, self._crash_leader]
        self._kinds = draw.sample(kinds, draw.randint(2, 5))
        if self._grow in self._kinds and self._promote not in self._kinds:
            self._kinds.append(self._promote)
        if any(node.software is not CURRENT for node in place.nodes.values()):
            self._kinds += [self._upgrade, self._downgrade]
        self._often = draw.choice([250.0, 600.0])
        chance = draw.random()
        if chance < 0.12:
            self._play(self._old_entries_come_back())
        elif chance < 0.34:
            self._play(self._old_leader_is_asked())
        else:
            self._world.after(600 + draw.random() * 600, self._next)

    def _next(self) -> None:
        if not self.stopped:
            self._draw.choice(self._kinds)()
            self._world.after(50 + self._draw.random() * self._often * 2, self._next)

    def led(self, node: Node) -> None:
        """A new leader: the moment at which most can go wrong."""
        if self.stopped:
            return
        chance = self._draw.random()
        if chance < 0.15:
            self._world.after(self._draw.random() * 60, self._crash_node, node, node.life)
        elif chance < 0.3:
            # Who voted for it may be asked by another candidate of the same term.
            for number in self._others(node):
                voter = self._place.nodes[number]
                self._happened("crash")
                voter.crash()
                if voter.software is OLDER and self._draw.random() < 0.5:
                    voter.software = CURRENT
                self._world.after(1 + self._draw.random() * 20, self._restart, voter, voter.life)

    # Who

    def _some(self) -> Node:
        return self._draw.choice(list(self._place.nodes.values()))

    def _target(self) -> Node:
        """The leader more often than not."""
        leader = self._place.leader()
        return leader if leader is not None and self._draw.random() < 0.6 else self._some()

    def _others(self, node: Node) -> list[int]:
        return [number for number in self._place.nodes if number != node.number]

    # Machines

    def _crash_node(self, node: Node, life: int) -> None:
        if node.life != life or self.stopped:
            return
        self._happened("crash")
        node.crash()
        self._break_connections(node)
        self._world.after(20 + self._draw.random() * self._draw.choice([60, 1500]), self._restart, node, node.life)

    def _restart(self, node: Node, life: int) -> None:
        if node.life == life:
            node.start()
            self._happened("restart of one")

    def _crash(self) -> None:
        node = self._target()
        self._crash_node(node, node.life)

    def _crash_leader(self) -> None:
        leader = self._place.leader()
        if leader is not None:
            self._crash_node(leader, leader.life)

    def _crash_all(self) -> None:
        self._happened("restart of all")
        for node in list(self._place.nodes.values()):
            self._crash_node(node, node.life)

    def _pause(self) -> None:
        node = self._target()
        if node.ready:
            self._happened("pause")
            node.pause()
            self._world.after(100 + self._draw.random() * 2000, self._go_on, node, node.life)

    def _go_on(self, node: Node, life: int) -> None:
        if node.life == life and node.paused:
            node.go_on()

    def _slow_disk(self) -> None:
        node = self._target()
        node.log.slow = self._draw.choice([1.0, 15.0, 300.0])
        if node.log.slow > 100:
            self._happened("slow disk")

    def _snapshot(self) -> None:
        node = self._target()
        node.snapshot_due = True
        if self._draw.random() < 0.3:
            self._world.after(self._draw.random() * 10, self._crash_node, node, node.life)

    def _late_snapshot(self) -> None:
        """A member sees nothing until the others have forgotten what it lacks."""
        node = self._some()
        self._cut(node, 300 + self._draw.random() * 1500)
        for other in self._others(node):
            self._place.nodes[other].snapshot_due = True

    def _upgrade(self) -> None:
        """A member comes back as the next version."""
        node = self._some()
        following = NEXT.get(node.software)
        if following is not None:
            self._happened("crash")
            node.crash()
            node.software = following
            self._world.after(20 + self._draw.random() * 60, self._begin_upgraded, node, node.life)

    def _begin_upgraded(self, node: Node, life: int) -> None:
        self._restart(node, life)
        if self._draw.random() < 0.4:
            self._world.after(self._draw.random() * 10, self._crash_node, node, node.life)

    def _downgrade(self) -> None:
        """The version before is tried on a disk that it does not know."""
        node = self._some()
        if node.log.format <= OLDER.format:
            return
        installed = node.software
        node.crash()
        node.software = OLDER
        try:
            node.start()
        except UnknownFormat:
            self._happened("older version refused a newer log")
        else:
            raise AssertionError(f"format {node.log.format} was opened by a version that knows {OLDER.format}")
        node.crash()
        node.software = installed
        self._world.after(20 + self._draw.random() * 60, self._restart, node, node.life)

    # The network

    def _break_connections(self, node: Node) -> None:
        """Most of the others hear of it soon, also when the node is well."""
        for number in self._others(node):
            if self._draw.random() < 0.8:
                other = self._place.nodes[number]
                self._happened("connection broken")
                self._world.after(0.5 + self._draw.random() * 30, self._lose, other, other.life, node.number)

    def _lose(self, node: Node, life: int, lost: int) -> None:
        if node.life == life and node.up:
            node.do(lambda: node.member.lost(lost))

    def _break(self) -> None:
        self._break_connections(self._target())

    def _cut(self, node: Node, milliseconds: float, *, inward: bool = True, outward: bool = True) -> None:
        self._happened("partition both ways" if inward and outward else "partition one way")
        self._place.network.isolate(node.number, self._others(node), inward=inward, outward=outward)
        self._world.after(milliseconds, self._rejoin, node)

    def _rejoin(self, node: Node) -> None:
        if not self.stopped:
            self._place.network.rejoin(node.number)

    def _isolate(self) -> None:
        self._cut(self._target(), 200 + self._draw.random() * 2000)

    def _isolate_one_way(self) -> None:
        inward = self._draw.random() < 0.5
        self._cut(self._target(), 200 + self._draw.random() * 2000, inward=inward, outward=not inward)

    def _split(self) -> None:
        self._happened("partition into two halves")
        numbers = list(self._place.nodes)
        self._draw.shuffle(numbers)
        half = self._draw.randint(1, max(1, len(numbers) - 1))
        for one in numbers[:half]:
            for two in numbers[half:]:
                self._place.network.cut |= {(one, two), (two, one)}
        self._world.after(200 + self._draw.random() * 2000, self._heal)

    def _heal(self) -> None:
        if not self.stopped:
            self._place.network.cut.clear()

    def _partly_replicated(self) -> None:
        """The leader reaches one member for a moment, or none, and goes down."""
        leader = self._place.leader()
        if leader is None:
            return
        others = self._others(leader)
        self._draw.shuffle(others)
        for other in others[self._draw.choice([0, 1]) :]:
            self._place.network.cut.add((leader.number, other))
        self._world.after(20 + self._draw.random() * 100, self._crash_node, leader, leader.life)
        self._world.after(100 + self._draw.random() * 800, self._rejoin, leader)

    # The membership

    def _transfer(self) -> None:
        leader = self._place.leader()
        if leader is not None and leader.ready:
            to = self._draw.choice(list(self._place.nodes))
            self._ask(leader, lambda: leader.member.replica.raft.transfer(to))

    def _ask(self, node: Node, action: Callable[[], object]) -> None:
        def careful() -> None:
            try:
                action()
            except (NotLeader, Unsafe):
                pass

        node.do(careful)

    def _reconfigure(self, change: Callable[[Config], Config]) -> None:
        leader = self._place.leader()
        if leader is not None and leader.ready:
            raft = leader.member.replica.raft
            self._ask(leader, lambda: raft.reconfigure(change(raft.config)))

    def _grow(self) -> None:
        if len(self._place.nodes) < 6 and self._place.leader() is not None:
            number = self._place.add_node()
            self._reconfigure(lambda config: Config(config.voters, (*config.learners, number)))

    def _promote(self) -> None:
        """All at once: those that may not be are refused."""
        leader = self._place.leader()
        if leader is None:
            return
        learners = leader.member.replica.raft.config.learners
        if self._draw.random() < 0.3:
            for other in self._others(leader):
                if other not in learners:
                    self._place.network.cut |= {(leader.number, other), (other, leader.number)}
            self._world.after(500 + self._draw.random() * 1500, self._heal)
        for learner in learners:
            self._reconfigure(partial(_promoted, learner))

    def _remove(self) -> None:
        number = self._draw.choice(list(self._place.nodes))
        self._reconfigure(partial(_without, number))

    def _remove_all(self) -> None:
        """A leader that nobody hears is asked to do without them."""
        leader = self._place.leader()
        if leader is None:
            return
        self._cut(leader, 700 + self._draw.random() * 1500)
        for number in self._others(leader):
            self._reconfigure(partial(_without, number))

    # Scripts

    def _play(self, script: Script) -> None:
        try:
            wanted = next(script)
        except StopIteration:
            return
        self._await(script, wanted, self._world.now + SCRIPT_MILLISECONDS)

    def _await(self, script: Script, wanted: Callable[[], bool], deadline: float) -> None:
        if self.stopped or self._world.now > deadline:
            script.close()
        elif wanted():
            self._play(script)
        else:
            self._world.after(POLL_MILLISECONDS, self._await, script, wanted, deadline)

    def _pass(self, milliseconds: float) -> Callable[[], bool]:
        end = self._world.now + milliseconds
        return lambda: self._world.now >= end

    def _other_leads(self, than: Node | None) -> Callable[[], bool]:
        return lambda: (found := self._place.leader()) is not None and found is not than

    def _old_entries_come_back(self) -> Script:
        """Figure 8 of the paper: an entry of an old term on a majority, and a member that can still replace it."""
        place, draw, network = self._place, self._draw, self._place.network
        network.loss = network.late = 0.0
        network.slow = 40.0
        while len(place.nodes) > 2:
            yield self._other_leads(None)
            yield self._pass(150 + draw.random() * 200)
            first = place.leader()
            if first is None:
                return
            # What is proposed in its term reaches nobody else.
            network.isolate(first.number, self._others(first))
            self._propose_to(first)
            yield self._other_leads(first)
            second = place.leader()
            if second is None:
                return
            # Neither does what the next leader begins its term with.
            network.isolate(second.number, self._others(second))
            yield self._pass(20 + draw.random() * 40)
            network.rejoin(first.number)
            network.isolate(second.number, self._others(second))
            yield self._other_leads(second)
            third = place.leader()
            if third is None:
                return
            self._happened("old entries come back")
            # The first leads again and sends what it has, entry by entry; then it and what is under way are gone.
            yield self._pass(20 + draw.random() * 160)
            network.cut.clear()
            network.isolate(third.number, self._others(third))
            self._crash_node(third, third.life)
            yield self._pass(900 + draw.random() * 600)
            network.cut.clear()

    def _old_leader_is_asked(self) -> Script:
        """A leader that nobody follows any more, and who does not know it, is read from while its successor writes."""
        place, draw, network = self._place, self._draw, self._place.network
        network.loss = min(network.loss, 0.02)
        network.slow = min(network.slow, 15.0)
        while len(place.nodes) > 1:
            yield self._other_leads(None)
            yield self._pass(100 + draw.random() * 300)
            first = place.leader()
            if first is None:
                return
            end = self._world.now + 1200 + draw.random() * 1200
            for choose, reads in ((lambda old=first: old, 1.0), (self._successor(first), 0.2)) * 2:
                self._readers += 1
                place.use(Passing(place, self._readers, choose, reads, end))
            self._depose(first)
            yield self._other_leads(first)
            self._happened("read of an old leader")
            yield self._pass(end - self._world.now)
            network.rejoin_all()

    def _depose(self, leader: Node) -> None:
        """It is cut off, hears the others no more, stops for a while, or hands over and does not hear who leads.

        Or it is cut off and hears what was said before; or one that it does not reach stands for election again and
        again, until those that heard the leader have reason to forget it.
        """
        others = self._others(leader)
        way = self._draw.choice(["cut off", "deaf", "mute", "stopped", "handing over", "late answers", "usurped"])
        if way == "late answers":
            late = 300 + self._draw.random() * 600
            for other in others:
                self._place.network.delayed[other, leader.number] = late
            self._world.after(50 + self._draw.random() * 150, self._silence, leader)
        elif way == "usurped":
            # Nothing is written meanwhile: who lacks an entry is elected by nobody.
            self._place.quiet = True
            usurper = self._draw.choice(others)
            self._world.after(100, self._part, leader.number, usurper)
            self._world.after(1000 + self._draw.random() * 600, self._usurp, leader, usurper)
        elif way == "stopped":
            self._happened("pause")
            leader.pause()
            if self._draw.random() < 0.5:
                self._cut_inward(leader)
            self._world.after(500 + self._draw.random() * 700, self._go_on, leader, leader.life)
        elif way == "handing over":
            to = self._draw.choice(others)
            self._ask(leader, lambda: leader.member.replica.raft.transfer(to))
            self._world.after(self._draw.random() * 30, self._cut_inward, leader)
        else:
            self._place.network.isolate(leader.number, others, inward=way != "mute", outward=way != "deaf")

    def _part(self, one: int, two: int) -> None:
        if not self.stopped:
            self._place.network.isolate(one, [two])

    def _silence(self, node: Node) -> None:
        """What is said from now on is lost, what was said before arrives."""
        if not self.stopped:
            pairs = [(node.number, other) for other in self._others(node)]
            self._place.network.silenced |= {*pairs, *((other, one) for one, other in pairs)}

    def _usurp(self, leader: Node, usurper: int) -> None:
        """The leader is cut off. Those that it reached until now restart, or only lose their connection to it."""
        self._place.quiet = False
        if self.stopped:
            return
        others = self._others(leader)
        self._place.network.isolate(leader.number, others)
        restarted = self._draw.random() < 0.5
        for number in others:
            node = self._place.nodes[number]
            if number == usurper or not node.ready:
                continue
            if restarted:
                self._happened("crash")
                node.crash()
                self._world.after(1 + self._draw.random() * 20, self._restart, node, node.life)
            else:
                self._lose(node, node.life, leader.number)

    def _cut_inward(self, node: Node) -> None:
        if not self.stopped:
            self._place.network.isolate(node.number, self._others(node), outward=False)

    def _successor(self, old: Node) -> Callable[[], Node | None]:
        def choose() -> Node | None:
            others = [node for node in self._place.nodes.values() if node.ready and node is not old]
            leading = [node for node in others if node.member.leads]
            return self._draw.choice(leading or others) if others else None

        return choose

    def _propose_to(self, node: Node) -> None:
        change = Change("alone", (b"alone %d" % round(self._world.now),))
        node.do(lambda: node.member.propose(Write(round(self._world.now), [change]), None))


def _without(number: int, config: Config) -> Config:
    return Config(
        tuple(voter for voter in config.voters if voter != number),
        tuple(learner for learner in config.learners if learner != number),
    )


def _promoted(learner: int, config: Config) -> Config:
    return Config((*config.voters, learner), tuple(other for other in config.learners if other != learner))
