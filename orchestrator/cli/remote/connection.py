"""One request at a time to an API server: JSON in and out, or a stream of lines."""

from __future__ import annotations

import http.client
import socket
import ssl
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from orchestrator.cli.terminal import CommandError
from orchestrator.client.kubeconfig import Access

Object = dict[str, Any]
Query = Mapping[str, str | int | bool | None]

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

GONE = 410
"""The code of a revision that is no longer kept."""
REQUEST_SECONDS = 60.0
CHUNK_BYTES = 64 * 1024
MAX_LINE_BYTES = 8 * 2**20
"""One event of a watch; Kubernetes' objects are far below."""

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


class ApiError(CommandError):
    """The server refused. ``status`` is its ``Status``."""

    def __init__(self, status: Object) -> None:
        super().__init__(one_line(status))
        self.status = status
        self.http_code = int(status.get("code") or 0)
        self.reason = str(status.get("reason") or "")


def one_line(status: Object) -> str:
    """The message of a ``Status``, which names the object and the field, on one line."""
    message = " ".join(str(status.get("message") or "").split())
    return message or f"the server answered {status.get('code', 'an error')} {status.get('reason', '')}".strip()


class Connection:
    """To one server, kept open between requests; a stream takes a connection of its own."""

    def __init__(self, access: Access, timeout_seconds: float = REQUEST_SECONDS) -> None:
        self.access = access
        self.warnings: list[str] = []
        """What the server warned of in answers so far."""
        self._timeout = timeout_seconds
        self._kept: http.client.HTTPConnection | None = None

    def get(self, path: str, query: Query | None = None, *, accept: str = JSON) -> Object:
        return self.call("GET", path, query, accept=accept)[1]

    def call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Any = None,
        *,
        accept: str = JSON,
        content: str = JSON,
    ) -> tuple[int, Object]:
        """The code and the decoded body. Raises ``ApiError`` from 400 on, ``CommandError`` when no answer came."""
        payload = None if body is None else body if isinstance(body, bytes) else encode(body)
        answer = self._exchange(method, path + query_text(query), payload, self._headers(accept, content))
        data = answer.read()
        self._note(answer)
        found = decoded(data, answer.status)
        if answer.status >= 400:
            raise ApiError(found)
        return answer.status, found

    def text(self, path: str, query: Query | None = None) -> str:
        """An answer that is no JSON document (``/version`` of proxies, OpenAPI as text)."""
        with self.open(path, query) as answer:
            return answer.read().decode(errors="replace")

    def open(self, path: str, query: Query | None = None, *, accept: str = JSON) -> http.client.HTTPResponse:
        """A stream without a time limit: close the answer. Raises as ``call``."""
        connection = self._connected(None)
        answer = self._send(connection, "GET", path + query_text(query), None, self._headers(accept, JSON))
        if answer.status >= 400:
            raise ApiError(decoded(answer.read(), answer.status))
        self._note(answer)
        return answer

    def events(self, path: str, query: Query | None = None, *, accept: str = JSON) -> Iterator[Object]:
        """The events of a watch until the server ends it. An ERROR event raises ``ApiError``."""
        with self.open(path, {**(query or {}), "watch": True}, accept=accept) as answer:
            for line in lines(answer):
                event: Object = decode(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"])
                yield event

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def credentials(self) -> dict[str, str]:
        """The headers that say who asks."""
        access = self.access
        token = Path(access.token_file).read_text().strip() if access.token_file else access.token
        if token:
            return {"Authorization": f"Bearer {token}"}
        if access.user:
            pair = b64encode(f"{access.user}:{access.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}

    def _headers(self, accept: str, content: str) -> dict[str, str]:
        return {"Accept": accept, "Content-Type": content, "User-Agent": "podium", **self.credentials()}

    def _exchange(
        self, method: str, url: str, payload: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        """On the kept connection; a read is tried once more when the server had closed it meanwhile."""
        if self._kept is not None:
            try:
                self._kept.request(method, url, payload, headers)
                return self._kept.getresponse()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as failure:
                self.close()
                if method != "GET":
                    raise CommandError(f"{self.access.server} closed the connection; try again") from failure
        fresh = self._connected(self._timeout)
        answer = self._send(fresh, method, url, payload, headers)
        self._kept = fresh
        return answer

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        url: str,
        payload: bytes | None,
        headers: dict[str, str],
    ) -> http.client.HTTPResponse:
        try:
            connection.request(method, url, payload, headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as failure:
            connection.close()
            raise CommandError(self._unreachable(failure)) from failure

    def _unreachable(self, failure: Exception) -> str:
        if isinstance(failure, ssl.SSLCertVerificationError):
            why, then = f"its certificate is not trusted: {failure.verify_message}", "is this the right kubeconfig?"
        elif isinstance(failure, TimeoutError):
            why, then = f"no answer within {self._timeout:.0f} s", "`podium status` says how it is"
        else:
            why = (failure.strerror if isinstance(failure, OSError) else "") or str(failure) or type(failure).__name__
            then = "`podium up` starts a cluster, --kubeconfig names another"
        return f"cannot reach {self.access.server}: {why.lower()}; {then}"

    def _connected(self, timeout: float | None) -> http.client.HTTPConnection:
        """To the first server that takes it; to the last one tried when none does, which then says why."""
        for _ in self.access.others:
            connection = self._connect(timeout)
            try:
                connection.connect()
                return connection
            except OSError:
                connection.close()
                self.access = self.access.next()
        return self._connect(timeout)

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        parts = urlsplit(self.access.server)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return NamedHttpsConnection(host, port, timeout, tls(self.access), self.access.server_name or host)

    def _note(self, answer: http.client.HTTPResponse) -> None:
        for value in answer.headers.get_all("Warning") or ():
            text = value.partition('"')[2].rpartition('"')[0].replace('\\"', '"')
            if text and text not in self.warnings:
                self.warnings.append(text)


class NamedHttpsConnection(http.client.HTTPSConnection):
    """HTTPS to a host whose certificate bears ``server_name`` (``tls-server-name`` of a kubeconfig)."""

    def __init__(
        self, host: str, port: int | None, timeout: float | None, context: ssl.SSLContext, server_name: str
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._tls = context
        self._server_name = server_name

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._server_name)


def tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=access.authority.decode() if access.authority else None)
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.certificate:
        with tempfile.NamedTemporaryFile() as pair:  # OpenSSL reads a client's pair only from a file
            pair.write(access.certificate + b"\n" + access.key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def query_text(query: Query | None) -> str:
    """The query string with its question mark; absent where a value is None, False or empty."""
    if not query:
        return ""
    found = {
        name: "true" if value is True else value
        for name, value in query.items()
        if value is not None and value is not False and value != ""
    }
    return f"?{urlencode(found)}" if found else ""


def decoded(data: bytes, code: int) -> Object:
    """The body as a mapping, or a ``Status`` where a proxy or a broken server answered something else."""
    try:
        found = decode(data) if data else {}
    except msgspec.DecodeError:
        found = None
    if isinstance(found, dict) and (code < 400 or found.get("kind") == "Status"):
        return found
    text = " ".join(data[:200].decode(errors="replace").split())
    return {"kind": "Status", "code": code, "message": f"the server answered {code}: {text or 'nothing'}"}


def lines(answer: http.client.HTTPResponse, *, last: bool = False) -> Iterator[bytes]:
    """The lines of a chunked answer as they arrive; ``last``: also one without an end."""
    rest = b""
    while chunk := answer.read1(CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise CommandError(f"expected an event of at most {MAX_LINE_BYTES} bytes, found a longer line")
        yield from (line for line in whole if line or last)
    if rest and last:
        yield rest
