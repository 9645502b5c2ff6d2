"""What the API server asks of a node's kubelet: logs, exec, attach, port-forward; bytes flow by credit.

Opening is an ask of the kubelet's actor, which starts a child for the session and answers with its ref. From then on
the two ends tell each other frames: the child sends ``Output`` and at last one ``Finished`` to ``subscriber``, which
sends ``Input``, ``InputEnd``, ``Resize`` and ``Hangup``. Either end sends only what it has credit for: at first
``OUTPUT_CREDIT`` and ``INPUT_CREDIT`` frames, then as much as the other grants. When one end dies the other ends.

An open that cannot be served raises ``Refused``: "not-found" (no such pod or container here), "not-running" (bad
request for the user: the container is not up yet), "failed" (the runtime's error).
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors import Ask, Ref, Tell

MAX_FRAME_BYTES = 32 * 1024
"""Bytes in one ``Output`` or ``Input``; a longer piece is cut."""
OUTPUT_CREDIT = 32
"""``Output`` frames the subscriber takes before it tells ``Credit``."""
INPUT_CREDIT = 32
"""``Input`` frames the session takes before it tells ``Credit``."""

STDOUT = 1
STDERR = 2


class Opened(msgspec.Struct, frozen=True, array_like=True):
    session: Ref[Any]
    """The actor of this session."""


class OpenLog(Ask[Opened]):
    """The lines of a container, on ``STDOUT``. ``since`` is Unix seconds (0.0: from the beginning)."""

    pod_uid: str
    container: str
    subscriber: Ref[Any]
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: float = 0.0
    stream: str = "All"


class OpenExec(Ask[Opened]):
    """A command inside of a running container. With ``tty`` both streams are ``STDOUT``."""

    pod_uid: str
    container: str
    command: list[str]
    subscriber: Ref[Any]
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False


class OpenAttach(Ask[Opened]):
    """The container's own program. ``Hangup`` lets go of it and does not end it."""

    pod_uid: str
    container: str
    subscriber: Ref[Any]
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False


class OpenPort(Ask[Opened]):
    """One connection to a port of the pod: what it says is ``STDOUT``, ``InputEnd`` closes our half."""

    pod_uid: str
    port: int
    subscriber: Ref[Any]


class Output(Tell):
    channel: int
    data: bytes


class Finished(Tell):
    """The session is over. ``exit_code`` None: it ended without one (a log, a port) or it failed, as ``error`` says."""

    exit_code: int | None = None
    error: str = ""


class Input(Tell):
    data: bytes


class InputEnd(Tell):
    """No more input: the program reads an end of file."""


class Resize(Tell):
    columns: int
    rows: int


class Credit(Tell):
    """The receiver may send so many more frames."""

    frames: int


class Hangup(Tell):
    """The subscriber is gone: end the session (an exec's program is killed)."""
