"""The parent of one pod's processes, alone in its session: it outlives the daemon and keeps what that would lose.

Run as a script: ``python -I -S shim.py <pod directory>``. It returns when the socket listens; the shim itself goes on
in the background. In the pod's directory it leaves ``shim.sock``, ``shim.lock`` (held while it lives), and for each
container ``<name>.<attempt>/log`` (lines as CRI runtimes write them) and ``<name>.<attempt>/state``.

A frame is four bytes of length and a marshalled tuple. Only modules that are compiled in are imported: ``socket`` and
``json`` would take three times as long to load as the interpreter itself.
"""

import _signal
import _socket
import errno
import fcntl
import marshal
import os
import select
import sys
import termios
import time
from pwd import getpwuid
from resource import RLIM_INFINITY, RLIMIT_CORE, RLIMIT_DATA, setrlimit

CHUNK = 65536
MAX_LINE = 16384
"""Longer lines are cut into partial ones, as CRI runtimes do."""
MAX_LOG_BYTES = 10 * 1024 * 1024
"""Then the log is rotated; one older file is kept."""
MAX_FRAME = 16 * 1024 * 1024
MAX_PENDING = 4 * 1024 * 1024
"""Unsent bytes of a connection; beyond it output of an exec is not read until the client has taken some."""
GRACE_SECONDS = 0.2
"""For the rest of a process group after its leader has ended."""
MARSHAL_VERSION = 2
START_FAILED = 128


def stamp(now):
    """RFC 3339 with nanoseconds."""
    seconds, nanos = divmod(now, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanos:09d}Z"


def start_ticks(pid):
    """When a process began, in clock ticks since boot: with the pid it is an identity that is never used again."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b")", 1)[1].split()[19])
    except (OSError, IndexError):
        return 0


def session_of(pid):
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


class Log:
    """Lines of one container."""

    def __init__(self, path):
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.size = os.fstat(self.file).st_size
        self.partial = {1: b"", 2: b""}

    def write(self, stream, data):
        data = self.partial[stream] + data
        lines = data.split(b"\n")
        self.partial[stream] = lines.pop()
        text = b"".join(self.line(stream, b"F", line) for line in lines)
        while len(self.partial[stream]) >= MAX_LINE:
            text += self.line(stream, b"P", self.partial[stream][:MAX_LINE])
            self.partial[stream] = self.partial[stream][MAX_LINE:]
        self.append(text)

    def close_stream(self, stream):
        if self.partial[stream]:
            self.append(self.line(stream, b"F", self.partial[stream]))
            self.partial[stream] = b""

    def line(self, stream, tag, text):
        name = b"stdout" if stream == 1 else b"stderr"
        now = stamp(time.time_ns()).encode()
        pieces = [text[at : at + MAX_LINE] for at in range(0, len(text), MAX_LINE)] or [b""]
        tags = [b"P"] * (len(pieces) - 1) + [tag]
        return b"".join(b"%s %s %s %s\n" % (now, name, one, piece) for one, piece in zip(tags, pieces, strict=False))

    def append(self, text):
        if not text:
            return
        if self.size + len(text) > MAX_LOG_BYTES and self.size:
            os.close(self.file)
            os.rename(self.path, self.path + ".1")
            self.__init_file()
        os.write(self.file, text)
        self.size += len(text)

    def __init_file(self):
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.size = 0


class Process:
    """A container's program, or one that was executed beside it (then ``connection`` is who asked)."""

    def __init__(self, shim, spec, connection=None):
        self.shim, self.spec, self.connection = shim, spec, connection
        self.id = spec["id"]
        self.watchers = []
        self.pid = self.ticks = self.finished = self.code = self.signal = 0
        self.reason = self.message = ""
        self.started = time.time_ns()
        self.log = Log(spec["log"]) if connection is None else None
        self.ends = {}
        self.input = None
        self.backlog = b""
        self.close_input_after = False

    def start(self):
        tty = self.spec.get("tty")
        if tty:
            master, slave = os.openpty()
            child, self.ends, self.input = (slave, slave, slave), {master: 1}, master
            _mine, theirs = [], [slave]
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

    def become(self, child, fail, tty):
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

    def change_user(self):
        user, group = self.spec.get("user"), self.spec.get("group")
        if user is None and group is None:
            return
        if os.geteuid() != 0:
            if user not in (None, os.getuid()):
                raise PermissionError(f"expected the daemon to run as root to run a container as user {user}")
            return
        if group is None:
            try:
                group = getpwuid(user).pw_gid
            except KeyError:
                group = 0
        os.setgroups(self.spec.get("groups") or [])
        os.setgid(group)
        if user is not None:
            os.setuid(user)

    def readable(self, fd, events):
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

    def close_end(self, fd):
        stream = self.ends.pop(fd)
        self.shim.off(fd)
        if self.input == fd:
            self.input = None
        os.close(fd)
        if self.log is not None:
            self.log.close_stream(stream)

    def feed(self, data):
        """Bytes for its standard input."""
        if self.input is None:
            return
        self.backlog += data
        self.drain(self.input, 0)

    def drain(self, fd, events):
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

    def close_input(self):
        if self.input is None:
            return
        if self.input in self.ends:
            self.feed(b"\x04")
            return
        self.close_input_after = True
        self.drain(self.input, 0)

    def resize(self, columns, rows):
        for fd in self.ends:
            try:
                size = rows.to_bytes(2, sys.byteorder) + columns.to_bytes(2, sys.byteorder) + b"\0\0\0\0"
                fcntl.ioctl(fd, termios.TIOCSWINSZ, size)
            except OSError:
                return

    def kill(self, number):
        """To the whole process group."""
        if self.pid and not self.finished:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass

    def ended(self, status):
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

    def termination_message(self):
        path = self.spec.get("message_path")
        text = b""
        if path:
            try:
                with open(path, "rb") as file:
                    text = file.read(4096)
            except OSError:
                pass
        if not text and self.code and self.spec.get("message_from_log") and self.log is not None:
            text = self.last_lines()
        return text.decode(errors="replace")

    def last_lines(self):
        with open(self.log.path, "rb") as file:
            file.seek(max(0, self.log.size - 4096))
            lines = file.read().split(b"\n")[-81:]
        return b"".join(line.split(b" ", 3)[3] + b"\n" for line in lines if line.count(b" ") >= 3)[-2048:]

    def finish(self):
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

    def fail(self, message):
        """Its program could not be started."""
        self.reason, self.message = "StartError", message
        self.code, self.finished = START_FAILED, time.time_ns()
        self.save()

    def state(self):
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

    def save(self):
        """On disk before anybody hears of it: a daemon that was killed reads it later."""
        if self.connection is not None:
            return
        path = os.path.join(os.path.dirname(self.spec["log"]), "state")
        with open(path + ".new", "wb") as file:
            marshal.dump(self.state(), file, MARSHAL_VERSION)
        os.rename(path + ".new", path)


