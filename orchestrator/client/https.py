"""The door for everybody else: the Kubernetes HTTP API, JSON on the wire, over aiohttp.

It serves any Kubernetes. A batch is that many requests, a few at a time; a watch is a stream that a task of this
transport reads and tells on as the same frames that a mailbox would bring.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
import orjson

from actors import Ref
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object, decode_part, encode, encode_part
from orchestrator.client.errors import TransportError
from orchestrator.client.kubeconfig import Access
from orchestrator.client.protocol import Options, Request, Response, Target, Verb
from orchestrator.store.protocol import Changes, Event, Refusal, Value, WatchEnded

REQUEST_SECONDS = 60.0
"""How long one request may take."""
CONCURRENT = 32
"""Requests of one batch that are under way at once."""
MAX_LINE_BYTES = 8 * 2**20
"""One event of a watch; Kubernetes' objects are far below."""
METHODS = {
    Verb.GET: "GET",
    Verb.LIST: "GET",
    Verb.WATCH: "GET",
    Verb.CREATE: "POST",
    Verb.UPDATE: "PUT",
    Verb.PATCH: "PATCH",
    Verb.DELETE: "DELETE",
    Verb.DELETECOLLECTION: "DELETE",
}
READS = (Verb.GET, Verb.LIST)
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
GONE = 503
"""A server that reaches no store, or is about to stop: the next requests go to another."""
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=REQUEST_SECONDS)

R = TypeVar("R")


class HttpSubscription:
    """A watch: the task that reads its stream."""

    def __init__(self, watch: int, task: asyncio.Task[None]) -> None:
        self._watch = watch
        self._task = task

    @property
    def watch(self) -> int:
        return self._watch

    async def credit(self, frames: int) -> None:
        """The stream itself is the bound: what is not read waits at the server."""

    async def close(self) -> None:
        self._task.cancel()


