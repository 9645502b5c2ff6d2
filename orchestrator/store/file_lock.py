"""The lock that keeps two daemons from one log: held as long as the process lives, whatever becomes of the file."""

from __future__ import annotations

import fcntl
import os

from orchestrator.store.errors import LogLocked


class FileLock:
    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self, what: str) -> None:
        """Raises ``LogLocked`` naming ``what`` when somebody else has it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode("ascii", "replace").strip()
            os.close(file)
            raise LogLocked(what, int(holder) if holder.isdigit() else None) from None
        except OSError:
            os.close(file)
            raise
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
