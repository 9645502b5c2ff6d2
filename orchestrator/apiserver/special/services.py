"""Services get their cluster address and node ports in the moment they are written."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key
from orchestrator.apiserver.special.allocator import Allocator, Taken, addresses_of, ports_of

SPEC = Path("spec")
WITH_PORTS = ("NodePort", "LoadBalancer")


def reserve_service(env: Environment, call: Call, obj: Object, old: Object | None) -> Callable[[], None] | None:
    """Fill ``clusterIP(s)``, families and ``nodePort`` s. The result gives back what is new; None: nothing is."""
    allocator = env.allocator
    key = object_key("", "services", call.namespace, obj["metadata"].get("name", ""))
    spec = obj["spec"] = dict(obj.get("spec") or {})
    before = set(addresses_of(old or {})), set(ports_of(old or {}))

    def taken() -> tuple[set[str], set[int]]:
        return set(addresses_of(obj)) - before[0], set(ports_of(obj)) - before[1]

    def undo() -> None:
        addresses, ports = taken()
        for address in addresses:
            allocator.release_address(address, key)
        for port in ports:
            allocator.release_port(port, key)

    wrong = _address(allocator, key, spec, old) + _ports(allocator, key, spec, old)
    if wrong:
        undo()
        raise errors.invalid("", "Service", obj["metadata"].get("name", ""), wrong)
    return undo if any(taken()) else None


def _address(allocator: Allocator, key: str, spec: Object, old: Object | None) -> list[FieldError]:
    if spec.get("type") == "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            spec.pop(name, None)
        return []
    if not spec.get("clusterIP") and old is not None and (old.get("spec") or {}).get("type") != "ExternalName":
        for name in ("clusterIP", "clusterIPs"):
            if name in old["spec"]:
                spec[name] = old["spec"][name]
    wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
    if wanted != "None":
        try:
            wanted = allocator.take_address(key, wanted, fresh=old is None)
        except Taken as why:
            path = SPEC.child("clusterIPs")
            return [invalid(path, [wanted] if wanted else [], f"failed to allocate IP {wanted}: {why}")]
        except ValueError:
            return []
    spec["clusterIP"], spec["clusterIPs"] = wanted, [wanted]
    spec.setdefault("ipFamilies", ["IPv6" if ":" in wanted else "IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    return []


def _ports(allocator: Allocator, key: str, spec: Object, old: Object | None) -> list[FieldError]:
    if spec.get("type") not in WITH_PORTS:
        if old is not None and (old.get("spec") or {}).get("type") in WITH_PORTS:
            _forget_ports(spec, ports_of(old))
        return []
    known = _known_ports(old)
    needed = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts", True)
    ports = []
    shared: dict[int, int] = {}
    for position, port in enumerate(spec.get("ports") or ()):
        port = dict(port)
        ports.append(port)
        wanted = port.get("nodePort") or known.get(_identity(port), 0)
        if wanted in shared.values() and wanted:
            port["nodePort"] = wanted
            continue
        if not wanted and not needed:
            continue
        try:
            port["nodePort"] = allocator.take_port(key, wanted, fresh=old is None)
        except Taken as why:
            return [invalid(SPEC.child("ports").index(position).child("nodePort"), wanted, str(why))]
        shared[position] = port["nodePort"]
    spec["ports"] = ports
    return []


def _identity(port: Object) -> tuple[str, str, int]:
    return port.get("name") or "", port.get("protocol") or "TCP", port.get("port") or 0


def _known_ports(old: Object | None) -> dict[tuple[str, str, int], int]:
    """An update that leaves a node port out keeps it."""
    ports = ((old or {}).get("spec") or {}).get("ports") or ()
    return {_identity(port): port["nodePort"] for port in ports if port.get("nodePort")}


def _forget_ports(spec: Object, before: list[int]) -> None:
    """A Service that is no NodePort any more drops the ports that it had as one."""
    spec["ports"] = [
        {name: value for name, value in port.items() if name != "nodePort" or value not in before}
        for port in spec.get("ports") or ()
    ]
