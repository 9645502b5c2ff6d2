"""Raft's own promises (§5.2 to §5.4): who leads, what the logs hold, what is applied."""

from __future__ import annotations

from orchestrator.raft.config import decode_config
from orchestrator.raft.core import Raft
from orchestrator.raft.entry import Entry
from orchestrator.store.machine import Applied
from tests.store.checks import Violation


class Safety:
    """Told of every leader and every entry that any member applies."""

    def __init__(self) -> None:
        self.committed: dict[int, Entry] = {}
        self.first: dict[int, Applied | None] = {}
        """What the first member that applied the entry made of it."""
        self._seen: dict[int, int] = {}
        # In which term it was first known to be committed.
        self._last = 0
        self._leaders: dict[int, int] = {}

    def led(self, member: int, raft: Raft) -> None:
        """Election safety, and leader completeness: whoever leads has all that was committed in earlier terms.

        A leader may be seen late, when another leads already and has committed more.
        """
        known = self._leaders.setdefault(raft.term, member)
        if known != member:
            raise Violation(f"election safety: {known} and {member} lead term {raft.term}")
        log = raft.log
        _config(member, raft)
        for index in range(log.mark.index + 1, self._last + 1):
            entry = self.committed.get(index)
            if entry is not None and self._seen[index] < raft.term and log.term(index) != entry.term:
                raise Violation(
                    f"leader completeness: {member} leads term {raft.term} with term {log.term(index)} at"
                    f" {index}, term {entry.term} is committed there"
                )

    def applied(self, member: int, term: int, entry: Entry, result: Applied | None) -> None:
        """State-machine safety: the same entry at an index everywhere, and the same made of it."""
        known = self.committed.get(entry.index)
        if known is None:
            self.committed[entry.index] = entry
            self.first[entry.index] = result
            self._seen[entry.index] = term
            self._last = max(self._last, entry.index)
            return
        if known.term != entry.term or known.payload != entry.payload:
            raise Violation(
                f"state-machine safety: {member} applies term {entry.term} at {entry.index}, term {known.term} was"
            )
        if result is not None and result != self.first[entry.index]:
            raise Violation(
                f"state-machine safety: {member} makes of {entry.index} {result}, another {self.first[entry.index]}"
            )


def match(rafts: dict[int, Raft]) -> None:
    """Log matching: where two logs have the same index and term, they are the same up to there."""
    numbered = sorted(rafts.items())
    for member, raft in numbered:
        _config(member, raft)
    for position, (one, left) in enumerate(numbered):
        for two, right in numbered[position + 1 :]:
            low = max(left.log.mark.index, right.log.mark.index) + 1
            same = False
            for index in range(min(left.log.last, right.log.last), low - 1, -1):
                equal = left.log.term(index) == right.log.term(index)
                if same and not equal:
                    raise Violation(f"log matching: {one} and {two} differ at {index} and agree behind it")
                same = same or equal


def _config(member: int, raft: Raft) -> None:
    """The membership in effect is the last that the log speaks of (thesis §4.1)."""
    log = raft.log
    for entry in reversed(log.slice(log.mark.index + 1, log.last)):
        config = decode_config(entry.payload)
        if config is not None:
            if config != raft.config:
                raise Violation(f"membership: {member} goes by {raft.config}, entry {entry.index} says {config}")
            return
