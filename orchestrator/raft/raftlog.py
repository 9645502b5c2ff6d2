"""The log as the core sees it: the entries after some mark, how far they are on disk, committed, and applied."""

from __future__ import annotations

from orchestrator.raft.config import Config, decode_config
from orchestrator.raft.entry import Entry, Mark


class RaftLog:
    """Invariant: ``first - 1 <= applied <= commit <= last`` and ``saved <= last``."""

    def __init__(self, mark: Mark, entries: list[Entry], commit: int, config: Config) -> None:
        entries = [entry for entry in entries if entry.index > mark.index]
        assert not entries or entries[0].index == mark.index + 1, "the entries begin right after the snapshot"
        self._mark = mark
        self._entries = entries
        self.saved = self.last
        """The last index that is on this member's disk."""
        self.commit = max(commit, mark.index)
        self.applied = mark.index
        assert self.commit <= self.last, f"committed {self.commit}, but the log ends at {self.last}"
        self._configs = [(mark.index, config)]
        # The memberships by the index of their entry: that of the mark, and those since.
        self._find_configs(entries)

    @property
    def mark(self) -> Mark:
        """What stands right before the first entry that is still here."""
        return self._mark

    @property
    def config(self) -> Config:
        """The membership in effect: the latest in the log, committed or not."""
        return self._configs[-1][1]

    @property
    def config_index(self) -> int:
        return self._configs[-1][0]

    def config_at(self, index: int) -> Config:
        """The membership that held at ``index``, which is not before the mark."""
        return next(config for found, config in reversed(self._configs) if found <= index)

    @property
    def last(self) -> int:
        return self._mark.index + len(self._entries)

    def end(self) -> Mark:
        """The last entry's index and term."""
        return Mark(self._entries[-1].index, self._entries[-1].term) if self._entries else self._mark

    def term(self, index: int) -> int | None:
        """The term at ``index``, None for what is no longer or not yet here."""
        if index == self._mark.index:
            return self._mark.term
        if self._mark.index < index <= self.last:
            return self._entries[index - self._mark.index - 1].term
        return None

    def slice(self, start: int, end: int) -> list[Entry]:
        """The entries from ``start`` to ``end``, both included."""
        return self._entries[start - self._mark.index - 1 : end - self._mark.index]

    def add(self, entries: list[Entry]) -> None:
        """The leader's own: they follow the last."""
        assert not entries or entries[0].index == self.last + 1, "a leader only appends"
        self._entries.extend(entries)

    def add_config(self, entry: Entry, config: Config) -> None:
        self.add([entry])
        self._configs.append((entry.index, config))

    def agree(self, entries: list[Entry]) -> None:
        """A follower's: what is already here stays, from the first conflict on the new ones stand (§5.3)."""
        for position, entry in enumerate(entries):
            found = self.term(entry.index)
            if found == entry.term or entry.index <= self._mark.index:
                continue
            if found is not None:
                assert entry.index > self.commit, f"entry {entry.index} is committed and would be replaced"
                del self._entries[entry.index - self._mark.index - 1 :]
                self.saved = min(self.saved, entry.index - 1)
                while self._configs[-1][0] >= entry.index:
                    self._configs.pop()
            self._entries.extend(entries[position:])
            self._find_configs(entries[position:])
            return

    def _find_configs(self, entries: list[Entry]) -> None:
        for entry in entries:
            config = decode_config(entry.payload)
            if config is not None and entry.index > self._mark.index:
                self._configs.append((entry.index, config))

    def unsaved(self) -> list[Entry]:
        return self.slice(self.saved + 1, self.last)

    def commit_to(self, index: int) -> None:
        if index > self.commit:
            assert index <= self.last, f"commit {index} is beyond the end {self.last}"
            self.commit = index

    def applicable(self) -> list[Entry]:
        """Committed, on this member's disk, and not applied yet."""
        end = self.commit if self.commit < self.saved else self.saved
        return self.slice(self.applied + 1, end) if end > self.applied else []

    def newer(self, end: Mark) -> bool:
        """Whether a log that ends at ``end`` is at least as up to date as this one (§5.4.1)."""
        mine = self.end()
        return (end.term, end.index) >= (mine.term, mine.index)

    def probable(self, index: int, term: int) -> Mark:
        """The last place at or before ``index`` whose term is at most ``term``: no later one can agree."""
        index = min(index, self.last)
        while index > self._mark.index and (self.term(index) or 0) > term:
            index -= 1
        return Mark(index, self.term(index) or 0)

    def forget(self, through: int) -> None:
        """Drop applied entries up to ``through`` from memory."""
        assert through <= self.applied, f"entry {through} is not applied yet"
        if through <= self._mark.index:
            return
        term = self.term(through)
        assert term is not None
        del self._entries[: through - self._mark.index]
        self._mark = Mark(through, term)
        while len(self._configs) > 1 and self._configs[1][0] <= through:
            del self._configs[0]

    def restore(self, mark: Mark, config: Config) -> None:
        """A snapshot from the leader takes the place of everything."""
        self._mark = mark
        self._entries = []
        self._configs = [(mark.index, config)]
        self.saved = self.commit = self.applied = mark.index
