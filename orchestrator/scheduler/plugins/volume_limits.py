"""How many volumes of a CSI driver can be attached to a node (``CSINode``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.scheduler.framework import Block, Filter, Nodes
from orchestrator.scheduler.shape import Shape
from orchestrator.scheduler.snapshot import Snapshot

REASON = "node(s) exceed max volume count"


class NodeVolumeLimits(Filter):
    name = "NodeVolumeLimits"

    def applies(self, shape: Shape, snapshot: Snapshot) -> bool:
        return bool(shape.claims and snapshot.volumes.limits)

    def blocks(self, shape: Shape, nodes: Nodes) -> Sequence[Block]:
        asked = dict(_attached(shape, nodes.snapshot))
        full = nodes.none()
        for index, name in enumerate(nodes.names()):
            limits = nodes.snapshot.volumes.limits.get(name)
            if limits:
                full[index] = _exceeds(asked, limits, nodes.snapshot, nodes.snapshot.columns[name])
        return [Block(full, REASON)]


def _exceeds(asked: dict[str, str], limits: dict[str, int], snapshot: Snapshot, column: int) -> bool:
    pods = snapshot.on_node[column].values()
    there = {volume: driver for pod in pods if pod.shape.claims for volume, driver in _attached(pod.shape, snapshot)}
    held = Counter(there.values())
    more = Counter(driver for volume, driver in asked.items() if volume not in there)
    return any(driver in limits and held[driver] + count > limits[driver] for driver, count in more.items())


def _attached(shape: Shape, snapshot: Snapshot) -> Iterable[tuple[str, str]]:
    """(what tells the volume from others, driver) of each claim; one that has no volume yet counts by its class."""
    volumes = snapshot.volumes
    for mount in shape.claims:
        claim = volumes.claims.get(f"{shape.namespace}/{mount.name}")
        if claim is None:
            continue
        volume = volumes.volumes.get(claim.volume)
        if volume is None:
            held = volumes.classes.get(claim.storage_class)
            if held is not None and held.provisions:
                yield f"{held.provisioner}/{claim.key}", held.provisioner
        elif volume.driver:
            yield f"{volume.driver}/{volume.handle}", volume.driver
