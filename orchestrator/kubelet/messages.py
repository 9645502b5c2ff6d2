"""What a kubelet is told and asked, beside the ``Changes`` of its watch."""

from __future__ import annotations

import msgspec

from actors import Ask, Tell


class Open(Tell):
    """List and watch the node's pods; of an older attempt it is ignored."""

    attempt: int


class Register(Tell):
    """Register the node, again after a failure."""


class Heartbeat(Tell):
    """Renew the lease; each so many times write the node's status too."""


class Listen(Tell):
    """Has the watch of the node's pods been silent for too long?"""


class Refresh(Tell):
    """Bring the files of volumes up to date."""


class Look(Tell):
    """Something of this pod changed at the runtime."""

    uid: str


class Wake(Tell):
    """The earliest of the moments that pods asked for has come."""


class ContainerUsage(msgspec.Struct, frozen=True):
    """Cumulative CPU and the working set of a running container, as ``metrics.k8s.io`` wants them."""

    name: str
    cpu_nanoseconds: int
    memory_bytes: int
    started_at: float


class PodUsage(msgspec.Struct, frozen=True):
    namespace: str
    name: str
    uid: str
    containers: list[ContainerUsage]


class NodeUsage(msgspec.Struct, frozen=True):
    """``taken_at`` is Unix seconds; a rate is the difference of two of these."""

    node: str
    taken_at: float
    cpu_nanoseconds: int
    memory_bytes: int
    pods: list[PodUsage]


class PodStats(Ask[list[PodUsage]]):
    """The usage of every pod on the node, or of the one with ``uid``."""

    uid: str = ""


class NodeStats(Ask[NodeUsage]):
    """The usage of the node: the sum of its pods, and each of them."""


class KubeletStatus(msgspec.Struct, frozen=True):
    node: str
    pods: int
    driving: int
    registered: bool


class Describe(Ask[KubeletStatus]):
    """How the kubelet is."""
