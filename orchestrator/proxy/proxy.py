"""The proxy's actor: Services and EndpointSlices in, one plan of frontends out to the dataplane.

Level-triggered: whatever changed, the frontends of the Services concerned are planned anew, and the dataplane is told
the whole. A listener that cannot be opened becomes an Event on its Service and is tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from actors import Actor, Ask, Exit, Tell
from orchestrator.client.informers import Informers
from orchestrator.client.kinds import ENDPOINTSLICES, SERVICES
from orchestrator.client.messages import Enqueue
from orchestrator.client.recorder import WARNING, Recorder, involved
from orchestrator.client.view import View
from orchestrator.proxy.dataplane import Dataplane, DataplaneStatistics, Refused
from orchestrator.proxy.rules import Frontend, Listen, endpoints_of, frontends

SERVICE_LABEL = "kubernetes.io/service-name"
BY_SERVICE = "service"
RETRY_SECONDS = 5.0


class Apply(Tell):
    """Tell the dataplane what changed."""


class ProxyStatus(Ask[DataplaneStatistics]):
    """What the dataplane carries."""


class Proxy(Actor):
    """``node_addresses`` are where node ports listen."""

    def __init__(
        self, informers: Informers, dataplane: Dataplane, recorder: Recorder, node_addresses: Sequence[str]
    ) -> None:
        self._informers = informers
        self._dataplane = dataplane
        self._recorder = recorder
        self._addresses = tuple(node_addresses)
        self._planned: dict[str, list[Frontend]] = {}
        self._dirty: dict[str, None] = {}
        self._said: dict[Listen, str] = {}
        """Refusals that were told, so that each is an Event once."""
        self._waiting = False

    async def start(self) -> None:
        self._slices = await self._informers.cache(ENDPOINTSLICES, {BY_SERVICE: _service_index})
        self._services = await self._informers.subscribe(SERVICES, self.context.ref, _own)
        await self._informers.subscribe(ENDPOINTSLICES, self.context.ref, _services_of)

    async def stop(self, exit: Exit) -> None:
        await self._dataplane.close()

    async def receive(self, message: Any) -> Any:
        match message:
            case Enqueue():
                self._dirty.update(dict.fromkeys(message.keys))
                if not self._waiting:
                    self._waiting = True
                    self.context.ref.tell_nowait(Apply())
            case Apply():
                self._waiting = False
                await self._apply()
            case ProxyStatus():
                return self._dataplane.statistics()
        return None

    async def _apply(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            self._plan(key)
        wanted: dict[Listen, Frontend] = {}
        for made in self._planned.values():
            for frontend in made:
                wanted.setdefault(frontend.listen, frontend)
        refused = await self._dataplane.apply(wanted)
        self._tell(refused)
        if refused:
            self.context.send_after(RETRY_SECONDS, Apply())

    def _plan(self, key: str) -> None:
        view = self._services.get_key(key)
        if view is None:
            self._planned.pop(key, None)
            return
        endpoints = endpoints_of(one.rest for one in self._slices.by_index(BY_SERVICE, key))
        self._planned[key] = frontends(key, view.spec, endpoints, self._addresses)

    def _tell(self, refused: Iterable[Refused]) -> None:
        now = {one.frontend.listen: one for one in refused}
        for listen, one in now.items():
            view = self._services.get_key(one.frontend.service)
            if self._said.get(listen) != one.reason and view is not None:
                self._recorder.event(involved(SERVICES, view), WARNING, "PortUnavailable", one.reason)
                self.context.log.warning("a service port cannot be opened", service=view.key, reason=one.reason)
        self._said = {listen: one.reason for listen, one in now.items()}


def _own(old: View | None, new: View | None) -> Iterable[str]:
    view = new or old
    return (view.key,) if view is not None else ()


def _services_of(old: View | None, new: View | None) -> Iterable[str]:
    """The Service that a slice belongs to, before and after."""
    found = [key for view in (old, new) if view is not None for key in _service_index(view)]
    return dict.fromkeys(found)


def _service_index(view: View) -> Sequence[str]:
    name = view.labels.get(SERVICE_LABEL)
    return (f"{view.namespace}/{name}",) if name else ()
