"""What is measured of pods and nodes, and how ``metrics.k8s.io`` shows it. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Form, Quantity
from orchestrator.apimachinery.timestamps import rfc3339

GROUP_VERSION = "metrics.k8s.io/v1beta1"


class Amount(msgspec.Struct, frozen=True):
    """CPU as a rate over the window that it was measured in, memory as it was at the end of the window."""

    cpu_nanocores: int
    memory_bytes: int


class Measured(msgspec.Struct, frozen=True):
    """A pod's containers by name, or a node as the only entry."""

    taken_at: float
    window_seconds: float
    amounts: Mapping[str, Amount]


class Usage(msgspec.Struct, frozen=True):
    """``pods`` by ``namespace/name``, ``nodes`` by name."""

    pods: Mapping[str, Measured]
    nodes: Mapping[str, Measured]


Measure = Callable[[], Awaitable[Usage]]
"""Gives the usage of a moment that is not long gone."""


def pod_metrics(metadata: Mapping[str, Any], measured: Measured) -> Object:
    containers = [{"name": name, "usage": _usage(amount)} for name, amount in sorted(measured.amounts.items())]
    return {**_head("PodMetrics", metadata, measured), "containers": containers}


def node_metrics(metadata: Mapping[str, Any], measured: Measured) -> Object:
    amounts = measured.amounts.values()
    total = Amount(sum(one.cpu_nanocores for one in amounts), sum(one.memory_bytes for one in amounts))
    return {**_head("NodeMetrics", metadata, measured), "usage": _usage(total)}


def _head(kind: str, metadata: Mapping[str, Any], measured: Measured) -> Object:
    kept: Object = {name: metadata[name] for name in ("name", "namespace", "labels") if metadata.get(name)}
    moment = rfc3339(measured.taken_at)
    return {
        "kind": kind,
        "apiVersion": GROUP_VERSION,
        "metadata": kept | {"creationTimestamp": moment},
        "timestamp": moment,
        "window": f"{measured.window_seconds:.3f}s",
    }


def _usage(amount: Amount) -> Object:
    cpu = f"{amount.cpu_nanocores}n" if amount.cpu_nanocores else "0"
    return {"cpu": cpu, "memory": str(Quantity.of(amount.memory_bytes // 1024 * 1024, Form.BINARY))}
