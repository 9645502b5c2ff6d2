"""A watch with a test that the store cannot make: a child actor between the store and the subscriber.

Every event carries the value before it, so what enters or leaves the selection is seen without keeping anything.
"""

from __future__ import annotations

from typing import Any

from actors import Actor, Exit, Ref
from orchestrator.apiserver.selection import Selection
from orchestrator.apiserver.storage import Storage, encoded_of
from orchestrator.apiserver.versions import Form, read_as
from orchestrator.store.protocol import Changes, Event, Unwatch, Value, WatchCredit, WatchEnded


class FilteredWatch(Actor):
    """Passes on what the selection matches. Ends with its subscriber, or when the store ends the watch."""

    def __init__(self, subscriber: Ref[Any], selection: Selection, storage: Storage, form: Form | None) -> None:
        self._subscriber = subscriber
        self._selection = selection
        self._storage = storage
        self._form = form
        self._watch = 0

    async def start(self) -> None:
        self.context.watch(self._subscriber)

    async def receive(self, message: Any) -> Any:
        match message:
            case Changes():
                self._watch = message.watch
                await self._pass(message)
            case WatchEnded():
                await self._subscriber.tell(message)
                self.context.stop()
            case Unwatch() | WatchCredit():
                await self._storage.tell(message)
            case _:
                self.context.stop()

    async def stop(self, exit: Exit) -> None:
        if self._watch:
            await self._storage.tell(Unwatch(self._watch))

    async def _pass(self, frame: Changes) -> None:
        events = [kept for event in frame.events if (kept := select(self._selection, event)) is not None]
        if self._form is not None:
            events = [in_served_form(self._form, event) for event in events]
        if events or not frame.events:
            await self._subscriber.tell(Changes.of(frame.watch, frame.tag, frame.revision, events))
        else:
            await self._storage.tell(WatchCredit(frame.watch, 1))


def select(selection: Selection, event: Event) -> Event | None:
    """The event as a subscriber of the selection sees it: one that leaves is a delete, one that enters is a create."""
    before = event.previous is not None and _matches(selection, event.previous)
    after = not event.deleted and _matches(selection, event.value)
    if event.deleted:
        known = before if event.previous is not None else _matches(selection, event.value)
        return event if known else None
    if after:
        return Event(False, not before, event.value)
    if not before:
        return None
    assert event.previous is not None
    last, now = event.previous, event.value
    return Event(True, False, Value(last.key, last.parts, now.mod_revision, last.create_revision, last.version))


def in_served_form(form: Form, event: Event) -> Event:
    value = event.value
    encoded = read_as(form, encoded_of(value))
    served = Value(value.key, encoded.parts(), value.mod_revision, value.create_revision, value.version)
    return Event(event.deleted, event.created, served)


def _matches(selection: Selection, value: Value) -> bool:
    if selection.name and value.key.rpartition("/")[2] != selection.name:
        return False
    return selection.matches(encoded_of(value))
