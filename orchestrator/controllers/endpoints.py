"""Endpoints (the older API): one object for each Service with a selector, ready addresses apart from others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import ENDPOINTS, PODS, SERVICES
from orchestrator.client.protocol import Want
from orchestrator.client.requests import create, delete, update
from orchestrator.client.subscription import KeysUnless
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, own_keys, refusals
from orchestrator.controllers.membership import (
    BY_LABEL,
    BY_SELECTOR,
    HEADLESS_LABEL,
    Member,
    families,
    headless,
    label_pairs,
    members,
    selected,
    selector_pair,
    service_keys,
)
from orchestrator.controllers.outcome import DONE, Outcome, retry

MAX_ADDRESSES = 1000
"""Addresses in one Endpoints object; of more the first are kept and an annotation says so."""
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"

Ports = tuple[tuple[str, int, str, str], ...]


def plan(service: View, pods: Sequence[View], held: View | None) -> Object | None:
    """The object that should be, or None when it is so already."""
    found = members(service, pods, families(service)[0])
    found = [member for member in found if not member.terminating]
    kept = sorted(found, key=lambda member: (not member.ready, member.address))[:MAX_ADDRESSES]
    subsets = _subsets(kept)
    labels = {**service.labels, MANAGED_BY_LABEL: MANAGER}
    if headless(service):
        labels[HEADLESS_LABEL] = ""
    annotations = {OVER_CAPACITY: "truncated"} if len(found) > len(kept) else {}
    if held is not None:
        right = held.labels == labels and held.annotations.get(OVER_CAPACITY) == annotations.get(OVER_CAPACITY)
        if right and (held.rest.get("subsets") or []) == subsets:
            return None
        kept_annotations = {name: value for name, value in held.annotations.items() if name != OVER_CAPACITY}
        metadata = {**held.metadata, "labels": labels, "annotations": {**kept_annotations, **annotations}}
    else:
        metadata = {"name": service.name, "namespace": service.namespace, "labels": labels, "annotations": annotations}
    made: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
    return {**made, "subsets": subsets} if subsets else made


def _subsets(found: Sequence[Member]) -> list[Object]:
    groups: dict[Ports, tuple[list[Object], list[Object]]] = {}
    for member in sorted(found, key=lambda member: member.address):
        ready, waiting = groups.setdefault(member.ports, ([], []))
        (ready if member.ready else waiting).append(_address(member))
    made = []
    for ports, (ready, waiting) in sorted(groups.items()):
        subset: Object = {}
        if ready:
            subset["addresses"] = ready
        if waiting:
            subset["notReadyAddresses"] = waiting
        if ports:
            subset["ports"] = [_port(port) for port in ports]
        made.append(subset)
    return made


def _address(member: Member) -> Object:
    view = member.view
    made: Object = {"ip": member.address}
    if member.hostname:
        made["hostname"] = member.hostname
    if member.node:
        made["nodeName"] = member.node
    made["targetRef"] = {"kind": "Pod", "namespace": view.namespace, "name": view.name, "uid": view.uid}
    return made


def _port(port: tuple[str, int, str, str]) -> Object:
    name, number, protocol, application = port
    made: Object = {"name": name} if name else {}
    made.update({"port": number, "protocol": protocol})
    if application:
        made["appProtocol"] = application
    return made


class EndpointsWriter(Controller, kind=SERVICES):
    """Drives the Endpoints object of each Service with a selector; one without is left to whoever wrote it."""

    pace_seconds: ClassVar[float] = 0.5

    def watches(self) -> list[Watched]:
        return [
            Watched(SERVICES, own_keys, {BY_SELECTOR: selector_pair}),
            Watched(PODS, KeysUnless(self._no_services, self._pod_keys), {BY_LABEL: label_pairs}),
            Watched(ENDPOINTS, own_keys),
        ]

    def _no_services(self) -> bool:
        return self.cache(SERVICES).empty(BY_SELECTOR)

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return service_keys(self.cache(SERVICES), old, new)

    async def reconcile(self, key: str) -> Outcome:
        service = self.cache(SERVICES).get_key(key)
        held = self.cache(ENDPOINTS).get_key(key)
        if service is None:
            ours = held is not None and held.labels.get(MANAGED_BY_LABEL) == MANAGER
            requests = [delete(ENDPOINTS, held.name, held.namespace, uid=held.uid)] if held is not None and ours else []
        elif not service.spec.get("selector") or service.spec.get("type") == "ExternalName":
            return DONE
        else:
            made = plan(service, selected(self.cache(PODS), service), held)
            if made is None:
                return DONE
            say = update if held is not None else create
            requests = [say(ENDPOINTS, made, want=Want.REVISION)]
        refused = refusals(await self.write(key, ENDPOINTS, requests)) if requests else []
        lasting = [message for _, reason, message in refused if reason != "NotFound"]
        return retry(lasting[0]) if lasting else DONE
