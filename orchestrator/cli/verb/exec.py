"""``podium exec``: a command in a container, its exit code is ours."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orchestrator.cli.remote import arguments as words
from orchestrator.cli.remote import pods as of_pods
from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
CHUNK_BYTES = 32 * 1024


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-i", "--stdin", action="store_true", help="pass our input to it")
    parser.add_argument("-t", "--tty", action="store_true", help="with a terminal")
    parser.add_argument("-c", "--container", default="")
    sessions.arguments(parser)
    parser.add_argument("what", help="web-1 or deploy/web")
    parser.add_argument("words", nargs="*", metavar="-- COMMAND", help="the command and its arguments, after --")


def run(options: argparse.Namespace) -> int:
    command = [*options.words, *options.after]
    if not command:
        raise CommandError("exec what? podium exec POD -- COMMAND", code=2)
    with Session.begin(options) as session:
        resource, name = words.one(session, [options.what], default="pods")
        pod = of_pods.one(session, resource, name)
        tty = options.tty and sys.stdin.isatty()
        query = [("command", word) for word in command]
        query += [("container", of_pods.container(pod, options.container)), ("stdout", "true")]
        query += [("stdin", "true")] if options.stdin else []
        query += [("tty", "true")] if tty else [("stderr", "true")]
        path = session.find("pods").path(pod["metadata"]["namespace"], pod["metadata"]["name"], "exec")
        with raw_terminal(tty and options.stdin):
            return asyncio.run(stream(session, path, query, stdin=options.stdin, tty=tty))


async def stream(session: Session, path: str, query: list[tuple[str, str]], *, stdin: bool, tty: bool) -> int:
    from orchestrator.cli.remote.sockets import V4, V5, connect

    async with connect(session.connection, path, query, (V5, V4)) as socket:
        tasks = [asyncio.create_task(send_input(socket), name="stdin")] if stdin else []
        if tty:
            watch_size(socket)
        try:
            return await receive(socket)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def receive(socket: Any) -> int:
    """Until the server says how the command ended."""
    code: int | None = None
    async for message in socket:
        data = message.data if isinstance(message.data, bytes) else message.data.encode()
        if not data:
            continue
        channel, content = data[0], data[1:]
        if channel == ERROR and content:
            code = exit_code(json.loads(content))
        elif channel in (STDOUT, STDERR) and content:
            out = (sys.stdout if channel == STDOUT else sys.stderr).buffer
            out.write(content)
            out.flush()
    if code is None:
        raise CommandError("the stream ended before the command did; its end is not known")
    return code


def exit_code(status: Object) -> int:
    """Raises ``CommandError`` where the command could not be run at all."""
    if status.get("status") == "Success":
        return 0
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise CommandError(str(status.get("message") or "the command could not be run"))


async def send_input(socket: Any) -> None:
    """Our input until it ends; v5 then closes the channel, v4 cannot."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=CHUNK_BYTES)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    except ValueError:  # a plain file cannot be waited for, and need not be
        while chunk := sys.stdin.buffer.read(CHUNK_BYTES):
            await socket.send_bytes(bytes((STDIN,)) + chunk)
    else:
        while chunk := await reader.read(CHUNK_BYTES):
            await socket.send_bytes(bytes((STDIN,)) + chunk)
    if socket.protocol == "v5.channel.k8s.io":
        await socket.send_bytes(bytes((CLOSE, STDIN)))


def watch_size(socket: Any) -> None:
    """Tell the size of our terminal now and whenever it changes."""
    loop = asyncio.get_running_loop()
    pending: set[asyncio.Task[None]] = set()

    def tell() -> None:
        columns, rows = shutil.get_terminal_size()
        size = json.dumps({"Width": columns, "Height": rows}).encode()
        task = asyncio.ensure_future(socket.send_bytes(bytes((RESIZE,)) + size))
        pending.add(task)
        task.add_done_callback(pending.discard)

    tell()
    loop.add_signal_handler(signal.SIGWINCH, tell)


@contextmanager
def raw_terminal(wanted: bool) -> Iterator[None]:
    """Keys go to the command as they are, control keys too."""
    if not wanted or not os.isatty(0):
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