class Connection:
    """One client: the daemon's standing one, or an exec's."""

    def __init__(self, shim, sock):
        self.shim, self.sock = shim, sock
        self.incoming = b""
        self.outgoing = b""
        self.process = None
        self.watching = False
        sock.setblocking(False)
        shim.on(sock.fileno(), select.EPOLLIN, self.ready)

    def send(self, frame):
        data = marshal.dumps(frame, MARSHAL_VERSION)
        self.outgoing += len(data).to_bytes(4, "big") + data
        self.flush()

    def flush(self):
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

    def ready(self, fd, events):
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

    def close(self):
        if self.sock is None:
            return
        self.shim.off(self.sock.fileno())
        self.sock.close()
        self.sock = None
        self.shim.gone(self)


class Shim:
    def __init__(self, folder, listener, lock):
        self.folder, self.listener, self.lock = folder, listener, lock
        self.processes = {}
        self.connections = []
        self.handlers = {}
        self.epoll = select.epoll()
        self.execs = 0
        self.ending = False

    def on(self, fd, events, handler):
        if fd in self.handlers:
            self.epoll.modify(fd, events)
        else:
            self.epoll.register(fd, events)
        self.handlers[fd] = handler

    def off(self, fd):
        if self.handlers.pop(fd, None) is not None:
            self.epoll.unregister(fd)

    def run(self):
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

    def accept(self, fd, events):
        descriptor, _ = self.listener._accept()
        self.connections.append(Connection(self, _socket.socket(fileno=descriptor)))

    def reap(self, fd, events):
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

    def handle(self, connection, frame):
        operation = getattr(self, "do_" + frame[0], None)
        if operation is None:
            connection.send(("error", "Unknown", f"no operation {frame[0]!r}"))
            return
        try:
            operation(connection, *frame[1:])
        except Exception as failure:
            connection.send(("error", type(failure).__name__, str(failure)))

    def do_start(self, connection, spec):
        if spec["id"] in self.processes:
            connection.send(("error", "ContainerExists", "container {} was started before".format(spec["id"])))
            return
        process = Process(self, spec)
        self.processes[spec["id"]] = process
        problem = process.start()
        if problem:
            process.fail(problem)
        connection.send(("ok", [process.state()]))

    def do_signal(self, connection, container, number):
        process = self.processes.get(container)
        if process is not None:
            process.kill(number)
        connection.send(("ok", []))

    def do_forget(self, connection, container):
        process = self.processes.pop(container, None)
        if process is not None:
            process.kill(_signal.SIGKILL)
        connection.send(("ok", []))

    def do_watch(self, connection):
        connection.watching = True
        connection.send(("ok", self.states()))

    def do_exec(self, connection, spec):
        self.execs += 1
        process = Process(self, {**spec, "id": f"exec {self.execs}"}, connection)
        connection.process = process
        self.processes[process.id] = process
        problem = process.start()
        if problem:
            connection.send(("failed", problem))

    def do_attach(self, connection, container):
        process = self.processes.get(container)
        if process is None or process.finished:
            connection.send(("failed", f"container {container} does not run"))
            return
        connection.process = process
        process.watchers.append(connection)

    def do_in(self, connection, data):
        if connection.process is not None:
            connection.process.feed(data)

    def do_eof(self, connection):
        if connection.process is not None:
            connection.process.close_input()

    def do_size(self, connection, columns, rows):
        if connection.process is not None:
            connection.process.resize(columns, rows)

    def do_end(self, connection):
        self.end()

    def end(self):
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

    def gone(self, connection):
        if connection in self.connections:
            self.connections.remove(connection)
        process = connection.process
        if process is None:
            return
        if process.connection is connection:
            process.kill(_signal.SIGKILL)
        elif connection in process.watchers:
            process.watchers.remove(connection)

    def states(self):
        return [one.state() for one in self.processes.values() if one.connection is None]

    def tell(self):
        states = self.states()
        for connection in list(self.connections):
            if connection.watching:
                connection.send(("states", states))


def main():
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
    if os.fork():
        os._exit(0)
    os.setsid()
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    setrlimit(RLIMIT_CORE, (0, RLIM_INFINITY))
    Shim(folder, listener, lock).run()


if __name__ == "__main__":
    main()
