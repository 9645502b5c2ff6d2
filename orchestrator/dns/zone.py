"""What names there are: Services and the endpoints behind them, kept by key. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.apimachinery.encoded import Object

HEADLESS = "None"
SERVICE_LABEL = "kubernetes.io/service-name"


class Port(msgspec.Struct, frozen=True):
    name: str
    protocol: str
    number: int


class Service(msgspec.Struct, frozen=True):
    """A Service as far as its names go. ``addresses`` is empty for a headless one."""

    namespace: str
    name: str
    addresses: tuple[str, ...] = ()
    external_name: str = ""
    ports: tuple[Port, ...] = ()
    publish_not_ready: bool = False


class Endpoint(msgspec.Struct, frozen=True):
    address: str
    hostname: str
    ready: bool
    ports: tuple[Port, ...]

    @property
    def label(self) -> str:
        """Its name below the Service: the hostname, else the address with dashes."""
        return self.hostname or self.address.replace(".", "-").replace(":", "-")


class Zone:
    """The cluster's names. Every change replaces what one object said before."""

    def __init__(self) -> None:
        self._services: dict[tuple[str, str], Service] = {}
        self._slices: dict[str, tuple[tuple[str, str], tuple[Endpoint, ...]]] = {}
        self._behind: dict[tuple[str, str], dict[str, None]] = {}
        self._reverse: dict[str, dict[tuple[str, str], None]] = {}
        self._namespaces: dict[str, int] = {}

    def service(self, namespace: str, name: str) -> Service | None:
        return self._services.get((namespace, name))

    def has_namespace(self, namespace: str) -> bool:
        return namespace in self._namespaces

    def endpoints(self, service: Service) -> list[Endpoint]:
        """Those that a headless Service's name stands for, each address once."""
        key = (service.namespace, service.name)
        found: dict[tuple[str, str], Endpoint] = {}
        for slice_key in self._behind.get(key, ()):
            for endpoint in self._slices[slice_key][1]:
                if endpoint.ready or service.publish_not_ready:
                    found.setdefault((endpoint.address, endpoint.hostname), endpoint)
        return list(found.values())

    def names_of(self, address: str) -> list[Service]:
        """The Services whose cluster address this is."""
        return [self._services[key] for key in self._reverse.get(address, ())]

    def put_service(self, service: Service) -> None:
        self.drop_service(service.namespace, service.name)
        key = (service.namespace, service.name)
        self._services[key] = service
        self._namespaces[service.namespace] = self._namespaces.get(service.namespace, 0) + 1
        for address in service.addresses:
            self._reverse.setdefault(address, {})[key] = None

    def drop_service(self, namespace: str, name: str) -> None:
        service = self._services.pop((namespace, name), None)
        if service is None:
            return
        self._namespaces[namespace] -= 1
        if not self._namespaces[namespace]:
            del self._namespaces[namespace]
        for address in service.addresses:
            keys = self._reverse[address]
            del keys[(namespace, name)]
            if not keys:
                del self._reverse[address]

    def put_slice(self, key: str, service: tuple[str, str], endpoints: tuple[Endpoint, ...]) -> None:
        self.drop_slice(key)
        self._slices[key] = (service, endpoints)
        self._behind.setdefault(service, {})[key] = None

    def drop_slice(self, key: str) -> None:
        found = self._slices.pop(key, None)
        if found is not None:
            behind = self._behind[found[0]]
            del behind[key]
            if not behind:
                del self._behind[found[0]]


def service_of(namespace: str, name: str, spec: Object) -> Service:
    """The names that a Service's spec gives it."""
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP") or HEADLESS]
    external = spec.get("externalName", "") if spec.get("type") == "ExternalName" else ""
    return Service(
        namespace,
        name,
        () if external else tuple(address for address in addresses if address and address != HEADLESS),
        external,
        _ports(spec.get("ports") or ()),
        bool(spec.get("publishNotReadyAddresses")),
    )


def endpoints_of(rest: Object) -> tuple[Endpoint, ...]:
    """The endpoints of an EndpointSlice (everything but its metadata)."""
    ports = _ports(rest.get("ports") or ())
    return tuple(
        Endpoint(address, endpoint.get("hostname") or "", _ready(endpoint), ports)
        for endpoint in rest.get("endpoints") or ()
        for address in endpoint["addresses"]
    )


def _ready(endpoint: Object) -> bool:
    return bool((endpoint.get("conditions") or {}).get("ready", True))


def _ports(ports: Iterable[Object]) -> tuple[Port, ...]:
    return tuple(Port(port.get("name") or "", port.get("protocol") or "TCP", port.get("port") or 0) for port in ports)
