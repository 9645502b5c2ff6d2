"""What a kubelet tells people about a pod: events with the words that Kubernetes uses. Never a secret's content."""

from __future__ import annotations

from orchestrator.client.recorder import NORMAL, WARNING, Involved, Recorder
from orchestrator.kubelet.record import Record


class Reporter:
    """Events about pods. Normal ones can be left out: a simulated fleet would write three for each pod."""

    __slots__ = ("_normal", "_recorder")

    def __init__(self, recorder: Recorder, *, normal: bool) -> None:
        self._recorder = recorder
        self._normal = normal

    def normal(self, record: Record, reason: str, message: str, container: str = "") -> None:
        if self._normal:
            self._recorder.event(_about(record, container), NORMAL, reason, message)

    def warning(self, record: Record, reason: str, message: str, container: str = "") -> None:
        self._recorder.event(_about(record, container), WARNING, reason, message)


def _about(record: Record, container: str) -> Involved:
    path = ""
    if container:
        init = any(one.name == container for one in record.pod().init_containers())
        path = f"spec.{'initContainers' if init else 'containers'}{{{container}}}"
    return Involved("v1", "Pod", record.namespace, record.name, record.uid, record.revision, path)
