"""When leases run out, by the leader's clock."""

from __future__ import annotations

from heapq import heappop, heappush


class Deadlines:
    """A heap of deadlines; one that was moved leaves an outdated entry that is skipped."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._ends: dict[int, float] = {}

    def __contains__(self, lease: int) -> bool:
        return lease in self._ends

    def set(self, lease: int, at: float) -> None:
        moved = self._ends.get(lease)
        self._ends[lease] = at
        if moved is None:
            heappush(self._heap, (at, lease))

    def extend(self, lease: int, now: float, seconds: float) -> bool:
        """Keep it alive until ``seconds`` from now. False: it has ended, also when nobody has noticed yet."""
        end = self._ends.get(lease)
        if end is None or end <= now:
            return False
        self._ends[lease] = now + seconds
        return True

    def end(self, lease: int) -> float:
        """When it runs out; 0 for one that is not waited for."""
        return self._ends.get(lease, 0.0)

    def first(self) -> float | None:
        """No lease runs out earlier; None: none will."""
        return self._heap[0][0] if self._heap else None

    def drop(self, lease: int) -> None:
        self._ends.pop(lease, None)

    def take_due(self, now: float) -> list[int]:
        """The leases that ended, each once, in the order they ended."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            _, lease = heappop(self._heap)
            end = self._ends.get(lease)
            if end is None:
                continue
            if end > now:
                heappush(self._heap, (end, lease))
            else:
                del self._ends[lease]
                due.append(lease)
        return due
