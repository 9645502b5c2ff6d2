"""What of a Pod the scheduler follows, read from a view without decoding more than that."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.view import Owner, Parts, View
from orchestrator.scheduler.terms import Labels

FINISHED = ("Succeeded", "Failed")
MAX_READ = 512
"""Statuses remembered as read, some 1 KB each: a pod's until it is bound is that of its template."""
MAX_RESTS = 2048
"""Rests remembered as read: those of a template, or of its pods on one node. Caches hold them anyway."""


class _Status(msgspec.Struct, frozen=True):
    phase: str = ""
    nominatedNodeName: str = ""
    startTime: str = ""


class _Spec(msgspec.Struct, frozen=True):
    nodeName: str = ""
    schedulerName: str = ""


class _Rest(msgspec.Struct, frozen=True):
    spec: _Spec


_status = lru_cache(MAX_READ)(msgspec.msgpack.Decoder(_Status).decode)
_rest = lru_cache(MAX_RESTS)(msgspec.msgpack.Decoder(_Rest).decode)
_NO_STATUS = _Status()


class PodFacts(msgspec.Struct, frozen=True, gc=False):
    """One pod at one revision. It holds no view: a view holds it, and a ring of the two waits for the collector."""

    key: str
    uid: str
    namespace: str
    name: str
    labels: Labels
    owner: Owner | None
    node: str
    scheduler: str
    nominated: str
    finished: bool
    terminating: bool
    created: float
    started: float
    rest: bytes
    parts: Parts

    @property
    def spec(self) -> Object:
        """Decoded for whoever must look inside."""
        spec: Object = self.parts.decoded(self.rest).get("spec") or {}
        return spec


def pod_facts(view: View) -> PodFacts:
    """For ``View.facts``: derived once for each revision."""
    meta, status, spec = view.meta, _read_status(view), _rest(view.encoded.rest).spec
    return PodFacts(
        key=view.key,
        uid=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        labels=view.labels,
        owner=view.owner,
        node=spec.nodeName,
        scheduler=spec.schedulerName,
        nominated=status.nominatedNodeName,
        finished=status.phase in FINISHED,
        terminating=view.deleting,
        created=_seconds(meta.creationTimestamp),
        started=_seconds(status.startTime),
        rest=view.encoded.rest,
        parts=view.parts,
    )


def _read_status(view: View) -> _Status:
    return _status(view.encoded.status) if view.encoded.status else _NO_STATUS


def _seconds(text: str | None) -> float:
    return parse_time(text) if text else 0.0


def same_to_scheduler(old: View, new: View) -> bool:
    """Nothing changed that the scheduler looks at: most updates of a bound pod are news of its containers."""
    if old.encoded.rest != new.encoded.rest or old.deleting != new.deleting or old.uid != new.uid:
        return False
    if old.meta.labels != new.meta.labels:
        return False
    if old.encoded.status == new.encoded.status:
        return True
    return (_read_status(old).phase in FINISHED) == (_read_status(new).phase in FINISHED)
