"""Disks that a pod names itself and that not every pair of pods can share on a node (``VolumeRestrictions``)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from orchestrator.apimachinery.encoded import Object


class Disk(msgspec.Struct, frozen=True, array_like=True):
    """Two pods of a node clash over a disk unless both only read it and ``shared_readers`` says that they may."""

    identity: tuple[str, ...]
    read_only: bool
    shared_readers: bool = True

    def clashes(self, other: Disk) -> bool:
        if self.identity != other.identity:
            return False
        return not (self.read_only and other.read_only and self.shared_readers)


def disks(spec: Object) -> tuple[Disk, ...]:
    return tuple(disk for volume in spec.get("volumes", ()) for disk in _disks(volume))


def _disks(volume: Object) -> Iterable[Disk]:
    if gce := volume.get("gcePersistentDisk"):
        yield Disk(("gce", gce["pdName"]), bool(gce.get("readOnly")))
    elif ebs := volume.get("awsElasticBlockStore"):
        yield Disk(("ebs", ebs["volumeID"]), bool(ebs.get("readOnly")), shared_readers=False)
    elif iscsi := volume.get("iscsi"):
        yield Disk(("iscsi", iscsi["iqn"]), bool(iscsi.get("readOnly")))
    elif rbd := volume.get("rbd"):
        for monitor in rbd["monitors"]:
            identity = ("rbd", monitor, rbd.get("pool") or "rbd", rbd["image"])
            yield Disk(identity, bool(rbd.get("readOnly")))
