"""Images on a node with a Docker engine: what is there, what is pulled, and the one of sandboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.kubelet.runtime.docker.engine import engine
from orchestrator.kubelet.runtime.docker.pause import IMAGE, archive
from orchestrator.kubelet.runtime.errors import ImageFailure, RuntimeFailure

if TYPE_CHECKING:
    import aiodocker


async def ensure(docker: aiodocker.Docker, image: str, policy: str) -> str:
    """Its id. With policy Always the registry is asked; an image that is here serves when no registry answers.

    Raises ``ImageFailure``.
    """
    held = await _held(docker, image)
    if held and policy != "Always":
        return held
    if policy == "Never":
        raise ImageFailure("ErrImageNeverPull", f'Container image "{image}" is not present with pull policy of Never')
    try:
        with engine("ErrImagePull"):
            await docker.images.pull(image)
    except RuntimeFailure as failure:
        if held:
            return held
        raise ImageFailure("ErrImagePull", f'failed to pull image "{image}": {failure.message}') from failure
    return await _held(docker, image) or image


async def _held(docker: aiodocker.Docker, image: str) -> str:
    """Its id; "" when the node does not have it."""
    import aiodocker

    with engine("ErrImagePull"):
        try:
            return str((await docker.images.inspect(image))["Id"])
        except aiodocker.DockerError as refusal:
            if refusal.status == 400:
                raise ImageFailure("InvalidImageName", f"{image}: {refusal.message}") from refusal
            if refusal.status != 404:
                raise
            return ""


async def ensure_pause(docker: aiodocker.Docker) -> None:
    """The image of sandboxes is made in memory where it is missing. Raises ``RuntimeFailure``."""
    import aiodocker

    with engine("EngineFailed"):
        try:
            await docker.images.inspect(IMAGE)
        except aiodocker.DockerError as refusal:
            if refusal.status != 404:
                raise
            version = await docker.version()
            name, tag = IMAGE.rsplit(":", 1)
            params = {"fromSrc": "-", "repo": name, "tag": tag, "changes": 'ENTRYPOINT ["/pause"]'}
            headers = {"Content-Type": "application/x-tar"}
            body = archive(version["Arch"])
            query = docker._query("images/create", "POST", params=params, data=body, headers=headers)
            async with query as response:
                await response.read()
