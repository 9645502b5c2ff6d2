"""The proxy's actor: follows Services and EndpointSlices, and has the dataplane do what the plan says.

Holds nothing but the portals that are wanted; the dataplane is made anew with each start of the actor.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from actors import Actor, Ask, Clock, Exit, Tell
from orchestrator.client.cache import Cache
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import ENDPOINTSLICES, SERVICES
from orchestrator.client.messages import Enqueue
from orchestrator.client.recorder import WARNING, Recorder, involved
from orchestrator.client.view import View
from orchestrator.proxy.dataplane import Dataplane, DataplaneStatistics, Failure
from orchestrator.proxy.plan import plan
from orchestrator.proxy.portals import SERVICE_LABEL, Front, Place, Portal, portals

RETRY_SECONDS = 5.0
"""A portal that could not be opened (the port is taken) is tried again after this long."""
BY_SERVICE = "service"

MakeDataplane = Callable[[random.Random, Clock], Dataplane]


class Retry(Tell):
    """Try the portals again that could not be opened."""


class ProxyStatus(Ask[DataplaneStatistics]):
    """What the dataplane carries."""


class Proxy(Actor):
    """One for each node, or one for a daemon whose nodes share its network."""

    def __init__(self, informers: Informers, recorder: Recorder, place: Place, make_dataplane: MakeDataplane) -> None:
        self._informers = informers
        self._recorder = recorder
        self._place = place
        self._make_dataplane = make_dataplane
        self._wanted: dict[str, dict[Front, Portal]] = {}
        """By Service (namespace/name)."""
        self._retrying = False
        self._told: dict[Front, str] = {}
        """Failures that were told, so that each is an Event once and not with every retry."""
        self._dataplane: Dataplane
        self._services: Cache
        self._slices: Cache

    async def start(self) -> None:
        self._dataplane = self._make_dataplane(self.context.random, self.context.clock)
        self._slices = await self._informers.cache(ENDPOINTSLICES, {BY_SERVICE: _service_of})
        ref = self.context.ref
        self._services = await self._informers.subscribe(SERVICES, ref, _service_keys)
        await self._informers.subscribe(ENDPOINTSLICES, ref, _slice_keys)

    async def receive(self, message: Any) -> Any:
        match message:
            case Enqueue():
                for key in message.keys:
                    self._look_at(key)
                await self._sync()
            case Retry():
                self._retrying = False
                await self._sync()
            case ProxyStatus():
                return self._dataplane.statistics()
        return None

    async def stop(self, exit: Exit) -> None:
        await self._dataplane.close()

    def _look_at(self, key: str) -> None:
        service = self._services.get_key(key)
        if service is None:
            self._wanted.pop(key, None)
            return
        slices = [view.object for view in self._slices.by_index(BY_SERVICE, key)]
        made = portals(service.object, slices, self._place)
        if made:
            self._wanted[key] = made
        else:
            self._wanted.pop(key, None)

    async def _sync(self) -> None:
        desired = {front: portal for made in self._wanted.values() for front, portal in made.items()}
        change = plan(desired, self._dataplane.observed())
        if not change:
            return
        failures = await self._dataplane.apply(change)
        for failure in failures:
            self._tell(failure)
        self._told = {failure.portal.front: failure.reason for failure in failures}
        if failures and not self._retrying:
            self._retrying = True
            self.context.send_after(RETRY_SECONDS, Retry())

    def _tell(self, failure: Failure) -> None:
        front = failure.portal.front
        view = self._services.get_key(failure.portal.service)
        if view is not None and self._told.get(front) != failure.reason:
            text = f"cannot listen on {front.protocol} {front.address}:{front.port}: {failure.reason}"
            self._recorder.event(involved(SERVICES, view), WARNING, "ListenFailed", text, action="Listening")


def _service_of(view: View) -> Iterable[str]:
    name = view.labels.get(SERVICE_LABEL)
    return (f"{view.namespace}/{name}",) if name else ()


def _service_keys(old: View | None, new: View | None) -> Iterable[str]:
    if old is not None and new is not None and old.encoded.rest == new.encoded.rest:
        return ()
    view = new or old
    return (view.key,) if view is not None else ()


def _slice_keys(old: View | None, new: View | None) -> Iterable[str]:
    """The Services that the slice belongs to and belonged to."""
    return dict.fromkeys(key for view in (old, new) if view is not None for key in _service_of(view))
