"""The program of a worker process: a node that belongs to the process that started it, and ends with it.

Standard input brings its settings and is held open by the parent: when it ends, the parent is gone, and so is this
process at once, whatever its loop is doing. When the connection ends, it stops its actors and itself.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from typing import Any

import msgspec

from actors.remoting.placement import SPAWNER, Spawner, find_factory
from actors.remoting.process import Settings
from actors.remoting.security import Secret
from actors.system import System

ORPHANED = 82
"""Exit status when the parent has gone."""
NEVER_CONNECTED = 83


async def work(settings: Settings) -> int:
    async with System(settings.name) as system:
        wire = socket.socket(fileno=settings.descriptor)
        leading: asyncio.Future[tuple[Any, ...]] = system.loop.create_future()
        await system.spawn(Spawner, leading, name=SPAWNER)
        peer = await system.remoting.adopt(wire, Secret(settings.secret), dialer=True)
        if peer is None or peer.node != settings.parent:
            return NEVER_CONNECTED
        system.remoting.gateway = peer
        if settings.setup is None:
            leading.set_result(())
        else:
            args = system.codec.decode_value(settings.args)
            leading.set_result((await find_factory(settings.setup)(system, *args),))
        await peer.connection.ended
    return 0


def end_with_parent() -> None:
    """Leave when standard input ends, though the loop be blocked."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(ORPHANED)

    threading.Thread(target=wait, name="end with the parent", daemon=True).start()


def read_settings() -> Settings:
    """The first line of standard input, byte by byte: what follows is the thread's."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            sys.exit(ORPHANED)
        line += piece
    return msgspec.json.decode(line, type=Settings)


def main() -> int:
    settings = read_settings()
    end_with_parent()
    factory = None
    if settings.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work(settings))


if __name__ == "__main__":
    from actors.remoting.worker import main as run

    sys.exit(run())
