"""A group of members in one place: disks that keep what was written, a network that keeps what was not delivered."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.raft.config import Config, decode_config
from orchestrator.raft.core import Raft
from orchestrator.raft.entry import Entry, HardState, Mark
from orchestrator.raft.messages import Message
from orchestrator.raft.ready import Ready
from orchestrator.raft.settings import Settings


class Disk:
    """What one member has written, and what its state machine applied."""

    def __init__(self) -> None:
        self.state = HardState()
        self.mark = Mark()
        self.config: Config | None = None
        self.entries: list[Entry] = []
        self.applied: list[Entry] = []

    def write(self, ready: Ready) -> None:
        if not ready.must_write:
            return
        self.state = ready.state
        if ready.entries:
            self.entries = [entry for entry in self.entries if entry.index < ready.entries[0].index]
            self.entries += ready.entries


class Group:
    """Members 1 to ``size``. Nothing happens by itself: the test says who acts and what is delivered."""

    def __init__(self, size: int, say: Callable[[str], None], jitter: Callable[[int], int], **settings: int) -> None:
        self.voters = tuple(range(1, size + 1))
        self.disks = {member: Disk() for member in self.voters}
        self.members: dict[int, Raft] = {}
        self.mail: list[Message] = []
        self.cut: set[int] = set()
        self.say = say
        self._jitter = jitter
        self._settings = settings
        for member in self.voters:
            self.start(member)

    def start(self, member: int) -> None:
        """Start from what is on the disk."""
        disk = self.disks[member]
        disk.applied = [entry for entry in disk.applied if entry.index <= disk.mark.index]
        voters = self.voters if member in self.voters else ()
        settings = Settings(member, voters, self._jitter, **self._settings)
        self.members[member] = Raft(settings, disk.state, disk.mark, list(disk.entries), disk.config)

    def join(self, member: int) -> None:
        """A new member with an empty disk that nobody knows yet."""
        self.disks[member] = Disk()
        self.start(member)

    def crash(self, member: int) -> None:
        del self.members[member]

    def perform(self, member: int) -> bool:
        """Do one ``Ready`` of a member. Whether there was one."""
        raft = self.members[member]
        ready = raft.ready()
        if ready is None:
            return False
        disk = self.disks[member]
        self.send(ready.early)
        if ready.restore is not None:
            self.restore(member, ready.restore)
        disk.write(ready)
        if ready.must_write:
            state = ready.state
            written = ", ".join(describe(entry) for entry in ready.entries)
            self.say(f"{member} writes term {state.term} vote {state.vote}" + (f" and {written}" if written else ""))
        self.send(ready.messages)
        for entry in ready.committed:
            disk.applied.append(entry)
            self.say(f"{member} applies {describe(entry)}")
        for read in ready.reads:
            self.say(f"{member} may serve read {read.token} at {read.index}")
        for token in ready.lost_reads:
            self.say(f"{member} cannot serve read {token}")
        raft.advance(ready)
        return True

    def restore(self, member: int, mark: Mark) -> None:
        """The snapshot comes from whoever has applied that far."""
        disk = self.disks[member]
        source = next(other for other in self.disks.values() if len(other.applied) >= mark.index)
        disk.applied = source.applied[: mark.index]
        disk.mark, disk.entries = mark, []
        disk.config = self.members[member].log.config_at(mark.index)
        self.say(f"{member} restores the snapshot at {mark.index}, term {mark.term}")

    def send(self, messages: list[Message]) -> None:
        for message in messages:
            self.say(f"{message.sender} -> {message.to} {describe(message)}")
            self.mail.append(message)

    def deliver(self, message: Message) -> None:
        """Unless either end is cut off or down."""
        if message.sender in self.cut or message.to in self.cut or message.to not in self.members:
            return
        self.members[message.to].step(message)

    def stabilize(self) -> None:
        """Perform and deliver until nothing is left to do."""
        for _ in range(1000):
            busy = [self.perform(member) for member in sorted(self.members)]
            mail, self.mail = self.mail, []
            for message in mail:
                self.deliver(message)
            if not mail and not any(busy):
                return
        raise AssertionError("the group does not come to rest")


def describe(thing: Entry | Message) -> str:
    """An entry or a message in one line."""
    if isinstance(thing, Entry):
        config = decode_config(thing.payload)
        what = describe_config(config) if config else thing.payload.decode() or "opens the term"
        return f"{thing.index}/{thing.term} {what}"
    parts = [type(thing).__name__]
    for name in thing.__struct_fields__:
        value = getattr(thing, name)
        if name in ("sender", "to", "protocol") or value is False or (name == "read" and not value):
            continue
        if name == "hint" and not getattr(thing, "refused", False):
            continue
        if isinstance(value, Config):
            parts.append(describe_config(value))
        elif isinstance(value, Mark):
            parts.append(f"{name} {value.index}/{value.term}")
        elif isinstance(value, list):
            parts.append("[" + ", ".join(describe(entry) for entry in value) + "]")
        else:
            parts.append(name if value is True else f"{name} {value}")
    return " ".join(parts)


def describe_config(config: Config) -> str:
    learners = f" learners {','.join(map(str, config.learners))}" if config.learners else ""
    return f"voters {','.join(map(str, config.voters))}{learners}"
