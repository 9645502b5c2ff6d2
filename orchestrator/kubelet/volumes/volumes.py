"""The volumes of the pods of one node: each kind made and found below the node's directory."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from orchestrator.apimachinery.encoded import Object
from orchestrator.kubelet.downward import Place
from orchestrator.kubelet.pod import Pod
from orchestrator.kubelet.runtime.errors import RuntimeFailure
from orchestrator.kubelet.volumes.atomic import write_atomically
from orchestrator.kubelet.volumes.payload import volume_payload
from orchestrator.kubelet.volumes.sources import Sources

FILES = ("configMap", "secret", "downwardAPI", "projected")


class Volumes:
    """``<root>/<pod uid>/volumes/<name>``; what is elsewhere (hostPath, bound claims) is named, never removed."""

    def __init__(self, root: Path, sources: Sources) -> None:
        self._root = root
        self._sources = sources

    async def prepare(self, pod: Pod, spec: Object, place: Place) -> None:
        """Make every volume, or bring its files up to date. Raises ``RuntimeFailure``."""
        for volume in spec.get("volumes") or ():
            try:
                await self._prepare_one(pod, volume, place)
            except (RuntimeFailure, OSError) as failure:
                reason = failure.message if isinstance(failure, RuntimeFailure) else str(failure)
                message = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {reason}'
                raise RuntimeFailure("FailedMount", message) from failure

    async def _prepare_one(self, pod: Pod, volume: Object, place: Place) -> None:
        folder = self._folder(pod.uid, volume["name"])
        if any(kind in volume for kind in FILES):
            payload = await volume_payload(pod, volume, place, self._sources)
            await asyncio.to_thread(write_atomically, folder, payload)
        elif "hostPath" in volume:
            await asyncio.to_thread(_check_host_path, volume["hostPath"])
        elif "persistentVolumeClaim" in volume or "ephemeral" in volume:
            await asyncio.to_thread((await self._claimed(pod, volume)).mkdir, parents=True, exist_ok=True)
        elif "emptyDir" in volume:
            await asyncio.to_thread(_make_open, folder)
        else:
            kind = next((key for key in volume if key != "name"), "")
            raise RuntimeFailure("FailedMount", f"volumes of kind {kind!r} are not supported")

    async def find(self, pod: Pod, spec: Object, name: str) -> Path:
        """Where a volume that was prepared is."""
        volume = next((one for one in spec.get("volumes") or () if one["name"] == name), None)
        if volume is None:
            raise RuntimeFailure("CreateContainerConfigError", f'volume "{name}" is not defined by the pod')
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        if "persistentVolumeClaim" in volume or "ephemeral" in volume:
            return await self._claimed(pod, volume)
        return self._folder(pod.uid, name)

    async def _claimed(self, pod: Pod, volume: Object) -> Path:
        """The directory behind a claim: of a PersistentVolume on a path of this node."""
        if "ephemeral" in volume:
            name = f"{pod.metadata.name}-{volume['name']}"
        else:
            name = volume["persistentVolumeClaim"]["claimName"]
        claim = await self._sources.claim(pod.metadata.namespace, name)
        if claim is None:
            raise RuntimeFailure("FailedMount", f'persistentvolumeclaim "{name}" not found')
        bound = claim.get("spec", {}).get("volumeName")
        if not bound or claim.get("status", {}).get("phase") != "Bound":
            raise RuntimeFailure("FailedMount", f'persistentvolumeclaim "{name}" is not bound')
        found = await self._sources.volume(bound)
        source = (found or {}).get("spec", {})
        path = (source.get("hostPath") or source.get("local") or {}).get("path")
        if not path:
            raise RuntimeFailure("FailedMount", f'persistentvolume "{bound}" has no path on this node')
        return Path(path)

    async def forget(self, pod_uid: str) -> None:
        self._sources.forget(pod_uid)
        await asyncio.to_thread(shutil.rmtree, self._root / pod_uid, True)

    def _folder(self, uid: str, name: str) -> Path:
        return self._root / uid / "volumes" / name


def _make_open(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)


def _check_host_path(source: Object) -> None:
    """As ``hostPath.type`` asks: made, or checked to be of that kind."""
    path, kind = Path(source["path"]), source.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    elif kind == "FileOrCreate":
        path.touch(exist_ok=True)
    checks = {"Directory": path.is_dir, "File": path.is_file, "Socket": path.is_socket}
    check = checks.get(kind)
    if check is not None and not check():
        raise RuntimeFailure("FailedMount", f"hostPath type check failed: {path} is not a {kind.lower()}")
