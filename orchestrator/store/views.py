"""A committed record as different watchers see it. Each form is made once and shared by all who see it so."""

from __future__ import annotations

from orchestrator.store.fields import match
from orchestrator.store.history import Record, at_revision
from orchestrator.store.protocol import Event


class View:
    """The events that one record becomes."""

    __slots__ = ("_made", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self._made: dict[tuple[str, bool], Event] = {}

    def event(self, wanted: dict[str, str], with_previous: bool) -> Event | None:
        """What a watcher of ``wanted`` fields is told, None when it is none of its business."""
        record = self.record
        if not wanted:
            return self._event("deleted" if record.deleted else "plain", with_previous)
        before = record.previous is not None and match(wanted, record.previous.fields)
        if record.deleted:
            return self._event("deleted", with_previous) if before else None
        if match(wanted, record.value.fields):
            return self._event("plain" if before else "entered", with_previous)
        return self._event("left", with_previous) if before else None

    def _event(self, form: str, with_previous: bool) -> Event:
        made = self._made.get((form, with_previous))
        if made is None:
            made = self._made[form, with_previous] = _make(self.record, form, with_previous)
        return made


def _make(record: Record, form: str, with_previous: bool) -> Event:
    previous = record.previous if with_previous else None
    if form == "left":
        assert record.previous is not None, "only a value that matched before can stop matching"
        return Event(True, False, at_revision(record.previous, record.revision), previous)
    created = not record.deleted and (form == "entered" or record.previous is None)
    return Event(record.deleted, created, record.value, previous)
