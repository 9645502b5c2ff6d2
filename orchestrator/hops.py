"""Where a process spends its CPU: the stack, looked at every millisecond of CPU time, charged to the hop it is in.

Sampling changes the proportions far less than tracing every call does. The collector's time is measured apart, because
it would be charged to whoever happens to allocate.
"""

from __future__ import annotations

import gc
import signal
import time
from collections import Counter
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

SAMPLE_SECONDS = 0.001
"""Of CPU time; the kernel rounds it up to its own tick."""
MAX_FRAMES = 60
"""Of one stack, from the innermost out."""

HOPS: tuple[tuple[str, str], ...] = (
    ("orchestrator/bench/", "measuring client"),
    ("orchestrator/apiserver/http/", "door"),
    ("orchestrator/apiserver/verbs/create.py", "apiserver: create"),
    ("orchestrator/apiserver/templates.py", "apiserver: create"),
    ("orchestrator/apiserver/verbs/status.py", "apiserver: status"),
    ("orchestrator/apiserver/special/binding.py", "apiserver: bind"),
    ("orchestrator/apiserver/verbs/delete.py", "apiserver: delete"),
    ("orchestrator/apiserver/verbs/update.py", "apiserver: update"),
    ("orchestrator/apiserver/verbs/list.py", "apiserver: list"),
    ("orchestrator/apiserver/", "apiserver: chain and commit"),
    ("orchestrator/store/", "store"),
    ("orchestrator/client/recorder.py", "events"),
    ("orchestrator/client/", "informers"),
    ("orchestrator/scheduler/", "scheduler"),
    ("orchestrator/kubelet/runtime/", "kubelet: runtime"),
    ("orchestrator/kubelet/", "kubelet"),
)
"""Paths and the hop they stand for, the first that fits counts. What is in none of them is charged to its caller."""
SHARED = "apiserver: chain and commit"
"""What serves every verb: charged to the verb where one called it."""


class Hops:
    """A context manager: CPU seconds of the main thread by hop, while it is entered."""

    def __init__(self) -> None:
        self.stacks: Counter[tuple[str, ...]] = Counter()
        self.collecting = 0.0
        """Seconds in the garbage collector, part of the whole."""
        self.seconds = 0.0
        self._began = 0.0
        self._collect_began = 0.0
        self._before: Any = None

    def __enter__(self) -> Hops:
        self._before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
        gc.callbacks.append(self._collector)
        self._began = time.thread_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.thread_time() - self._began
        signal.setitimer(signal.ITIMER_PROF, 0)
        # One that is on its way still would end the process by default.
        signal.signal(signal.SIGPROF, signal.SIG_IGN if self._before is signal.SIG_DFL else self._before)
        gc.callbacks.remove(self._collector)

    def microseconds(self, per: int) -> dict[str, float]:
        """For each of ``per`` things by hop, the dearest first, then the collector and the whole."""
        total = sum(self.stacks.values()) or 1
        spent: Counter[str] = Counter()
        for stack, count in self.stacks.items():
            spent[hop_of(stack)] += count
        scale = (self.seconds - self.collecting) / total / per * 1e6
        found = {hop: round(count * scale, 1) for hop, count in spent.most_common()}
        found["garbage collector"] = round(self.collecting / per * 1e6, 1)
        found["main thread, all"] = round(self.seconds / per * 1e6, 1)
        return found

    def table(self, per: int) -> str:
        """``microseconds`` as a table."""
        return "\n".join(f"  {hop:<34}{spent:>9.1f}" for hop, spent in self.microseconds(per).items())

    def write(self, path: Path) -> None:
        """The stacks as flame graph tools read them: frames from the outermost, joined by semicolons, and a count."""
        lines = (f"{';'.join(reversed(stack))} {count}\n" for stack, count in self.stacks.most_common())
        path.write_text("".join(lines))

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        stack: list[str] = []
        while frame is not None and len(stack) < MAX_FRAMES:
            code = frame.f_code
            stack.append(f"{_short(code.co_filename)}:{code.co_qualname}")
            frame = frame.f_back
        self.stacks[tuple(stack)] += 1

    def _collector(self, phase: str, _facts: dict[str, int]) -> None:
        if phase == "start":
            self._collect_began = time.thread_time()
        else:
            self.collecting += time.thread_time() - self._collect_began


def hop_of(stack: tuple[str, ...]) -> str:
    """``stack`` begins with the innermost frame."""
    found = ""
    for frame in stack:
        hop = _hop_of_frame(frame)
        if hop and hop != SHARED:
            return hop
        found = found or hop
    if found:
        return found
    return "actors" if any(frame.startswith("actors/") for frame in stack) else "loop"


def _hop_of_frame(frame: str) -> str:
    if frame.startswith("orchestrator/controllers/"):
        return "controller: " + frame.split("/")[2].partition(".")[0]
    return next((hop for path, hop in HOPS if frame.startswith(path)), "")


def _short(filename: str) -> str:
    for package in ("orchestrator/", "actors/"):
        position = filename.rfind(f"/{package}")
        if position >= 0:
            return filename[position + 1 :]
    return filename.rpartition("/")[2]
