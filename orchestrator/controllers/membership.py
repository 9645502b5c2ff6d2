"""Which pods stand behind a Service, with their addresses, ports and conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.client.cache import Cache, index_of_metadata
from orchestrator.client.view import View
from orchestrator.controllers.pods import Pod, pod

IPV4, IPV6 = "IPv4", "IPv6"
HEADLESS_LABEL = "service.kubernetes.io/headless"
BY_LABEL = "labels"
BY_SELECTOR = "selector"
UNINDEXED = "pod-template-hash"
"""A label that no Service selects by alone: it is left out of the index."""


class Member(msgspec.Struct, frozen=True):
    """One pod behind one Service, in one address family."""

    view: View
    address: str
    ports: tuple[tuple[str, int, str, str], ...]
    """Name, number, protocol, application protocol."""
    ready: bool
    serving: bool
    terminating: bool
    node: str
    hostname: str


@index_of_metadata
def label_pairs(view: View) -> Iterable[str]:
    """Index of pods: each label within its namespace."""
    return view.facts(_label_pairs)


def _label_pairs(view: View) -> tuple[str, ...]:
    namespace = view.meta.namespace
    return tuple([f"{namespace}\n{name}={value}" for name, value in view.labels.items() if name != UNINDEXED])


def selector_pair(view: View) -> Iterable[str]:
    """Index of Services: one label of the selector, so that a pod's labels find every Service that may select it."""
    selector: dict[str, str] = view.spec.get("selector") or {}
    if not selector or view.spec.get("type") == "ExternalName":
        return ()
    indexed = [name for name in selector if name != UNINDEXED]
    name = min(indexed) if indexed else UNINDEXED
    return (f"{view.namespace}\n{name}={selector[name]}",)


def services_of(services: Cache, view: View) -> list[str]:
    """The keys of the Services that select this pod."""
    pairs: list[str] = list(view.facts(_label_pairs))
    unindexed = view.labels.get(UNINDEXED)
    if unindexed is not None:
        pairs.append(f"{view.namespace}\n{UNINDEXED}={unindexed}")
    found: list[str] = []
    for pair in pairs:
        if services.count(BY_SELECTOR, pair):
            candidates = services.by_index(BY_SELECTOR, pair)
            labels = view.labels.items()
            found += [held.key for held in candidates if (held.spec.get("selector") or {}).items() <= labels]
    return found


def service_keys(services: Cache, old: View | None, new: View | None) -> Iterable[str]:
    """The Services to which a pod's change matters, before and after."""
    view = new or old
    assert view is not None, "a change has a before or an after"
    if old is not None and new is not None and not matters(old, new):
        return ()
    found = services_of(services, view)
    if old is not None and new is not None and old.meta.labels != new.meta.labels:
        found = list(dict.fromkeys([*services_of(services, old), *found]))
    return found


def selected(pods: Cache, service: View) -> list[View]:
    """The pods that a Service selects."""
    selector: dict[str, str] = service.spec.get("selector") or {}
    pair = next(iter(selector_pair(service)), "")
    indexed = pair and not pair.split("\n", 1)[1].startswith(UNINDEXED + "=")
    candidates = pods.by_index(BY_LABEL, pair) if indexed else pods.list(service.namespace)
    return [view for view in candidates if selector.items() <= view.labels.items()]


def matters(old: View | None, new: View | None) -> bool:
    """Whether a pod's change can be seen in the endpoints of a Service."""
    if old is None or new is None:
        return True
    return old.meta.labels != new.meta.labels or old.deleting != new.deleting or _seen(pod(old)) != _seen(pod(new))


def _seen(held: Pod) -> tuple[Any, ...]:
    return held.ips, held.ready, held.node, held.finished, held.hostname


def families(service: View) -> list[str]:
    found = service.spec.get("ipFamilies")
    if found:
        return list(found)
    return [IPV6 if ":" in (service.spec.get("clusterIP") or "") else IPV4]


def headless(service: View) -> bool:
    return service.spec.get("clusterIP") == "None"


def members(service: View, pods: Iterable[View], family: str) -> list[Member]:
    """The pods with an address of this family that are not finished; terminating ones too."""
    spec = service.spec
    ports: Sequence[Object] = spec.get("ports") or ()
    publish = bool(spec.get("publishNotReadyAddresses"))
    named = any(isinstance(port.get("targetPort"), str) for port in ports)
    fixed = () if named else tuple(_port(port, _number(port)) for port in ports)
    found = []
    for view in pods:
        held = pod(view)
        address = next((ip for ip in held.ips if (":" in ip) == (family == IPV6)), "")
        if held.finished or not address:
            continue
        numbers = _resolved(ports, view) if named else fixed
        ready = publish or (held.ready and not view.deleting)
        hostname = held.hostname if held.subdomain == service.name else ""
        found.append(Member(view, address, numbers, ready, held.ready, view.deleting, held.node, hostname))
    return found


def _number(port: Object) -> int:
    target = port.get("targetPort")
    return target if isinstance(target, int) and target else int(port["port"])


def _port(port: Object, number: int) -> tuple[str, int, str, str]:
    return port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol", "")


def _resolved(ports: Sequence[Object], view: View) -> tuple[tuple[str, int, str, str], ...]:
    """A port that the pod does not name is left out."""
    found = []
    for port in ports:
        target = port.get("targetPort")
        number: int | None = _number(port) if not isinstance(target, str) else _named(view, target, port)
        if number is not None:
            found.append(_port(port, number))
    return tuple(found)


def _named(view: View, name: str, port: Object) -> int | None:
    protocol = port.get("protocol", "TCP")
    for container in [*view.spec.get("containers", ()), *_sidecars(view)]:
        for held in container.get("ports") or ():
            if held.get("name") == name and held.get("protocol", "TCP") == protocol:
                number: int = held["containerPort"]
                return number
    return None


def _sidecars(view: View) -> list[Object]:
    return [held for held in view.spec.get("initContainers") or () if held.get("restartPolicy") == "Always"]
