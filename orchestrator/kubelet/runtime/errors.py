"""What a runtime may fail with. ``reason`` is the word that a container's waiting state and events show."""

from __future__ import annotations


class RuntimeFailure(Exception):
    """An operation did not succeed; the kubelet shows ``reason`` and ``message`` and tries again with back-off."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class ImageFailure(RuntimeFailure):
    """The image is not on the node and cannot be brought there: ErrImagePull, ErrImageNeverPull, InvalidImageName."""


class ExecTimeout(RuntimeFailure):
    """A command did not end within its time."""

    def __init__(self, command: list[str], seconds: float) -> None:
        super().__init__("ExecTimeout", f"command {command!r} timed out after {seconds:g}s")


class NoSuchContainer(RuntimeFailure):
    def __init__(self, container_id: str) -> None:
        super().__init__("ContainerNotFound", f"container {container_id!r} is not known to the runtime")
