"""The demo's web server: says who it is. Run as a script; ``PORT`` and ``POD_IP`` say where it listens.

``/`` and unknown paths answer with the pod's name and address, ``/healthz`` and ``/readyz`` with ok, ``/slow`` after
half a second. After SIGTERM it answers for ``GRACE_SECONDS`` more, so that a load balancer can look away first.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import _socket
import os
import select
import time

GRACE_SECONDS = 1.0
MAX_REQUEST = 65536
MAX_CONNECTIONS = 1024


def body_of(path: bytes, name: str, address: str) -> bytes:
    if path in (b"/healthz", b"/readyz", b"/livez"):
        return b"ok\n"
    if path == b"/slow":
        time.sleep(0.5)
    return (f"Hello from {name} at {address}\n").encode()


def answer(request: bytes, name: str, address: str) -> tuple[bytes, bool]:
    """The response to one whole request, and whether the connection stays open."""
    head = request.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    words = head[0].split(b" ")
    if len(words) != 3:
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", False
    fields = [line.lower() for line in head[1:]]
    keep = words[2] == b"HTTP/1.1" and b"connection: close" not in fields
    body = body_of(words[1].split(b"?", 1)[0], name, address)
    kept = b"keep-alive" if keep else b"close"
    text = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n" % (
        len(body),
        kept,
    )
    return text if words[0] == b"HEAD" else text + body, keep


def length_of(request: bytes) -> int:
    """The size of the first request in the buffer with its body, 0 while it is not whole."""
    end = request.find(b"\r\n\r\n")
    if end < 0:
        return 0
    size = 0
    for line in request[:end].split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":", 1)[1])
    return end + 4 + size if len(request) >= end + 4 + size else 0


class Server:
    def __init__(self, address: str, port: int, name: str) -> None:
        self.name, self.address = name, address
        self.listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        self.listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(256)
        self.listener.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.listener.fileno(), select.EPOLLIN)
        self.connections: dict[int, tuple[_socket.socket, bytes]] = {}
        self.deadline: float | None = None

    def stop(self, number: int, frame: object) -> None:
        if self.deadline is None:
            self.deadline = time.monotonic() + GRACE_SECONDS

    def run(self) -> None:
        while True:
            timeout = -1.0
            if self.deadline is not None:
                timeout = self.deadline - time.monotonic()
                if timeout <= 0:
                    return
            for fd, _ in self.epoll.poll(timeout):
                if fd == self.listener.fileno():
                    self.accept()
                elif fd in self.connections:
                    self.serve(fd)

    def accept(self) -> None:
        try:
            descriptor, _ = self.listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        if len(self.connections) >= MAX_CONNECTIONS:
            os.close(descriptor)
            return
        connection = _socket.socket(fileno=descriptor)
        connection.settimeout(5.0)
        self.connections[descriptor] = (connection, b"")
        self.epoll.register(descriptor, select.EPOLLIN)

    def serve(self, fd: int) -> None:
        connection, waiting = self.connections[fd]
        try:
            data = connection.recv(MAX_REQUEST)
            waiting += data
            keep = bool(data) and len(waiting) <= MAX_REQUEST
            size = length_of(waiting)
            while keep and size:
                text, keep = answer(waiting[:size], self.name, self.address)
                connection.sendall(text)
                waiting = waiting[size:]
                size = length_of(waiting)
        except (OSError, ValueError):
            keep = False
        if keep and self.deadline is None:
            self.connections[fd] = (connection, waiting)
            return
        self.epoll.unregister(fd)
        del self.connections[fd]
        connection.close()


def main() -> None:
    address = os.environ.get("POD_IP") or "0.0.0.0"
    name = os.environ.get("POD_NAME") or os.environ.get("HOSTNAME") or "podium"
    port = int(os.environ.get("PORT") or "8080")
    server = Server(address, port, name)
    _signal.signal(_signal.SIGTERM, server.stop)
    _signal.signal(_signal.SIGINT, server.stop)
    os.write(1, f"{name} listens on {address}:{port}\n".encode())
    server.run()


if __name__ == "__main__":
    main()