class HttpTransport:
    """Requests to ``access.server``, or to the next of ``access.others`` when that is gone.

    What did not reach a server is asked of the next, and a read also when its answer was lost. Any other request
    without an answer fails, since it may have been served; those after it go to the next. Close it: it owns connections
    and the tasks of watches.
    """

    def __init__(self, access: Access, *, timeout_seconds: float = REQUEST_SECONDS) -> None:
        self._access = access
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._watches: dict[int, asyncio.Task[None]] = {}
        self._count = 0

    @property
    def access(self) -> Access:
        """Whose ``server`` is asked first now."""
        return self._access

    @property
    def server(self) -> Ref[Any] | None:
        return None  # The stream of a watch ends when its server does.

    async def request(self, request: Request) -> Response:
        return await self._somewhere(
            str(request.verb), request.verb in READS, lambda access: self._ask(access, request)
        )

    async def _ask(self, access: Access, request: Request) -> Response:
        async with self._open().request(
            METHODS[request.verb],
            access.server + path(request.target) + query(request.options),
            data=body(request),
            headers=self._headers(request),
            timeout=self._timeout,
        ) as answer:
            if answer.status == GONE:
                self._leave(access)
            return _response(answer.status, await answer.read(), request)

    async def _somewhere(self, what: str, safe: bool, ask: Callable[[Access], Awaitable[R]]) -> R:
        """``safe``: doing it twice does no harm. Raises ``TransportError``."""
        for left in reversed(range(1 + len(self._access.others))):
            access = self._access
            try:
                return await ask(access)
            except (aiohttp.ClientError, TimeoutError, OSError) as failure:
                self._leave(access)
                if not left or not (safe or isinstance(failure, NOT_SENT)):
                    raise TransportError(what, f"{type(failure).__name__}: {failure}") from failure
        raise AssertionError("the last server's failure was raised")

    def _leave(self, access: Access) -> None:
        """Go on with the next, unless somebody did already."""
        if self._access is access:
            self._access = access.next()

    async def batch(self, requests: list[Request]) -> list[Response]:
        """In order by start; each answered alone. The first that gets no answer fails the batch."""
        limit = asyncio.Semaphore(CONCURRENT)

        async def one(request: Request) -> Response:
            async with limit:
                return await self.request(request)

        return list(await asyncio.gather(*(one(request) for request in requests)))

    async def watch(self, request: Request, subscriber: Ref[Any], tag: str) -> HttpSubscription:
        answer = await self._somewhere("watch", True, lambda access: self._stream(access, request))
        if answer.status >= 400:
            refused = _decoded(await answer.read(), answer.status)
            answer.release()
            raise errors.from_status(refused)
        self._count += 1
        number = self._count
        task = asyncio.create_task(self._read(answer, request.target, subscriber, number, tag), name=f"watch {number}")
        self._watches[number] = task
        task.add_done_callback(lambda _: self._watches.pop(number, None))
        return HttpSubscription(number, task)

    async def _stream(self, access: Access, request: Request) -> aiohttp.ClientResponse:
        url = access.server + path(request.target) + query(request.options, watch=True)
        return await self._open().get(url, headers=self._headers(request), timeout=NO_TIMEOUT)

    async def lines(self, request: Request) -> AsyncIterator[list[bytes]]:
        """A watch as it comes over the wire: one JSON document a line, as many as have arrived."""
        async with await self._stream(self._access, request) as answer:
            if answer.status >= 400:
                raise errors.from_status(_decoded(await answer.read(), answer.status))
            async for found in _arrived(answer):
                yield found

    async def close(self) -> None:
        tasks = list(self._watches.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=_tls(self._access), limit=0)
            self._session = aiohttp.ClientSession(connector=connector, read_bufsize=2**18)
        return self._session

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if request.verb == Verb.PATCH and request.patch_type is not None:
            headers["Content-Type"] = f"application/{request.patch_type}"
        elif request.verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE, Verb.DELETECOLLECTION):
            headers["Content-Type"] = "application/json"
        access = self._access
        token = Path(access.token_file).read_text().strip() if access.token_file else access.token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        elif access.user:
            headers["Authorization"] = aiohttp.BasicAuth(access.user, access.password).encode()
        return headers

    async def _read(
        self, answer: aiohttp.ClientResponse, target: Target, subscriber: Ref[Any], number: int, tag: str
    ) -> None:
        """Tell what the stream brings, all that has arrived as one frame, until it ends."""
        reason, message = Refusal.STOPPED, "the server ended the stream"
        try:
            async for lines in _arrived(answer):
                frame, ended = _frame(lines, target, number, tag)
                await subscriber.tell(frame)
                if ended is not None:
                    reason, message = ended
                    break
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as failure:
            message = f"{type(failure).__name__}: {failure}"
        finally:
            answer.close()
        subscriber.tell_nowait(WatchEnded(number, tag, reason, message))


