"""One seed's life: a group, its clients and watchers, its troubles, and then peace, in which it must recover."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from actors import Ref, Tell
from orchestrator.raft.config import Config, decode_config
from orchestrator.raft.messages import TimeoutNow
from orchestrator.store import requests
from orchestrator.store.commands import Revoke, Write, decode_command
from orchestrator.store.machine import Applied
from orchestrator.store.member import TOO_LATE, Lost
from orchestrator.store.protocol import Change, CompactReply, LeaseReply
from orchestrator.store.replica import Done
from orchestrator.store.wire import Placed, Wire
from tests.store.checks import Violation, clients, leases, registers, watching
from tests.store.checks.model import agree, replay
from tests.store.checks.safety import Safety, match
from tests.store.simulation.clients import MAX_TRIES, Client, Holder, Operation, Renewal
from tests.store.simulation.faults import Faults
from tests.store.simulation.node import Node
from tests.store.simulation.software import CURRENT, NEWER, OLDER
from tests.store.simulation.watchers import Watcher
from tests.store.simulation.world import Network, World

TROUBLE_MILLISECONDS = 5000.0
PEACE_MILLISECONDS = 8000.0
"""Within which a healed group must serve everybody again: some elections, a snapshot, and what waits for an age."""
PEACE_STEP = 250.0
SIZES = (1, 2, 3, 3, 3, 3, 4, 5, 5)
FORGETFUL = 0.25
"""How often the answers to proposals are forgotten after a few more, not after the thousands that no universe has."""
INSTALLED = ((CURRENT,), (CURRENT,), (CURRENT,), (OLDER,), (OLDER, CURRENT), (OLDER, CURRENT, NEWER))
"""What the members run when the universe begins, each one of these."""


class Universe:
    """See the module. ``live`` raises ``Violation``, or ``AssertionError`` where the product itself noticed."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        draw = self.world.random
        self.tally = self.world.tally
        forgetful = self.world.apart.random() < FORGETFUL
        self._remembered = self.world.apart.choice([3, 4, 6, 12]) if forgetful else requests.MAX_REMEMBERED
        self.tries = 1 if forgetful else MAX_TRIES
        self._installed = draw.choice(INSTALLED)
        if forgetful:
            self._installed = (CURRENT,)  # the older one takes what may have been forgotten
            self.tally.happened("answers soon forgotten")
        mixed = self._installed != (CURRENT,)
        self.network = Network(self.world, self._deliver, lambda number: self.nodes[number].software, mixed=mixed)
        self.nodes: dict[int, Node] = {}
        self.safety = Safety()
        self.operations: list[Operation] = []
        self.renewals: list[Renewal] = []
        self.undecided = 0
        self.quiet = False
        self._expired: dict[int, float] = {}
        self._keeping: dict[int, leases.Keeping] = {}
        self._leases = draw.random() < 0.5
        founders = tuple(range(1, draw.choice(SIZES) + 1))
        self._founders = founders
        self.tally.happened(f"group of {len(founders)}")
        self._config = Config(founders)
        self._term = 0
        # What the log said last of the members, and who led last.
        self._invited = (0, 0)
        # The term in which a member was told to lead, and which.
        for number in founders:
            self._make(number)
        self._clients: list[Client | Holder] = [Client(self, number) for number in range(draw.randint(2, 4))]
        if draw.random() < 0.3:
            self._clients += [Holder(self, number) for number in range(2)]
        self._watchers = [Watcher(self.world, number, self.nodes) for number in range(draw.randint(0, 3))]
        self._by_path = {watcher.path: watcher for watcher in self._watchers}
        self._faults = Faults(self)

    def live(self) -> None:
        with _remembering(self._remembered):
            self.world.run(TROUBLE_MILLISECONDS)
            self._match()
            self._make_peace()
            self._recover()
            self._check()

    # What others see of it

    def some_node(self) -> Node | None:
        up = [node for node in self.nodes.values() if node.up]
        return self.world.random.choice(up) if up else None

    def leader(self) -> Node | None:
        """Who leads the latest term."""
        leading = [node for node in self.nodes.values() if node.ready and node.member.leads]
        return max(leading, key=lambda node: node.member.replica.raft.term, default=None)

    def add_node(self) -> int:
        number = max(self.nodes) + 1
        self._make(number)
        return number

    def _make(self, number: int) -> None:
        self.nodes[number] = node = Node(
            self.world,
            number,
            self._founders,
            self.world.random.choice(self._installed),
            leases=self._leases,
            send=self.network.send,
            applied=self._applied,
            extended=self._extended,
            led=self._has_led,
            told=self._told,
        )
        node.start()

    def use(self, client: Client) -> None:
        """One more who uses the store."""
        self._clients.append(client)

    # What happens

    def _deliver(self, message: Wire) -> None:
        node = self.nodes.get(message.to)
        if node is not None:
            if isinstance(message, TimeoutNow):
                self._invited = (message.term + 1, message.to)
            elif isinstance(message, Placed) and message.index == TOO_LATE:
                self.tally.happened("retry refused as too late")
            node.receive(message)

    def _told(self, subscriber: Ref[Any], message: Tell) -> bool:
        return self._by_path[subscriber.path].told(message)

    def _applied(self, node: Node, done: Done) -> None:
        for entry, result in done:
            fresh = entry.index not in self.safety.committed
            if fresh and result is None:
                self._reconfigured(decode_config(entry.payload))
            elif fresh and result is not None and isinstance(result.reply, CompactReply):
                self.tally.happened("compaction")
            self.safety.applied(node.number, node.member.replica.raft.term, entry, result)
            if fresh and result is not None and len(entry.payload) < 32:
                command = decode_command(entry.payload)
                if isinstance(command, Revoke) and command.expired:
                    self._expired.setdefault(command.lease, self.world.now)
                    self.tally.happened("store lease expired")
            if result is not None and isinstance(result.reply, LeaseReply) and node.member.leads:
                self._keeper(node).granted(node.member.replica.raft.term, result.reply.lease, node.seconds())

    def _reconfigured(self, config: Config | None) -> None:
        if config is not None:
            old, self._config = self._config, config
            for member in config.members:
                if member not in old.members:
                    self.tally.happened("learner added")
                elif member in config.voters and member in old.learners:
                    self.tally.happened("learner promoted")
            self.tally["member removed"] += len(set(old.members) - set(config.members))

    def _extended(self, node: Node, lease: int, milliseconds: int) -> None:
        self._keeper(node).extended(node.member.replica.raft.term, lease, milliseconds / 1000, node.seconds())

    def _keeper(self, node: Node) -> leases.Keeping:
        return self._keeping.setdefault(node.number, leases.Keeping())

    def _has_led(self, node: Node) -> None:
        raft = node.member.replica.raft
        if raft.term > self._term:
            self.tally["leader changed"] += self._term > 0
            self._term = raft.term
            self.tally["leader transferred"] += self._invited == (raft.term, node.number)
        self.safety.led(node.number, raft)
        self._faults.led(node)

    # The end

    def _make_peace(self) -> None:
        self._faults.stopped = True
        for client in self._clients:
            client.stopped = True
        self.network.heal()
        for node in self.nodes.values():
            node.log.slow = 1.0
            if node.paused:
                node.go_on()
            if not node.up:
                node.crash()
                node.start()

    def _recover(self) -> None:
        """Every member of the group takes a write again, and all end with the same."""
        written: set[int] = set()
        asked: set[int] = set()
        end = self.world.now + PEACE_MILLISECONDS
        while self.world.now < end:
            self.world.run(self.world.now + PEACE_STEP)
            leader = self.leader()
            if leader is None:
                continue
            members = leader.member.replica.raft.config.members
            for number in members:
                if number not in asked and self.nodes[number].up:
                    asked.add(number)
                    self._write(self.nodes[number], written, asked)
            machines = [self.nodes[number].member.replica.applied for number in members]
            if written >= set(members) and len(set(machines)) == 1:
                return
        raise Violation(f"no progress {PEACE_MILLISECONDS:.0f} ms after everything was healed: {self._state()}")

    def _write(self, node: Node, written: set[int], asked: set[int]) -> None:
        def answer(result: Applied | Lost) -> None:
            if isinstance(result, Applied):
                written.add(node.number)
            else:
                asked.discard(node.number)

        command = Write(round(self.world.now), [Change(f"peace/{node.number}", (b"now",))])
        node.do(lambda: node.member.propose(command, answer))

    def _check(self) -> None:
        self._match()
        model = replay(self.safety.committed, self.safety.first)
        self.tally["proposal repeated in the log"] += model.repeated
        leader = self.leader()
        assert leader is not None, "the group has recovered"
        for number in leader.member.replica.raft.config.members:
            agree(model, number, self.nodes[number].member.replica.machine)
        clients.check(self.operations, model)
        self.undecided += registers.check(self.operations)
        leases.check(self.renewals, self._expired)
        for number, watcher in enumerate(self._watchers):
            watching.check(number, watcher.stretches, model.events)

    def _match(self) -> None:
        match({number: node.member.replica.raft for number, node in self.nodes.items() if node.up})

    def _state(self) -> str:
        parts = []
        for number, node in self.nodes.items():
            raft = node.member.replica.raft if node.up else None
            what = f"{raft.role.value} of term {raft.term}, log {raft.log.last}/{raft.log.commit}" if raft else "down"
            parts.append(f"{number}: {what}")
        return "; ".join(parts)


@contextmanager
def _remembering(count: int) -> Iterator[None]:
    """So many answers to proposals, of every member."""
    usual, requests.MAX_REMEMBERED = requests.MAX_REMEMBERED, count
    try:
        yield
    finally:
        requests.MAX_REMEMBERED = usual
