"""Which keys carry a field's value: what a range or watch with ``fields`` looks up in place of a scan."""

from __future__ import annotations

MAX_SHARED = 16_384
"""Sets of fields remembered, so that all pods of a node have one dict; then they are forgotten and found anew."""


class FieldIndex:
    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], set[str]] = {}
        self._shared: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def shared(self, fields: dict[str, str]) -> dict[str, str]:
        """The dict that came before, where an equal one did."""
        if len(self._shared) >= MAX_SHARED:
            self._shared.clear()
        return self._shared.setdefault(tuple(fields.items()), fields)

    def move(self, key: str, old: dict[str, str], new: dict[str, str]) -> None:
        """``key`` had the fields ``old`` and has ``new``."""
        if old is new or old == new:
            return
        for item in old.items():
            if new.get(item[0]) != item[1]:
                keys = self._keys[item]
                keys.discard(key)
                if not keys:
                    del self._keys[item]
        for item in new.items():
            if old.get(item[0]) != item[1]:
                self._keys.setdefault(item, set()).add(key)

    def keys(self, fields: dict[str, str], prefix: str, after: str = "") -> list[str]:
        """The keys with the prefix, after ``after``, that carry all of ``fields`` (not empty), in order."""
        sets = sorted((self._keys.get(item, set()) for item in fields.items()), key=len)
        smallest, others = sets[0], sets[1:]
        return sorted(
            key for key in smallest if key > after and key.startswith(prefix) and all(key in other for other in others)
        )


def match(wanted: dict[str, str], fields: dict[str, str]) -> bool:
    """Whether ``fields`` carry everything that is ``wanted``."""
    return all(fields.get(name) == value for name, value in wanted.items())
