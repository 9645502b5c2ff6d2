"""Transcripts: commands to a group of members and all that follows from them, as text that is read like a story.

A file is a sequence of ``> command`` lines, each followed by what came of it. ``python -m tests.raft.transcript`` with
``--write``
writes the outputs anew; the difference is reviewed like code.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.raft.config import Config, Unsafe
from orchestrator.raft.core import NotLeader
from orchestrator.raft.messages import Message
from tests import retelling
from tests.raft.group import Group, describe, describe_config

FOLDER = Path(__file__).parent / "testdata"


class Story:
    """Runs the commands of one file."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._group: Group | None = None
        self._held: list[Message] = []

    @property
    def group(self) -> Group:
        assert self._group is not None, "a transcript begins with `members N`"
        return self._group

    def run(self, command: str) -> list[str]:
        self._lines = []
        verb, *words = command.split()
        getattr(self, f"do_{verb}")(*words)
        return self._lines

    def do_members(self, size: str, patience: str = "0", lease: str = "0") -> None:
        """``patience``: ticks that everybody waits beyond the election timeout before it stands."""
        extra = int(patience)
        self._group = Group(int(size), self._lines_append, lambda ticks: extra, lease_ticks=int(lease))

    def do_join(self, member: str) -> None:
        self.group.join(int(member))

    def do_reconfigure(self, member: str, voters: str, learners: str = "") -> None:
        config = Config(_numbers(voters), _numbers(learners))
        try:
            self.group.members[int(member)].reconfigure(config)
        except (NotLeader, Unsafe) as error:
            self._lines.append(f"refused: {error}")

    def do_hold(self, to: str) -> None:
        """Keep what is under way to a member, for ``release``."""
        self._held += [message for message in self.group.mail if message.to == int(to)]
        self.group.mail = [message for message in self.group.mail if message.to != int(to)]

    def do_release(self) -> None:
        self.group.mail += self._held
        self._held = []

    def do_duplicate(self) -> None:
        """Everything under way comes twice."""
        self.group.mail += list(self.group.mail)

    def do_campaign(self, member: str) -> None:
        self.group.members[int(member)].campaign()

    def do_lost(self, member: str, other: str) -> None:
        """The connection of ``member`` to ``other`` is over."""
        self.group.members[int(member)].lost(int(other))

    def do_tick(self, member: str, times: str = "1") -> None:
        for _ in range(int(times)):
            self.group.members[int(member)].tick()

    def do_propose(self, member: str, *payloads: str) -> None:
        try:
            self.group.members[int(member)].propose([payload.encode() for payload in payloads])
        except NotLeader as error:
            self._lines.append(f"refused: {error}")

    def do_read(self, member: str, token: str) -> None:
        self.group.members[int(member)].read(int(token))

    def do_transfer(self, member: str, to: str) -> None:
        self.group.members[int(member)].transfer(int(to))

    def do_forget(self, member: str, through: str) -> None:
        self.group.members[int(member)].log.forget(int(through))

    def do_perform(self, member: str) -> None:
        while self.group.perform(int(member)):
            pass

    def do_deliver(self, to: str) -> None:
        mail, self.group.mail = self.group.mail, []
        for message in mail:
            if message.to == int(to):
                self.group.deliver(message)
            else:
                self.group.mail.append(message)

    def do_drop(self, to: str) -> None:
        """Lose what is under way to a member."""
        kept = [message for message in self.group.mail if message.to != int(to)]
        self._lines += [f"lost: {m.sender} -> {m.to} {describe(m)}" for m in self.group.mail if m.to == int(to)]
        self.group.mail = kept

    def do_stabilize(self) -> None:
        self.group.stabilize()

    def do_cut(self, member: str) -> None:
        self.group.cut.add(int(member))

    def do_heal(self, member: str) -> None:
        self.group.cut.discard(int(member))

    def do_crash(self, member: str) -> None:
        self.group.crash(int(member))

    def do_start(self, member: str) -> None:
        self.group.start(int(member))

    def do_state(self) -> None:
        for member, raft in sorted(self.group.members.items()):
            log = raft.log
            line = (
                f"{member} {raft.role.value} term {raft.term} leader {raft.leader}"
                f" log {log.mark.index + 1}..{log.last} commit {log.commit} applied {log.applied}"
            )
            changed = log.config_index or raft.config.members != self.group.voters
            self._lines.append(f"{line} {describe_config(raft.config)}" if changed else line)

    def _lines_append(self, line: str) -> None:
        self._lines.append(line)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(",")) if text else ()


def retell(text: str) -> str:
    """The transcript as a fresh story tells it."""
    return retelling.retell(text, Story().run)


if __name__ == "__main__":
    retelling.review(FOLDER, retell)
