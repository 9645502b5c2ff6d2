"""What an embedder may have done wrong, each with what was expected and found."""

from __future__ import annotations


class NotDeterministic(RuntimeError):
    """``seed=`` was given where runs do not replay."""

    def __init__(self, seed: int, loop: str) -> None:
        super().__init__(seed, loop)
        self.seed = seed
        self.loop = loop

    def __str__(self) -> str:
        return (
            f"seed={self.seed} replays only on a deterministic loop, found {self.loop}: run the program with "
            f"orchestrator.testing.run(main, seed={self.seed}), or a test with the mark cluster(seed={self.seed})"
        )


class TimeIsReal(RuntimeError):
    """Something that only virtual time can do was asked of a cluster in real time."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f'{self.what} needs virtual time, found the real clock: Cluster(clock="virtual")'


class NotServed(RuntimeError):
    """A kubeconfig was asked of a cluster without an HTTPS door."""

    def __str__(self) -> str:
        return "a kubeconfig needs an HTTPS door, found none: Cluster(serve=True)"


class NoSuchNode(LookupError):
    """``name`` is no node of the cluster; ``known`` are."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known

    def __str__(self) -> str:
        return f"expected an actor's path or one of the nodes {', '.join(self.known) or 'none'}, found {self.name!r}"
