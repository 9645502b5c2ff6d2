"""What the node reads of a pod: a typed view of the fields that planning, probing and status need.

Decoding into these structs skips everything else (volumes, environment, affinity), which is read whole only when a
container is really made. The view is never written back.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from orchestrator.apimachinery.encoded import Object, decode_part
from orchestrator.apimachinery.timestamps import parse_time

MAX_SPECS = 2048
"""Decoded specs that are kept: replicas on one node share their bytes and so one view."""


class View(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A part of a pod as it is stored: camel case names, unknown fields skipped."""


class HttpGet(View, frozen=True):
    port: int | str = 0
    path: str = "/"
    host: str = ""
    scheme: str = "HTTP"
    http_headers: list[dict[str, str]] = []


class TcpSocket(View, frozen=True):
    port: int | str = 0
    host: str = ""


class Exec(View, frozen=True):
    command: list[str] = []


class Grpc(View, frozen=True):
    port: int = 0
    service: str = ""


class Sleep(View, frozen=True):
    seconds: int = 0


class Probe(View, frozen=True):
    """One probe with the defaults that the API fills."""

    exec: Exec | None = None
    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    grpc: Grpc | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class Hook(View, frozen=True):
    """A lifecycle handler: exactly one of its fields is set."""

    exec: Exec | None = None
    http_get: HttpGet | None = None
    sleep: Sleep | None = None


class Lifecycle(View, frozen=True):
    post_start: Hook | None = None
    pre_stop: Hook | None = None
    stop_signal: str | None = None


class Port(View, frozen=True):
    container_port: int = 0
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    host_ip: str = msgspec.field(name="hostIP", default="")


class Resources(View, frozen=True):
    requests: dict[str, Any] | None = None
    limits: dict[str, Any] | None = None


class EnvVar(View, frozen=True):
    """``value`` is empty where it comes from elsewhere."""

    name: str
    value: str = ""


class Container(View, frozen=True):
    name: str
    image: str = ""
    image_pull_policy: str = "IfNotPresent"
    restart_policy: str | None = None
    lifecycle: Lifecycle | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    ports: list[Port] | None = None
    resources: Resources | None = None
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[EnvVar] | None = None
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"


class ReadinessGate(View, frozen=True):
    condition_type: str


class DnsOption(View, frozen=True):
    name: str
    value: str = ""


class DnsConfig(View, frozen=True):
    nameservers: list[str] | None = None
    searches: list[str] | None = None
    options: list[DnsOption] | None = None


class Spec(View, frozen=True):
    containers: list[Container]
    init_containers: list[Container] | None = None
    ephemeral_containers: list[Container] | None = None
    restart_policy: str = "Always"
    termination_grace_period_seconds: int | None = 30
    active_deadline_seconds: int | None = None
    node_name: str = ""
    host_network: bool = False
    readiness_gates: list[ReadinessGate] | None = None
    hostname: str = ""
    subdomain: str = ""
    service_account_name: str = ""
    dns_policy: str = "ClusterFirst"
    dns_config: DnsConfig | None = None


class Metadata(View, frozen=True):
    name: str
    uid: str = ""
    namespace: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: list[str] | None = None


class _Uid(msgspec.Struct, frozen=True):
    uid: str = ""


class _Rest(msgspec.Struct, frozen=True, gc=False):
    spec: Spec


_metadata = msgspec.msgpack.Decoder(Metadata)
_uid = msgspec.msgpack.Decoder(_Uid)
_rest = msgspec.msgpack.Decoder(_Rest)


class Pod(msgspec.Struct, frozen=True, gc=False):
    """A pod as the node plans it. ``status`` is what the API server holds, as a whole dict."""

    metadata: Metadata
    spec: Spec
    status: Object = {}

    @property
    def uid(self) -> str:
        return self.metadata.uid

    @property
    def deleting(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    @property
    def title(self) -> str:
        return f"{self.metadata.namespace}/{self.metadata.name}"

    def init_containers(self) -> list[Container]:
        return self.spec.init_containers or []

    def ephemeral_containers(self) -> list[Container]:
        return self.spec.ephemeral_containers or []

    def every_container(self) -> list[Container]:
        """Init, main and ephemeral containers, in the order they appear in a status."""
        if self.spec.init_containers is None and self.spec.ephemeral_containers is None:
            return self.spec.containers
        return [*self.init_containers(), *self.spec.containers, *self.ephemeral_containers()]

    def container(self, name: str) -> Container | None:
        return next((one for one in self.every_container() if one.name == name), None)

    def grace_seconds(self) -> float:
        """How long a container may take to stop: the deletion's own grace, else the pod's."""
        if self.deleting and self.metadata.deletion_grace_period_seconds is not None:
            return float(self.metadata.deletion_grace_period_seconds)
        return float(self.spec.termination_grace_period_seconds or 0)

    def start_time(self) -> float | None:
        text = self.status.get("startTime")
        return parse_time(text) if text else None


def is_sidecar(container: Container) -> bool:
    """Whether an init container goes on running beside the main ones."""
    return container.restart_policy == "Always"


def decode_uid(part: bytes) -> str:
    """The uid in encoded metadata, and nothing else of it."""
    return _uid.decode(part).uid


def decode_metadata(part: bytes) -> Metadata:
    return _metadata.decode(part)


def decode_spec(part: bytes) -> Spec:
    """The spec out of an object's ``rest`` part."""
    return _rest.decode(part).spec


def decode_pod(metadata: bytes, status: bytes, rest: bytes) -> Pod:
    """The view of a pod from its three encoded parts."""
    return Pod(_metadata.decode(metadata), _spec(rest), decode_part(status))


@lru_cache(MAX_SPECS)
def _spec(rest: bytes) -> Spec:
    return _rest.decode(rest).spec
