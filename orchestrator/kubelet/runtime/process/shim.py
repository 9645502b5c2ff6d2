"""The parent of one pod's processes, alone in its session: it outlives the daemon and keeps what that would lose.

Run by an interpreter of its own with ``-I -S``; it returns when the socket listens, the shim itself goes on in the
background. In the pod's directory it leaves ``shim.sock``, ``shim.lock`` (held while it lives), ``shim.pid``, and for
each container ``<name>.<attempt>/log`` (lines as CRI runtimes write them) and ``<name>.<attempt>/state``.

A frame is four bytes of length and a marshalled tuple. Only modules that are compiled in are imported: ``socket`` and
``json`` would take three times as long to load as the interpreter itself.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import errno
import fcntl
import marshal
import os
import select
import sys
import time
from resource import RLIM_INFINITY, RLIMIT_CORE, setrlimit

from orchestrator.kubelet.runtime.process.shim_process import CHUNK, MARSHAL_VERSION, Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Handler = Callable[[int, int], None]

MAX_FRAME = 16 * 1024 * 1024
MAX_PENDING = 4 * 1024 * 1024
"""Unsent bytes of a connection that only listens; beyond it the connection is closed."""
GRACE_SECONDS = 0.2
"""For the rest of a process group after its leader has ended."""


class Connection:
    """One client: the daemon's standing one, or an exec's."""

    def __init__(self, shim: Shim, sock: _socket.socket) -> None:
        self.shim = shim
        self.sock: _socket.socket | None = sock
        self.incoming = b""
        self.outgoing = b""
        self.process: Process | None = None
        self.watching = False
        sock.setblocking(False)
        shim.on(sock.fileno(), select.EPOLLIN, self.ready)

    def send(self, frame: tuple[Any, ...]) -> None:
        data = marshal.dumps(frame, MARSHAL_VERSION)
        self.outgoing += len(data).to_bytes(4, "big") + data
        self.flush()

    def flush(self) -> None:
        if self.sock is None:
            return
        try:
            while self.outgoing:
                self.outgoing = self.outgoing[self.sock.send(self.outgoing) :]
        except BlockingIOError:
            self.shim.on(self.sock.fileno(), select.EPOLLIN | select.EPOLLOUT, self.ready)
            if len(self.outgoing) > MAX_PENDING and self.process is None:
                self.close()
            return
        except OSError:
            self.close()
            return
        self.shim.on(self.sock.fileno(), select.EPOLLIN, self.ready)

    def ready(self, fd: int, events: int) -> None:
        if events & select.EPOLLOUT:
            self.flush()
        if not events & (select.EPOLLIN | select.EPOLLHUP) or self.sock is None:
            return
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.incoming += data
        while len(self.incoming) >= 4:
            size = int.from_bytes(self.incoming[:4], "big")
            if size > MAX_FRAME:
                self.close()
                return
            if len(self.incoming) < 4 + size:
                return
            frame, self.incoming = marshal.loads(self.incoming[4 : 4 + size]), self.incoming[4 + size :]
            self.shim.handle(self, frame)

    def close(self) -> None:
        if self.sock is None:
            return
        self.shim.off(self.sock.fileno())
        self.sock.close()
        self.sock = None
        self.shim.gone(self)


class Shim:
    def __init__(self, folder: str, listener: _socket.socket, lock: int) -> None:
        self.folder, self.listener, self.lock = folder, listener, lock
        self.processes: dict[str, Process] = {}
        self.connections: list[Connection] = []
        self.handlers: dict[int, Handler] = {}
        self.epoll = select.epoll()
        self.execs = 0
        self.ending = False

    def on(self, fd: int, events: int, handler: Handler) -> None:
        if fd in self.handlers:
            self.epoll.modify(fd, events)
        else:
            self.epoll.register(fd, events)
        self.handlers[fd] = handler

    def off(self, fd: int) -> None:
        if self.handlers.pop(fd, None) is not None:
            self.epoll.unregister(fd)

    def run(self) -> None:
        wake, waker = os.pipe()
        for fd in (wake, waker):
            os.set_blocking(fd, False)
        _signal.signal(_signal.SIGCHLD, lambda number, frame: None)
        for number in (_signal.SIGPIPE, _signal.SIGHUP, _signal.SIGINT):
            _signal.signal(number, _signal.SIG_IGN)
        _signal.signal(_signal.SIGTERM, lambda number, frame: self.end())
        _signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self.on(wake, select.EPOLLIN, self.reap)
        self.on(self.listener.fileno(), select.EPOLLIN, self.accept)
        while not self.ending:
            for fd, events in self.epoll.poll():
                handler = self.handlers.get(fd)
                if handler is not None:
                    handler(fd, events)

    def accept(self, fd: int, events: int) -> None:
        descriptor, _ = self.listener._accept()  # type: ignore[attr-defined]
        self.connections.append(Connection(self, _socket.socket(fileno=descriptor)))

    def reap(self, fd: int, events: int) -> None:
        os.read(fd, CHUNK)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for process in list(self.processes.values()):
                if process.pid == pid and not process.finished:
                    process.ended(status)

    def handle(self, connection: Connection, frame: tuple[Any, ...]) -> None:
        operation = getattr(self, "do_" + frame[0], None)
        if operation is None:
            connection.send(("error", "Unknown", f"no operation {frame[0]!r}"))
            return
        try:
            operation(connection, *frame[1:])
        except Exception as failure:
            connection.send(("error", type(failure).__name__, str(failure)))

    def do_start(self, connection: Connection, spec: dict[str, Any]) -> None:
        if spec["id"] in self.processes:
            connection.send(("error", "ContainerExists", "container {} was started before".format(spec["id"])))
            return
        process = Process(self, spec)
        self.processes[spec["id"]] = process
        problem = process.start()
        if problem:
            process.fail(problem)
        connection.send(("ok", [process.state()]))

    def do_signal(self, connection: Connection, container: str, number: int) -> None:
        process = self.processes.get(container)
        if process is not None:
            process.kill(number)
        connection.send(("ok", []))

    def do_forget(self, connection: Connection, container: str) -> None:
        process = self.processes.pop(container, None)
        if process is not None:
            process.kill(_signal.SIGKILL)
        connection.send(("ok", []))

    def do_watch(self, connection: Connection) -> None:
        connection.watching = True
        connection.send(("ok", self.states()))

    def do_exec(self, connection: Connection, spec: dict[str, Any]) -> None:
        self.execs += 1
        process = Process(self, {**spec, "id": f"exec {self.execs}"}, connection)
        connection.process = process
        self.processes[process.id] = process
        problem = process.start()
        if problem:
            connection.send(("failed", problem))

    def do_attach(self, connection: Connection, container: str) -> None:
        process = self.processes.get(container)
        if process is None or process.finished:
            connection.send(("failed", f"container {container} does not run"))
            return
        connection.process = process
        process.watchers.append(connection)

    def do_in(self, connection: Connection, data: bytes) -> None:
        if connection.process is not None:
            connection.process.feed(data)

    def do_eof(self, connection: Connection) -> None:
        if connection.process is not None:
            connection.process.close_input()

    def do_size(self, connection: Connection, columns: int, rows: int) -> None:
        if connection.process is not None:
            connection.process.resize(columns, rows)

    def do_end(self, connection: Connection) -> None:
        self.end()

    def end(self) -> None:
        for process in self.processes.values():
            process.kill(_signal.SIGKILL)
        self.ending = True
        deadline = time.monotonic() + GRACE_SECONDS
        while any(one.pid and not one.finished for one in self.processes.values()):
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.002)
            for process in list(self.processes.values()):
                if pid and process.pid == pid and not process.finished:
                    process.ended(status)

    def gone(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        process = connection.process
        if process is None:
            return
        if process.connection is connection:
            process.kill(_signal.SIGKILL)
        elif connection in process.watchers:
            process.watchers.remove(connection)

    def states(self) -> list[dict[str, Any]]:
        return [one.state() for one in self.processes.values() if one.connection is None]

    def tell(self) -> None:
        states = self.states()
        for connection in list(self.connections):
            if connection.watching:
                connection.send(("states", states))


def main() -> None:
    folder = sys.argv[1]
    os.chdir(folder)
    lock = os.open("shim.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as failure:
        if failure.errno in (errno.EAGAIN, errno.EACCES):
            sys.exit(0)  # another one serves this pod already
        raise
    try:
        os.unlink("shim.sock")
    except FileNotFoundError:
        pass
    listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    listener.bind("shim.sock")
    os.chmod("shim.sock", 0o600)
    listener.listen(64)
    listener.setblocking(False)
    pid = os.fork()
    if pid:
        with open("shim.pid", "w") as file:
            file.write(str(pid))
        os._exit(0)
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    setrlimit(RLIMIT_CORE, (0, RLIM_INFINITY))
    Shim(folder, listener, lock).run()
    os._exit(0)  # the lock and the socket go together: who finds nobody at the socket finds the lock free
