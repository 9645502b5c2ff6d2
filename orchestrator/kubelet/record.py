"""One pod that a kubelet holds: the bytes of its object, what is observed of it, what was written of it."""

from __future__ import annotations

from sys import intern

from orchestrator.apimachinery.encoded import Object, encode_part, join
from orchestrator.client import requests
from orchestrator.client.kinds import PODS
from orchestrator.client.protocol import Request
from orchestrator.kubelet.observed import Observed
from orchestrator.kubelet.pod import Container, Pod, decode_metadata, decode_pod


class Record:
    """Bytes are kept, the decoded view is dropped whenever the pod rests: thousands of nodes share one process."""

    __slots__ = (
        "_pod",
        "again",
        "conflicted",
        "final",
        "finished",
        "metadata",
        "name",
        "namespace",
        "observed",
        "plan_at",
        "probed",
        "rest",
        "revision",
        "sending",
        "status",
        "uid",
        "wake_at",
        "working",
    )

    def __init__(self, metadata: bytes, status: bytes, rest: bytes, revision: int, now: float) -> None:
        self.metadata, self.status, self.rest, self.revision = metadata, status, rest, revision
        self._pod: Pod | None = decode_pod(metadata, status, rest)
        meta = self._pod.metadata
        self.uid, self.namespace, self.name = intern(meta.uid), intern(meta.namespace), intern(meta.name)
        self.observed = Observed(start_time=self._pod.start_time() or now)
        self.working = False
        """A task drives it."""
        self.again = False
        """Something changed while it was driven."""
        self.conflicted = False
        """A status write met a newer object, which is on its way."""
        self.finished = False
        """Nothing of it is left on this node: only the API object remains to be deleted."""
        self.final: bytes | None = None
        """The last status of a pod that is being deleted."""
        self.wake_at: float | None = None
        self.plan_at: float | None = None
        """When the plan itself wants to be made again; what is before that is probes alone."""
        self.probed: tuple[Container, ...] = ()
        """The containers that are probed while nothing else is to be done."""
        self.sending: bytes | None = None
        """The status that is being written: its echo may come before the answer."""

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"

    def pod(self) -> Pod:
        """The view, decoded when it is not at hand."""
        if self._pod is None:
            self._pod = decode_pod(self.metadata, self.status, self.rest)
        return self._pod

    def rests(self) -> None:
        """Drop the decoded view until it is wanted again."""
        self._pod = None

    def object(self) -> Object:
        """The whole object, decoded."""
        return join(self.metadata, self.status, self.rest, self.revision)

    def take(self, metadata: bytes, status: bytes, rest: bytes, revision: int) -> bool:
        """A new revision of the object; True when it says something that may need work."""
        if revision <= self.revision:
            if revision == self.revision:  # the echo of a write: everybody's bytes in place of our own
                self.metadata, self.status, self.rest = metadata, status, rest
            return False
        same = rest == self.rest and (metadata == self.metadata or _alike(metadata, self.metadata))
        status_same = status in (self.status, self.sending)
        self.metadata, self.rest, self.revision = metadata, rest, revision
        self.status = status
        conflicted, self.conflicted = self.conflicted, False
        if same and status_same and not conflicted:
            return False
        self._pod = None
        return True

    def written(self, status: bytes, revision: int) -> None:
        """The status write was done: its echo needs no look."""
        if revision > self.revision:
            self.status, self.revision = status, revision
        self._pod = None

    def changed(self, status: Object) -> bytes | None:
        """The status to write; None when it says nothing new."""
        if _same_status(self.pod().status, status):
            return None
        return encode_part(status)

    def deletion(self) -> Request:
        return requests.delete(PODS, self.name, self.namespace, uid=self.uid, grace_seconds=0)


def _alike(metadata: bytes, before: bytes) -> bool:
    """Whether two metadata say the same of what a kubelet reads (managedFields change with each write of a status)."""
    return decode_metadata(metadata) == decode_metadata(before)


def _same_status(held: Object, status: Object) -> bool:
    """Equal but for fields that the API server leaves out."""
    for key, value in status.items():
        if held.get(key) != value:
            return False
    return all(key in status or not held[key] for key in held)
