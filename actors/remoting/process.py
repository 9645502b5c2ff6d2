"""A worker process as an actor: it starts with it, and its crash is the actor's."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from actors.actor import Actor
from actors.errors import ActorError, Down
from actors.exit import Exit
from actors.lifecycle import settled
from actors.remoting.errors import Violation
from actors.remoting.peer import Peer
from actors.remoting.placement import SPAWNER, Ready, import_name
from actors.remoting.security import Secret

START_SECONDS = 30.0
"""From the start of the process to its node's first word: an interpreter and its imports on a busy machine."""
STOP_SECONDS = 4.0
"""How long its actors may take to stop before it is killed."""
KILL_SECONDS = 1.0
ERRORS = 2
"""The worker writes where this process writes its errors."""


class Settings(msgspec.Struct, frozen=True):
    """What the parent says on the first line of standard input, as JSON."""

    name: str
    parent: str
    secret: bytes
    descriptor: int
    """Of the socket to the parent."""
    loop: str
    setup: str | None
    args: bytes
    """What ``setup`` gets beside the system: a MessagePack array."""


class NodeDied(ActorError):
    """A worker process ended, or did not begin, though nobody asked it to."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(name, what)
        self.name = name
        self.what = what

    def __str__(self) -> str:
        return f"the worker process of node {self.name} {self.what}"


class NodeProcess(Actor):
    """Owns one process of this interpreter that is the node ``name``; made by ``System.spawn_node``.

    ``setup``, an importable coroutine function, is called there with the system and ``args`` before actors are placed;
    what it returns is handed to their factories. ``loop``: "asyncio" or "uvloop", by default as here.
    """

    def __init__(self, name: str, *, setup: Any = None, args: Sequence[Any] = (), loop: str | None = None) -> None:
        self._name = name
        self._setup = setup if setup is None or isinstance(setup, str) else import_name(setup)
        self._args = args
        self._loop = loop
        self._process: asyncio.subprocess.Process | None = None
        self._peer: Peer | None = None

    async def start(self) -> None:
        mine, theirs = socket.socketpair()
        secret = Secret(secrets.token_bytes(32))
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "actors.remoting.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=ERRORS,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # an interrupt at the terminal is the parent's to act on
            )
            await self._tell_settings(self._process, secret, theirs.fileno())
        system = self.context.system
        try:
            async with asyncio.timeout(START_SECONDS):
                self._peer = await system.remoting.adopt(mine, secret, dialer=False, patience=START_SECONDS)
                if self._peer is not None:
                    self._peer.related = True
                    await system.ref(SPAWNER, self._name).ask(Ready(), timeout=START_SECONDS)
        except (TimeoutError, Down) as error:
            raise NodeDied(self._name, f"did not begin: {error}; {await self._status(self._process)}") from None
        if self._peer is None:
            raise NodeDied(self._name, f"did not connect; {await self._status(self._process)}")
        self.context.task(self._guard(self._process, self._peer), "guard the process")

    async def stop(self, exit: Exit) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        clock = self.context.clock
        alive = self._peer is not None and self._peer.alive
        if self._peer is not None:
            self._peer.connection.close(Violation("stopped", f"{self._peer.node} is not needed any more"))
        ended = asyncio.ensure_future(process.wait())
        if self._peer is None or not alive or not await settled(clock, STOP_SECONDS, [ended]):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await settled(clock, KILL_SECONDS, [ended])
        if process.stdin is not None:
            process.stdin.close()

    async def _tell_settings(self, process: asyncio.subprocess.Process, secret: Secret, descriptor: int) -> None:
        system = self.context.system
        loop = self._loop or ("uvloop" if type(system.loop).__module__.startswith("uvloop") else "asyncio")
        args = system.codec.encode_value(list(self._args))
        settings = Settings(self._name, system.name, secret.key, descriptor, loop, self._setup, args)
        assert process.stdin is not None, "it was asked for"
        process.stdin.write(msgspec.json.encode(settings) + b"\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has ended: that is seen next
            await process.stdin.drain()

    async def _guard(self, process: asyncio.subprocess.Process, peer: Peer) -> None:
        """The process and the connection end together."""
        await asyncio.shield(peer.connection.ended)
        raise NodeDied(self._name, f"is lost: {peer.connection.ended.result()}; {await self._status(process)}")

    async def _status(self, process: asyncio.subprocess.Process) -> str:
        """How the process ended, which it may be about to do."""
        ending = asyncio.ensure_future(process.wait())
        try:
            if await settled(self.context.clock, KILL_SECONDS, [ending]):
                return f"its status is {ending.result()}"
            return "it is still running"
        finally:
            ending.cancel()
