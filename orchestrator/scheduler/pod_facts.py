"""What of a Pod the scheduler follows, read from a view without decoding more than that."""

from __future__ import annotations

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.timestamps import parse_time
from orchestrator.client.view import Owner, View
from orchestrator.scheduler.terms import Labels

FINISHED = ("Succeeded", "Failed")


class _Status(msgspec.Struct):
    phase: str = ""
    nominatedNodeName: str = ""
    startTime: str = ""


class _Spec(msgspec.Struct):
    nodeName: str = ""
    schedulerName: str = ""


class _Rest(msgspec.Struct):
    spec: _Spec


_status = msgspec.msgpack.Decoder(_Status).decode
_rest = msgspec.msgpack.Decoder(_Rest).decode
_NO_STATUS = _Status()


class PodFacts(msgspec.Struct, frozen=True):
    """One pod at one revision. ``view`` gives the spec to whoever must look inside."""

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
    view: View

    @property
    def spec(self) -> Object:
        return self.view.spec


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
        view=view,
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
