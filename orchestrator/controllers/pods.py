"""What controllers decide by in a pod: its status and spec, typed and decoded once for each view. Pure."""

from __future__ import annotations

from functools import lru_cache
from sys import intern

import msgspec

from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.cache import index_of_metadata, index_of_spec
from orchestrator.client.view import View

PENDING, RUNNING, SUCCEEDED, FAILED, UNKNOWN = "Pending", "Running", "Succeeded", "Failed", "Unknown"
MAX_READ = 2048
"""Rests, and statuses with their rests of pods that do not run yet, remembered as read: those of a template, or of the
pods of it on one node. Caches hold them anyway."""
ADDRESS = msgspec.msgpack.encode("podIP")
"""A status with an address is no other pod's."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


class Condition(msgspec.Struct, frozen=True, gc=False):
    type: str
    status: str = "Unknown"
    lastTransitionTime: str | None = None
    reason: str = ""
    message: str = ""


class Container(msgspec.Struct, frozen=True, gc=False):
    restartCount: int = 0


class PodIP(msgspec.Struct, frozen=True, gc=False):
    ip: str = ""


class _Status(msgspec.Struct, frozen=True):
    phase: str = PENDING
    reason: str = ""
    conditions: tuple[Condition, ...] = ()
    podIP: str = ""
    podIPs: tuple[PodIP, ...] = ()
    containerStatuses: tuple[Container, ...] = ()


class _Spec(msgspec.Struct, frozen=True):
    nodeName: str = ""
    hostname: str = ""
    subdomain: str = ""


class _Rest(msgspec.Struct, frozen=True):
    spec: _Spec


class Pod(msgspec.Struct, frozen=True, gc=False):
    """The facts of one pod."""

    node: str
    phase: str
    ready: bool
    ready_since: float
    """Unix seconds of the last change of the Ready condition; 0 when it is not known."""
    restarts: int
    ips: tuple[str, ...]
    reason: str
    hostname: str
    subdomain: str
    finished: bool


_decode_status = msgspec.msgpack.Decoder(_Status).decode
_decode_rest = lru_cache(MAX_READ)(msgspec.msgpack.Decoder(_Rest).decode)
_NEW = _Status()


def _derive(view: View) -> Pod:
    status = view.encoded.status
    return (_read if ADDRESS in status else _read_alike)(status, view.encoded.rest)


def _read(encoded_status: bytes, rest: bytes) -> Pod:
    status = _decode_status(encoded_status) if encoded_status else _NEW
    ready, since = False, 0.0
    for condition in status.conditions:
        if condition.type == "Ready":
            ready = condition.status == "True"
            since = parse_time(condition.lastTransitionTime) if condition.lastTransitionTime else 0.0
    ips = tuple([intern(held.ip) for held in status.podIPs]) or ((intern(status.podIP),) if status.podIP else ())
    spec = _decode_rest(rest).spec
    return Pod(
        node=intern(spec.nodeName),
        phase=intern(status.phase),
        ready=ready,
        ready_since=since,
        restarts=max((container.restartCount for container in status.containerStatuses), default=0),
        ips=ips,
        reason=status.reason,
        hostname=spec.hostname,
        subdomain=spec.subdomain,
        finished=status.phase in (SUCCEEDED, FAILED),
    )


_read_alike = lru_cache(MAX_READ)(_read)


def condition(view: View, type: str) -> Condition | None:
    """Decoded at each call: few ask."""
    status = view.encoded.status
    found = _decode_status(status).conditions if status else ()
    return next((held for held in found if held.type == type), None)


def pod(view: View) -> Pod:
    return view.facts(_derive)


def active(view: View) -> bool:
    """Neither finished nor on its way out: what counts as a replica."""
    return view.meta.deletionTimestamp is None and not pod(view).finished


def available(held: Pod, min_ready_seconds: int, now: float) -> bool:
    """Ready, and for long enough."""
    return held.ready and (
        min_ready_seconds == 0 or (held.ready_since > 0 and held.ready_since + min_ready_seconds <= now)
    )


def created_at(view: View) -> float:
    text = view.meta.creationTimestamp
    return parse_time(text) if text else 0.0


def deletion_cost(view: View) -> int:
    if not view.meta.annotations:
        return 0
    try:
        return int(view.annotations.get(DELETION_COST, "0"))
    except ValueError:
        return 0


@index_of_spec
def by_node(view: View) -> tuple[str, ...]:
    """Index: the pods of a node."""
    node = pod(view).node
    return (node,) if node else ()


BY_NODE = "spec.nodeName"


@index_of_metadata
def orphans(view: View) -> tuple[str, ...]:
    """Index: the pods of a namespace that no controller owns."""
    return (view.namespace,) if view.owner is None else ()


ORPHANS = "orphans"
