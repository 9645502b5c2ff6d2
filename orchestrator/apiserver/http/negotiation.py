"""Content negotiation: what the body is, and what the caller takes for an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from orchestrator.apimachinery import errors

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML)
ACCEPTED_BODIES = (JSON, YAML, PROTOBUF)
REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class MediaType:
    """``as_kind``: Table, PartialObjectMetadata, PartialObjectMetadataList or APIGroupDiscoveryList."""

    type: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def as_kind(self) -> str:
        return self.parameters.get("as", "")


@lru_cache(REMEMBERED)
def parse_accept(header: str) -> tuple[MediaType, ...]:
    """The clauses, the most wanted first."""
    clauses = [parse_media_type(part) for part in header.split(",") if part.strip()]
    return tuple(sorted(clauses, key=lambda clause: -_quality(clause)))


def parse_media_type(text: str) -> MediaType:
    name, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest if part.strip())
    return MediaType(name.strip().lower(), {key.strip(): value.strip().strip('"') for key, _, value in pairs})


def unacceptable() -> errors.StatusError:
    streams = ";stream=watch, ".join((JSON, PROTOBUF)) + ";stream=watch"
    available = f"Available representations: {', '.join(ACCEPTED_BODIES)}, {streams}"
    return errors.status(406, "NotAcceptable", f"406: Not Acceptable\n\n{available}", {})


def _quality(clause: MediaType) -> float:
    try:
        return float(clause.parameters.get("q", "1"))
    except ValueError:
        return 1.0


VIEWS = {
    "Table": (("meta.k8s.io", "v1"), ("meta.k8s.io", "v1beta1")),
    "PartialObjectMetadata": (("meta.k8s.io", "v1"), ("meta.k8s.io", "v1beta1")),
    "PartialObjectMetadataList": (("meta.k8s.io", "v1"), ("meta.k8s.io", "v1beta1")),
}


def choose(header: str, *, views: bool = True) -> MediaType:
    """The first clause that can be served. Raises NotAcceptable."""
    if not header:
        return MediaType(JSON)
    for clause in parse_accept(header):
        if clause.type in ("*/*", "application/*"):
            return MediaType(JSON)
        if clause.type not in ACCEPTED:
            continue
        if not clause.as_kind:
            return clause
        wanted = (clause.parameters.get("g", ""), clause.parameters.get("v", ""))
        if views and wanted in VIEWS.get(clause.as_kind, ()):
            return clause
    raise unacceptable()
