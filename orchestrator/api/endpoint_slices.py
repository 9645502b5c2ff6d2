"""The rules of EndpointSlice (``discovery.k8s.io``)."""

from __future__ import annotations

from typing import Any

from orchestrator.api.cells import UNSET, age_of, columns, joined, name_of
from orchestrator.api.strategy import Rules, setdefault
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, immutable, not_supported, required

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


def _default(obj: Object) -> None:
    for port in obj.get("ports") or ():
        setdefault(port, "name", "")
        setdefault(port, "protocol", "TCP")
    for endpoint in obj.get("endpoints") or ():
        setdefault(endpoint, "conditions", {})


def _changed(new: Object, old: Object) -> bool:
    """Anything but the metadata, or the labels in it."""
    keys = ("endpoints", "ports", "addressType")
    if any(new.get(key) != old.get(key) for key in keys):
        return True
    return bool(new["metadata"].get("labels") != old["metadata"].get("labels"))


def _check(obj: Object) -> list[FieldError]:
    kind = obj.get("addressType")
    if not kind:
        return [required("addressType")]
    return [] if kind in _ADDRESS_TYPES else [not_supported("addressType", kind, _ADDRESS_TYPES)]


def _row(obj: Object, now: float) -> list[Any]:
    ports = [str(port["port"]) if port.get("port") is not None else "*" for port in obj.get("ports") or ()]
    addresses = [address for each in obj.get("endpoints") or () for address in each.get("addresses") or ()]
    return [
        name_of(obj),
        obj.get("addressType") or "",
        joined(ports) or UNSET,
        joined(addresses) or UNSET,
        age_of(obj, now),
    ]


RULES = (
    Rules(
        group="discovery.k8s.io",
        kind="EndpointSlice",
        counts=_changed,
        default=_default,
        check=_check,
        check_update=lambda new, old: immutable("addressType", new.get("addressType"), old.get("addressType")),
        columns=columns("Name", "AddressType", "Ports", "Endpoints", "Age"),
        row=_row,
    ),
)
