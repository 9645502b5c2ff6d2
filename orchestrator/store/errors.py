"""What can be wrong with a log. Each says what was found, what was expected, and how to go on."""

from __future__ import annotations


class LogError(Exception):
    """A log that cannot be opened, or that failed while open."""


class LogLocked(LogError):
    """Another process has the log open."""

    def __init__(self, path: str, pid: int | None) -> None:
        holder = f"process {pid}" if pid is not None else "another process"
        super().__init__(f"{path} is in use by {holder}: stop it first, or choose another data directory")
        self.path = path
        self.pid = pid


class ForeignLog(LogError):
    """A file that is not ours stands where the log should be."""

    def __init__(self, path: str, found: str) -> None:
        super().__init__(f"{path} is not a Podium log ({found}): choose another data directory, or move the file away")
        self.path = path
        self.found = found


class UnknownFormat(LogError):
    """The log was written by a version that this one does not know."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(f"{path} has format {found}, this version knows up to {known}: use a newer Podium")
        self.path = path
        self.found = found
        self.known = known


class UnknownCommand(LogError):
    """A newer member put into the log what this version cannot apply. Going on without it would be another state."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(
            f"entry {index} holds a command that this version does not know ({reason}): use a newer Podium"
        )
        self.index = index


class LogCorrupt(LogError):
    """Acknowledged data is damaged: going on would lose it silently."""

    def __init__(self, path: str, where: str, expected: str, found: str) -> None:
        super().__init__(
            f"{path} is damaged at {where}: expected {expected}, found {found}. `podium store check` shows what is "
            "sound, `podium store repair` keeps it and drops the rest; or restore a snapshot, or replace this member"
        )
        self.path = path
        self.where = where
        self.expected = expected
        self.found = found


class LogFailed(LogError):
    """The disk refused a write: nothing that waited for it was acknowledged."""

    def __init__(self, path: str, operation: str, reason: str) -> None:
        super().__init__(f"{path}: {operation} failed: {reason}. Nothing that waited for it was acknowledged")
        self.path = path
        self.operation = operation
        self.reason = reason