async def _arrived(answer: aiohttp.ClientResponse) -> AsyncIterator[list[bytes]]:
    """Whole lines, as many as there are."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise ValueError(f"expected an event of at most {MAX_LINE_BYTES} bytes, found a longer line")
        lines = [line for line in lines if line]
        if lines:
            yield lines


Ended = tuple[Refusal, str]


def _frame(lines: list[bytes], target: Target, number: int, tag: str) -> tuple[Changes, Ended | None]:
    """The events of these lines, and why the stream ends if one of them says so."""
    events: list[Event] = []
    ended: Ended | None = None
    revision = 0
    for line in lines:
        entry = orjson.loads(line)
        obj = entry["object"]
        if entry["type"] == "ERROR":
            gone = Refusal.COMPACTED if obj.get("code") == 410 else Refusal.STOPPED
            ended = gone, obj.get("message", "")
            break
        revision = max(revision, _revision(obj))
        if entry["type"] != "BOOKMARK":
            events.append(_event(entry["type"], obj, target))
    return Changes.of(number, tag, revision, events), ended


def _event(type: str, obj: Object, target: Target) -> Event:
    revision = _revision(obj)
    metadata = obj["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    key = f"{target.group or 'core'}/{target.resource}/{place}{metadata['name']}"
    return Event(type == "DELETED", type == "ADDED", Value(key, encode(obj).parts(), revision, 0, 0))


def _revision(obj: Object) -> int:
    text = (obj.get("metadata") or {}).get("resourceVersion") or "0"
    return int(text) if text.isdigit() else 0


def path(target: Target) -> str:
    """``/apis/apps/v1/namespaces/default/deployments/web/scale``."""
    parts = ["/api" if not target.group else f"/apis/{target.group}", target.version]
    if target.namespace:
        parts += ["namespaces", target.namespace]
    parts += [part for part in (target.resource, target.name, target.subresource) if part]
    return "/".join(parts)


def query(options: Options, *, watch: bool = False) -> str:
    """The query string with its question mark, or nothing."""
    found: dict[str, str | int] = {
        "labelSelector": options.label_selector,
        "fieldSelector": options.field_selector,
        "limit": options.limit,
        "continue": options.continue_token,
        "resourceVersion": options.resource_version,
        "resourceVersionMatch": options.resource_version_match,
        "sendInitialEvents": "true" if options.send_initial_events else "",
        "allowWatchBookmarks": "true" if options.allow_bookmarks else "",
        "timeoutSeconds": options.timeout_seconds,
        "dryRun": "All" if options.dry_run else "",
        "fieldManager": options.field_manager,
        "fieldValidation": options.field_validation,
        "force": "true" if options.force else "",
        "watch": "true" if watch else "",
    }
    text = urlencode({name: value for name, value in found.items() if value})
    return f"?{text}" if text else ""


def body(request: Request) -> bytes | None:
    """The JSON of what the request carries; the options of a delete travel in it."""
    if request.verb in (Verb.DELETE, Verb.DELETECOLLECTION):
        return orjson.dumps(_delete_options(request.options))
    if not request.body:
        return None
    return orjson.dumps(decode_part(request.body))


def _delete_options(options: Options) -> Object:
    made: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
    if options.grace_period_seconds is not None:
        made["gracePeriodSeconds"] = options.grace_period_seconds
    if options.propagation_policy:
        made["propagationPolicy"] = options.propagation_policy
    wanted = {"uid": options.precondition_uid, "resourceVersion": options.precondition_resource_version}
    if conditions := {name: value for name, value in wanted.items() if value}:
        made["preconditions"] = conditions
    return made


def _decoded(content: bytes, code: int) -> Object:
    """The body, or a ``Status`` where a proxy or a broken server answered something else."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        found = None
    if isinstance(found, dict):
        return found
    text = content[:200].decode(errors="replace")
    return errors.status(code, "InternalError", f"expected JSON from the server, found {text!r}").status


def _response(code: int, content: bytes, request: Request) -> Response:
    obj = _decoded(content, code)
    if code >= 400:
        return Response(code, body=encode_part(obj))
    meta = obj.get("metadata") or {}
    if request.verb == Verb.LIST:
        revision = _revision(obj)
        shared = {"apiVersion": obj.get("apiVersion", ""), "kind": obj.get("kind", "").removesuffix("List")}
        items = [encode({**shared, **item}, _revision(item)) for item in obj.get("items") or ()]
        token, remaining = meta.get("continue", ""), meta.get("remainingItemCount")
        return Response(code, revision, items=items, continue_token=token, remaining=remaining)
    if obj.get("kind") == "Status" or not meta.get("uid"):
        return Response(code, _revision(obj), body=encode_part(obj))
    revision = _revision(obj)
    return Response(code, revision, encode(obj, revision))


def _tls(access: Access) -> ssl.SSLContext | bool:
    if not access.server.startswith("https:"):
        return False
    context = ssl.create_default_context(cadata=access.authority.decode() if access.authority else None)
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if access.certificate:
        _load_pair(context, access.certificate, access.key)
    return context


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """OpenSSL reads a client's pair only from a file: one that is ours alone and gone at once."""
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(certificate + b"\n" + key)
        pair.flush()
        context.load_cert_chain(pair.name)
