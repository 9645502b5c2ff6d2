"""EndpointSlice: the slices of a Service name every pod behind it once, at most 100 in each, with its true conditions.

Slices that are right are left alone; endpoints move into slices that change anyway, so that few watchers hear of much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.cache import Cache, Index
from orchestrator.client.kinds import ENDPOINTSLICES, NODES, PODS, SERVICES, Kind
from orchestrator.client.protocol import Request, Want
from orchestrator.client.requests import create, delete, update
from orchestrator.client.subscription import KeysUnless
from orchestrator.client.view import View
from orchestrator.controllers.controller import Controller, Watched, controller_reference, own_keys, refusals
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
from orchestrator.controllers.pods import pod

MAX_ENDPOINTS = 100
"""Endpoints in one slice (kube-controller-manager's default)."""
SERVICE_LABEL = "kubernetes.io/service-name"
MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
ZONE_LABEL = "topology.kubernetes.io/zone"
BY_SERVICE = "managed-for-service"
_RESERVED = (SERVICE_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL)

Ports = tuple[tuple[str, int, str, str], ...]


class Plan(msgspec.Struct, frozen=True):
    create: list[Object]
    update: list[Object]
    """Whole objects with their ``resourceVersion``."""
    delete: list[View]


def of_service(view: View) -> Iterable[str]:
    """Index of slices: the Service that ours belong to."""
    labels = view.labels
    if labels.get(MANAGED_BY_LABEL) != MANAGER or SERVICE_LABEL not in labels:
        return ()
    return (f"{view.namespace}/{labels[SERVICE_LABEL]}",)


def plan(service: View, pods: Sequence[View], slices: Sequence[View], zones: Mapping[str, str]) -> Plan:
    """Pure. ``slices`` are ours of this Service, ``zones`` says where each node is."""
    result = Plan([], [], [])
    wanted = families(service)
    for family in wanted:
        held = [view for view in slices if view.rest.get("addressType") == family]
        _plan_family(service, members(service, pods, family), held, family, zones, result)
    result.delete.extend(view for view in slices if view.rest.get("addressType") not in wanted)
    return result


def _plan_family(
    service: View,
    found: Sequence[Member],
    slices: Sequence[View],
    family: str,
    zones: Mapping[str, str],
    result: Plan,
) -> None:
    groups: dict[Ports, dict[str, Object]] = {}
    for member in found:
        groups.setdefault(member.ports, {})[member.view.uid] = endpoint(member, zones)
    by_ports: dict[Ports, list[View]] = {}
    for view in slices:
        by_ports.setdefault(_ports_of(view), []).append(view)
    spare: list[View] = []
    for ports, held in by_ports.items():
        if ports not in groups:
            spare.extend(held)
    for ports, endpoints in groups.items():
        _plan_group(service, family, ports, endpoints, by_ports.get(ports, []), result)
    if not groups:
        _placeholder(service, family, spare, result)
    else:
        result.delete.extend(spare)


def _placeholder(service: View, family: str, slices: Sequence[View], result: Plan) -> None:
    """A Service without endpoints keeps one empty slice, so that readers see it is known."""
    if not slices:
        result.create.append(new_slice(service, family, (), []))
        return
    first, *others = slices
    if first.rest.get("endpoints") or _labels(service) != first.labels:
        result.update.append(_changed(first, service, []))
    result.delete.extend(others)


def _plan_group(
    service: View, family: str, ports: Ports, endpoints: dict[str, Object], slices: Sequence[View], result: Plan
) -> None:
    left = dict(endpoints)
    kept: list[tuple[View, list[Object], bool]] = []
    labels = _labels(service)
    for view in slices:
        stay, changed = _kept(view, left)
        kept.append((view, stay, changed or labels != view.labels))
    waiting = list(left.values())
    for position, (view, stay, changed) in enumerate(kept):
        if changed and stay and waiting:
            kept[position] = (view, stay + _take(waiting, MAX_ENDPOINTS - len(stay)), True)
    if waiting and len(waiting) < MAX_ENDPOINTS:
        _fill_one(kept, waiting)
    for position, (view, stay, _) in enumerate(kept):
        if not stay and waiting:
            kept[position] = (view, _take(waiting, MAX_ENDPOINTS), True)
    for view, stay, changed in kept:
        if not stay:
            result.delete.append(view)
        elif changed:
            result.update.append(_changed(view, service, stay))
    while waiting:
        result.create.append(new_slice(service, family, ports, _take(waiting, MAX_ENDPOINTS)))


def _kept(view: View, left: dict[str, Object]) -> tuple[list[Object], bool]:
    """The endpoints of a slice that are still wanted, as they are now; takes them out of ``left``."""
    stay: list[Object] = []
    changed = False
    for held in view.rest.get("endpoints") or ():
        wanted = left.pop((held.get("targetRef") or {}).get("uid", ""), None)
        if wanted is None:
            changed = True
            continue
        stay.append(wanted)
        changed = changed or wanted != held
    return stay, changed


def _fill_one(kept: list[tuple[View, list[Object], bool]], waiting: list[Object]) -> None:
    """All that waits goes into the fullest slice with room for it, rather than into a new one."""
    best = -1
    for position, (_, stay, _) in enumerate(kept):
        if stay and len(stay) + len(waiting) <= MAX_ENDPOINTS and (best < 0 or len(stay) > len(kept[best][1])):
            best = position
    if best >= 0:
        view, stay, _ = kept[best]
        kept[best] = (view, stay + _take(waiting, MAX_ENDPOINTS), True)


def _take(waiting: list[Object], count: int) -> list[Object]:
    taken = waiting[:count]
    del waiting[:count]
    return taken


def endpoint(member: Member, zones: Mapping[str, str]) -> Object:
    view = member.view
    made: Object = {
        "addresses": [member.address],
        "conditions": {"ready": member.ready, "serving": member.serving, "terminating": member.terminating},
    }
    if member.hostname:
        made["hostname"] = member.hostname
    if member.node:
        made["nodeName"] = member.node
        if member.node in zones:
            made["zone"] = zones[member.node]
    made["targetRef"] = {"kind": "Pod", "namespace": view.namespace, "name": view.name, "uid": view.uid}
    return made


def new_slice(service: View, family: str, ports: Ports, endpoints: list[Object]) -> Object:
    return {
        "apiVersion": ENDPOINTSLICES.api_version,
        "kind": ENDPOINTSLICES.kind,
        "metadata": {
            "generateName": f"{service.name}-",
            "namespace": service.namespace,
            "labels": _labels(service),
            "ownerReferences": [controller_reference(service)],
        },
        "addressType": family,
        "endpoints": endpoints,
        "ports": [_port(port) for port in ports],
    }


def _changed(view: View, service: View, endpoints: list[Object]) -> Object:
    metadata = {**view.metadata, "labels": _labels(service)}
    return {**view.rest, "metadata": metadata, "endpoints": endpoints}


def _labels(service: View) -> dict[str, str]:
    labels = {name: value for name, value in service.labels.items() if name not in _RESERVED}
    if headless(service):
        labels[HEADLESS_LABEL] = ""
    return {**labels, SERVICE_LABEL: service.name, MANAGED_BY_LABEL: MANAGER}


def _port(port: tuple[str, int, str, str]) -> Object:
    name, number, protocol, application = port
    made: Object = {"name": name, "port": number, "protocol": protocol}
    if application:
        made["appProtocol"] = application
    return made


def _ports_of(view: View) -> Ports:
    return tuple(
        (port.get("name", ""), port.get("port", 0), port.get("protocol", "TCP"), port.get("appProtocol", ""))
        for port in view.rest.get("ports") or ()
    )


class EndpointSlices(Controller, kind=SERVICES):
    """Drives the slices of each Service with a selector."""

    pace_seconds: ClassVar[float] = 0.1

    def watches(self) -> list[Watched]:
        return [
            Watched(SERVICES, own_keys, {BY_SELECTOR: selector_pair}),
            Watched(PODS, KeysUnless(self._no_services, self._pod_keys), {BY_LABEL: label_pairs}),
            Watched(ENDPOINTSLICES, self._slice_keys, {BY_SERVICE: of_service}),
        ]

    def reads(self) -> Mapping[Kind, Mapping[str, Index]]:
        return {NODES: {}}

    def _no_services(self) -> bool:
        return self.cache(SERVICES).empty(BY_SELECTOR)

    def _pod_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return service_keys(self.cache(SERVICES), old, new)

    def _slice_keys(self, old: View | None, new: View | None) -> Iterable[str]:
        return dict.fromkeys(key for view in (old, new) if view is not None for key in of_service(view))

    async def reconcile(self, key: str) -> Outcome:
        service = self.cache(SERVICES).get_key(key)
        if service is None or service.deleting:
            return DONE
        if not service.spec.get("selector") or service.spec.get("type") == "ExternalName":
            return DONE
        slices = self.cache(ENDPOINTSLICES).by_index(BY_SERVICE, key)
        pods = selected(self.cache(PODS), service)
        planned = plan(service, pods, slices, zones(self.cache(NODES), pods))
        requests: list[Request] = [
            *(create(ENDPOINTSLICES, made, want=Want.REVISION) for made in planned.create),
            *(update(ENDPOINTSLICES, made, want=Want.REVISION) for made in planned.update),
            *(delete(ENDPOINTSLICES, view.name, view.namespace, uid=view.uid) for view in planned.delete),
        ]
        if not requests:
            return DONE
        refused = refusals(await self.write(key, ENDPOINTSLICES, requests))
        lasting = [message for _, reason, message in refused if reason != "NotFound"]
        return retry(lasting[0]) if lasting else DONE


def zones(nodes: Cache, pods: Iterable[View]) -> dict[str, str]:
    """The zones of the nodes that these pods are on."""
    found: dict[str, str] = {}
    for name in {pod(view).node: None for view in pods}:
        node = nodes.get("", name) if name else None
        zone = node.labels.get(ZONE_LABEL) if node is not None else None
        if zone:
            found[name] = zone
    return found
