"""What a plan may ask for: the steps that bring a pod on a node from what is observed to what is wanted."""

from __future__ import annotations

import msgspec


class Action(msgspec.Struct, frozen=True):
    """One step. A step that fails ends the run of its plan; the next plan starts from what is then observed."""


class PrepareVolumes(Action, frozen=True):
    """Make the pod's directories and files, before anything of it runs."""


class CreateSandbox(Action, frozen=True):
    attempt: int


class StopSandbox(Action, frozen=True):
    """Give its address back; logs and exit statuses stay."""


class RunContainer(Action, frozen=True):
    """Image, creation, start, postStart hook: attempt ``attempt`` of the container ``name``."""

    name: str
    attempt: int


class StopContainer(Action, frozen=True):
    """Begin to stop: preStop hook, then the stop signal; ``deadline`` is when it is killed."""

    name: str
    deadline: float
    message: str


class SignalContainer(Action, frozen=True):
    """The preStop hook is over: send the stop signal."""

    name: str


class KillContainer(Action, frozen=True):
    name: str


class RemoveContainer(Action, frozen=True):
    """An attempt older than the one before the latest."""

    container_id: str


class RemovePod(Action, frozen=True):
    """The runtime and the volumes forget the pod."""


class DeletePod(Action, frozen=True):
    """Nothing is left of it here: the API server may forget it too (grace period 0)."""
