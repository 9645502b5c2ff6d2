"""A sign of life on the terminal for whatever takes over a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

QUIET_SECONDS = 1.0
"""What is done sooner shows nothing."""
REFRESHES_PER_SECOND = 10


class Progress:
    """Shows a line while something is under way; ``say`` replaces it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spinner: Any = None
        self._live: Any = None
        self._ended = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(QUIET_SECONDS, self._show)
        self._timer.daemon = True

    def say(self, text: str) -> None:
        with self._lock:
            self._text = text
            if self._spinner is not None:
                self._spinner.update(text=text)

    def begin(self) -> None:
        if sys.stderr.isatty():
            self._timer.start()

    def end(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._live is not None:
                self._live.stop()

    def _show(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        with self._lock:
            if self._ended:
                return
            self._spinner = Spinner("dots", self._text)
            # Lines printed meanwhile go above it, but only where they are read: a pipe must get them itself.
            self._live = Live(
                self._spinner,
                console=Console(stderr=True),
                transient=True,
                refresh_per_second=REFRESHES_PER_SECOND,
                redirect_stdout=sys.stdout.isatty(),
                redirect_stderr=True,
            )
            self._live.start()


@contextmanager
def progress(text: str) -> Iterator[Progress]:
    """``with progress("waiting for deployment/web") as shown: ... shown.say("2 of 3 ready")``."""
    shown = Progress(text)
    shown.begin()
    try:
        yield shown
    finally:
        shown.end()
