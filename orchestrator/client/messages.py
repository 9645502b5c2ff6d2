"""What informers and their subscribers tell each other."""

from __future__ import annotations

from actors import Ask, Tell


class Enqueue(Tell):
    """These keys want work, because objects of ``kind`` (its label) changed.

    ``causes`` has for each key the revisions of the changes, at most ``MAX_CAUSES``, oldest first. ``revision`` is what
    the cache has seen; ``keys`` may be empty: the cache has just become complete.
    """

    kind: str
    keys: list[str]
    causes: list[list[int]]
    revision: int


class Synced(Ask[int]):
    """Answered with the cache's revision as soon as the first list is in."""


class Subscribed(Tell):
    """The subscriber at ``path`` is new: tell it of every object there is."""

    path: str


class Hasten(Tell):
    """Somebody waits for the cache's revision to reach the server's: have progress shown now, not at the next round."""
