"""One program below a shim: its start, its streams, its end. Imports compiled-in modules only: see ``shim``."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import fcntl
import marshal
import os
import select
import sys
import termios
import time
from pwd import getpwuid
from resource import RLIMIT_CORE, RLIMIT_DATA, setrlimit

from orchestrator.kubelet.runtime.process.shim_log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from orchestrator.kubelet.runtime.process.shim import Connection, Shim

CHUNK = 65536
MARSHAL_VERSION = 2
START_FAILED = 128


def start_ticks(pid: int) -> int:
    """When a process began, in clock ticks since boot: with the pid it is an identity that is never used again."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b")", 1)[1].split()[19])
    except (OSError, IndexError):
        return 0


def session_of(pid: int) -> list[int]:
    """All processes of the session that ``pid`` leads."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rsplit(b")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == pid:
                found.append(int(name))
    return found


def last_lines(log: Log) -> bytes:
    """The end of a log without its stamps: what stands in for a termination message."""
    with open(log.path, "rb") as file:
        file.seek(max(0, log.size - 4096))
        lines = file.read().split(b"\n")[-81:]
    return b"".join(line.split(b" ", 3)[3] + b"\n" for line in lines if line.count(b" ") >= 3)[-2048:]


class Process:
    """A container's program, or one that was executed beside it (then ``connection`` is who asked)."""

    def __init__(self, shim: Shim, spec: dict[str, Any], connection: Connection | None = None) -> None:
        self.shim, self.spec, self.connection = shim, spec, connection
        self.id = spec["id"]
        self.watchers: list[Connection] = []
        self.pid = self.ticks = self.finished = self.code = self.signal = 0
        self.reason = self.message = ""
        self.started = time.time_ns()
        self.log = Log(spec["log"]) if connection is None else None
        self.ends: dict[int, int] = {}
        self.input: int | None = None
        self.backlog = b""
        self.close_input_after = False

    def start(self) -> str:
        tty = bool(self.spec.get("tty"))
        if tty:
            master, slave = os.openpty()
            child, self.ends, self.input = (slave, slave, slave), {master: 1}, master
            theirs = [slave]
        else:
            in_read, in_write = os.pipe() if self.spec.get("stdin") else (os.open("/dev/null", os.O_RDONLY), None)
            out_read, out_write = os.pipe()
            err_read, err_write = os.pipe()
            child, self.ends, self.input = (in_read, out_write, err_write), {out_read: 1, err_read: 2}, in_write
            theirs = [in_read, out_write, err_write]
        fail_read, fail_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.become(child, fail_write, tty)
        for fd in [*theirs, fail_write]:
            os.close(fd)
        problem = os.read(fail_read, CHUNK)
        os.close(fail_read)
        self.ticks = start_ticks(self.pid)
        for fd in self.ends:
            os.set_blocking(fd, False)
            self.shim.on(fd, select.EPOLLIN, self.readable)
        if self.input is not None and not tty:
            os.set_blocking(self.input, False)
        self.save()
        return problem.decode(errors="replace")

    def become(self, child: tuple[int, int, int], fail: int, tty: bool) -> None:
        """In the forked child: never returns."""
        try:
            os.setsid()
            if tty:
                fcntl.ioctl(child[0], termios.TIOCSCTTY, 0)
            for target, fd in enumerate(child):
                os.dup2(fd, target)
            _signal.set_wakeup_fd(-1)
            for number in (_signal.SIGCHLD, _signal.SIGPIPE, _signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP):
                _signal.signal(number, _signal.SIG_DFL)
            setrlimit(RLIMIT_CORE, (0, 0))
            if self.spec.get("memory"):
                setrlimit(RLIMIT_DATA, (self.spec["memory"], self.spec["memory"]))
            os.umask(0o022)
            self.change_user()
            os.chdir(self.spec["cwd"])
            os.execvpe(self.spec["argv"][0], self.spec["argv"], self.spec["env"])
        except FileNotFoundError as failure:
            missing = failure.filename or self.spec["argv"][0]
            os.write(fail, (f'exec: "{missing}": executable file not found in $PATH').encode())
        except BaseException as failure:
            os.write(fail, ('exec: "{}": {}'.format(self.spec["argv"][0], failure)).encode())
        finally:
            os._exit(START_FAILED)

    def change_user(self) -> None:
        user: int | None = self.spec.get("user")
        group: int | None = self.spec.get("group")
        if user is None and group is None:
            return
        if os.geteuid() != 0:
            if user not in (None, os.getuid()):
                raise PermissionError(f"expected the daemon to run as root to run a container as user {user}")
            return
        if group is None and user is not None:
            try:
                group = getpwuid(user).pw_gid
            except KeyError:
                group = 0
        os.setgroups(self.spec.get("groups") or [])
        os.setgid(group or 0)
        if user is not None:
            os.setuid(user)

    def readable(self, fd: int, events: int) -> None:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # a terminal whose other end is closed says EIO
        stream = self.ends[fd]
        if not data:
            self.close_end(fd)
            self.finish()
            return
        if self.log is not None:
            self.log.write(stream, data)
        elif self.connection is not None:
            self.connection.send(("out", stream, data))
        for watcher in self.watchers:
            watcher.send(("out", stream, data))

    def close_end(self, fd: int) -> None:
        stream = self.ends.pop(fd)
        self.shim.off(fd)
        if self.input == fd:
            self.input = None
        os.close(fd)
        if self.log is not None:
            self.log.close_stream(stream)

    def feed(self, data: bytes) -> None:
        """Bytes for its standard input."""
        if self.input is None:
            return
        self.backlog += data
        self.drain(self.input, 0)

    def drain(self, fd: int, events: int) -> None:
        if events & select.EPOLLIN and fd in self.ends:
            self.readable(fd, events)
        if self.input is None:
            return
        try:
            while self.backlog:
                self.backlog = self.backlog[os.write(self.input, self.backlog[:CHUNK]) :]
        except BlockingIOError:
            wanted = select.EPOLLOUT | (select.EPOLLIN if self.input in self.ends else 0)
            self.shim.on(self.input, wanted, self.drain)
            return
        except OSError:
            self.backlog = b""
        if self.input in self.ends:
            self.shim.on(self.input, select.EPOLLIN, self.readable)
        else:
            self.shim.off(self.input)
        if self.close_input_after and self.input is not None and self.input not in self.ends:
            os.close(self.input)
            self.input = None

    def close_input(self) -> None:
        if self.input is None:
            return
        if self.input in self.ends:
            self.feed(b"\x04")
            return
        self.close_input_after = True
        self.drain(self.input, 0)

    def resize(self, columns: int, rows: int) -> None:
        for fd in self.ends:
            try:
                size = rows.to_bytes(2, sys.byteorder) + columns.to_bytes(2, sys.byteorder) + b"\0\0\0\0"
                fcntl.ioctl(fd, termios.TIOCSWINSZ, size)
            except OSError:
                return

    def kill(self, number: int) -> None:
        """To the whole process group."""
        if self.pid and not self.finished:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass

    def ended(self, status: int) -> None:
        """The program itself is over: what it left in its session goes too."""
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        self.code = 128 + self.signal if self.signal else os.WEXITSTATUS(status)
        self.finished = time.time_ns()
        for pid in session_of(self.pid):
            try:
                os.kill(pid, _signal.SIGKILL)
            except OSError:
                pass
        for fd in list(self.ends):
            while fd in self.ends:
                try:
                    ready = bool(select.select([fd], [], [], 0)[0])
                except (OSError, ValueError):
                    ready = False
                if not ready:
                    self.close_end(fd)
                    break
                self.readable(fd, 0)
        if self.input is not None:
            self.shim.off(self.input)
            os.close(self.input)
            self.input = None
        self.message = self.termination_message()
        self.save()
        self.finish()

    def termination_message(self) -> str:
        path = self.spec.get("message_path")
        text = b""
        if path:
            try:
                with open(path, "rb") as file:
                    text = file.read(4096)
            except OSError:
                pass
        if not text and self.code and self.spec.get("message_from_log") and self.log is not None:
            text = last_lines(self.log)
        return text.decode(errors="replace")

    def finish(self) -> None:
        """Tell who is interested, once everything it wrote was passed on."""
        if not self.finished or self.ends:
            return
        if self.connection is not None:
            self.connection.send(("exit", self.code))
            self.shim.processes.pop(self.id, None)
            return
        for watcher in self.watchers:
            watcher.send(("exit", self.code))
        self.watchers = []
        self.shim.tell()

    def fail(self, message: str) -> None:
        """Its program could not be started."""
        self.reason, self.message = "StartError", message
        self.code, self.finished = START_FAILED, time.time_ns()
        self.save()

    def state(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "pid": self.pid,
            "ticks": self.ticks,
            "started": self.started,
            "finished": self.finished,
            "code": self.code,
            "signal": self.signal,
            "reason": self.reason,
            "message": self.message,
        }

    def save(self) -> None:
        """On disk before anybody hears of it: a daemon that was killed reads it later."""
        if self.connection is not None:
            return
        path = os.path.join(os.path.dirname(self.spec["log"]), "state")
        with open(path + ".new", "wb") as file:
            marshal.dump(self.state(), file, MARSHAL_VERSION)
        os.rename(path + ".new", path)
