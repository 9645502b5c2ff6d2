"""The HTTPS door: an actor that listens, authenticates, and turns bytes into requests to the API server.

It holds no state of the cluster, so it may die, or live in another process, at any time; its children are the sinks
of the watches that it serves.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
import orjson
from aiohttp import web

from actors import Actor, ActorError, AskTimeout, Exit, Mailbox, Ref, temporary
from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.schema import Resource, schema
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quoting import quote
from orchestrator.apiserver.authn import certificate_identity
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.door_messages import Authenticate, Authorize, Define, Fetch, Locate
from orchestrator.apiserver.http.answers import View, answer, document_answer, status_answer
from orchestrator.apiserver.http.bodies import MAX_BODY_BYTES, encode_body, encode_patch, patch_type
from orchestrator.apiserver.http.jsoncache import JsonCache
from orchestrator.apiserver.http.measures import Requests, actor_lines
from orchestrator.apiserver.http.negotiation import JSON, MediaType, choose
from orchestrator.apiserver.http.paths import ResourcePath, resource_path
from orchestrator.apiserver.http.plain import (
    METRICS_TEXT,
    Document,
    health_document,
    is_health,
    plain_document,
    process_metrics,
    respond,
)
from orchestrator.apiserver.http.query import boolean, default_manager, options_of
from orchestrator.apiserver.http.watching import CREDIT_FRAMES, WatchForm, Watching, WatchSink
from orchestrator.apiserver.streaming.logs import stream_log
from orchestrator.apiserver.streaming.ports import stream_ports
from orchestrator.apiserver.streaming.remote import stream_remote
from orchestrator.client.protocol import ApiRequest, Identity, Options, Request, Response, Target, Verb

REQUEST_SECONDS = 60.0
"""How long a request may take (upstream's default)."""
WATCH_SECONDS = 1800.0
"""A watch without ``timeoutSeconds`` lasts this long, or up to twice as long."""
REPORT_PATH = "/podium/v1/status"
"""How the cluster is, for those who may read that path: the one document that is not Kubernetes'."""
CLIENT_GONE = 499
"""The code of an answer that nobody waits for any more: it is never sent."""
STOP_SECONDS = 2.0
"""Time for open requests when the door closes."""
BROWSERS = ("curl", "Wget", "Mozilla")
DEFAULT_VIEW = View(MediaType(JSON))
PRETTY_VIEW = View(MediaType(JSON), pretty=True)
"""For those who take none of the forms that there are."""


class HttpDoor(Actor):
    """``tls`` None serves plain HTTP. ``port`` 0 takes a free one; the attribute says which."""

    def __init__(
        self,
        api: Ref[Any],
        config: ServerConfig,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        report: Callable[[], Awaitable[Object]] | None = None,
    ) -> None:
        self._report = report
        self._api = api
        self._config = config
        self._host = host
        self._port = port
        self._tls = tls
        self._cache = JsonCache()
        self._requests = Requests()
        self._catalog = Catalog(schema())

    @property
    def port(self) -> int:
        """The port it listens at, once it has started."""
        return self._port

    async def start(self) -> None:
        # A client that goes takes its handler along: a watch would go on unseen until its time is over.
        self._server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._runner = web.ServerRunner(self._server, handle_signals=False, shutdown_timeout=STOP_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._tls)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self, exit: Exit) -> None:
        transports = [handler.transport for handler in self._server.connections]
        await self._runner.cleanup()
        for transport in transports:  # TLS would wait half a minute for the farewell of a client that is silent
            if transport is not None and not transport.get_write_buffer_size():
                transport.abort()

    async def receive(self, message: Any) -> Any:
        return await super().receive(message)

    # One request

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            made = await self._answer(request)
        except errors.StatusError as error:
            made = status_answer(error.status, PRETTY_VIEW if error.code == 406 else DEFAULT_VIEW)
        except AskTimeout:
            made = status_answer(
                errors.timeout("request did not complete within the allotted timeout").status, DEFAULT_VIEW
            )
        except ActorError as gone:
            made = status_answer(errors.service_unavailable(str(gone)).status, DEFAULT_VIEW)
        except ConnectionError:
            return web.Response(status=CLIENT_GONE)
        except Exception as bug:
            self.context.log.exception("a request failed at the door", path=request.path)
            made = status_answer(errors.internal(str(bug)).status, DEFAULT_VIEW)
        if not made.prepared:
            made.headers["Cache-Control"] = made.headers.get("Cache-Control", "no-cache, private")
            made.headers["Audit-Id"] = request.headers.get("Audit-Id") or self._audit_id()
        return made

    def _audit_id(self) -> str:
        text = f"{self.context.random.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        who = await self._identity(request)
        path = resource_path(unquote(request.path))
        if path is None:
            return await self._plain(request, who)
        return await self._resource(request, who, path)

    async def _identity(self, request: web.BaseRequest) -> Identity:
        """Raises Unauthorized or Forbidden."""
        headers = request.headers
        certificate = request.transport.get_extra_info("peercert") if request.transport else None
        identity = certificate_identity(certificate) if certificate else None
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else websocket_token(headers)
        if identity is not None and "Impersonate-User" not in headers:
            return identity
        asked = Authenticate(
            identity,
            token if identity is None else "",
            headers.get("Impersonate-User", ""),
            tuple(headers.getall("Impersonate-Group", ())),
            headers.get("Impersonate-Uid", ""),
            impersonated_extra(headers),
        )
        found = await self._api.ask(asked, REQUEST_SECONDS)
        if found.status is not None:
            raise errors.from_status(found.status)
        if found.identity is None:
            raise errors.unauthorized()
        known: Identity = found.identity
        return known

    # Resources

    async def _resource(self, request: web.BaseRequest, who: Identity, path: ResourcePath) -> web.StreamResponse:
        target = path.target
        resource = await self._find(target)
        if resource is None:
            if not any(one.group == target.group for one in self._catalog.served):
                return nowhere()
            raise errors.no_such_route()
        if target.subresource in STREAMED and target.resource == "pods" and not target.group:
            return await self._stream(request, who, path)
        verb = verb_of(request, path, resource)
        view = self._view(request)
        asked = await self._request(request, verb, path, resource)
        if verb == Verb.WATCH:
            return await self._watch(request, who, asked, resource, view)
        began = self.context.clock.monotonic()
        response = await self._api.ask(ApiRequest(who, asked), REQUEST_SECONDS)
        key = (verb.value, target.group, target.version, target.resource, target.subresource, response.code)
        self._requests.observe(key, self.context.clock.monotonic() - began)
        made = await self._made(response, view, resource)
        deprecated = DEPRECATED.get((resource.group, resource.plural))
        if deprecated:
            made.headers.add("Warning", f'299 - "{deprecated}"')
        return made

    async def _made(self, response: Response, view: View, resource: Resource) -> web.Response:
        now = self.context.clock.time()
        return await answer(response, view, resource, self._cache, now, self.context.blocking)

    async def _find(self, target: Target) -> Resource | None:
        """The resource of a path. About custom ones the server knows more than we may have seen."""
        found = schema().resource(target.group, target.version, target.resource)
        if found is not None:
            return found
        return (await self._current()).resource(target.group, target.version, target.resource)

    async def _current(self) -> Catalog:
        """The kinds as the server serves them now."""
        defined = await self._api.ask(Define(self._catalog.generation), REQUEST_SECONDS)
        if defined.definitions is not None:
            self._catalog.replace(defined.definitions, defined.generation)
        return self._catalog

    def _view(self, request: web.BaseRequest) -> View:
        headers = request.headers
        media = choose(headers.get("Accept", ""))
        agent = headers.get("User-Agent", "")
        pretty = request.query.get("pretty")
        indented = boolean(pretty) if pretty is not None else agent.startswith(BROWSERS)
        include = request.query.get("includeObject") or "Metadata"
        if media.as_kind == "Table" and include not in ("Metadata", "Object", "None"):
            why = f"includeObject: Invalid value: {quote(include)}: must be 'Metadata', 'Object', 'None', or empty"
            raise errors.bad_request(f"Unable to convert to Table as requested: {why}")
        compressed = "gzip" in headers.get("Accept-Encoding", "")
        return View(media, indented, compressed, include)

    async def _request(self, request: web.BaseRequest, verb: Verb, path: ResourcePath, resource: Resource) -> Request:
        options = options_of(request.query, OPTIONS_OF.get(request.method, "ListOptions"))
        if not options.field_manager and verb in (Verb.CREATE, Verb.UPDATE, Verb.PATCH):
            patching = verb == Verb.PATCH and request.headers.get("Content-Type", "").startswith("application/apply")
            if not patching:
                agent = default_manager(request.headers.get("User-Agent", ""))
                options = with_manager(options, agent)
        body, kind = b"", None
        problems: list[str] = []
        if verb not in (Verb.GET, Verb.LIST, Verb.WATCH):
            raw = await read_body(request)
            content_type = request.headers.get("Content-Type", "")
            if verb == Verb.PATCH:
                kind = patch_type(content_type)
                body, problems = encode_patch(raw, kind)
            else:
                body, problems = encode_body(raw, content_type, body_kind(request.method, path, resource))
        return Request(verb, path.target, body, kind, options, problems=tuple(problems))

    async def _watch(
        self, request: web.BaseRequest, who: Identity, asked: Request, resource: Resource, view: View
    ) -> web.StreamResponse:
        frames: asyncio.Queue[Any] = asyncio.Queue()
        mailbox = Mailbox(CREDIT_FRAMES * 2)
        sink = await self.context.spawn(WatchSink, frames, restart=temporary, mailbox=mailbox)
        try:
            response: Response = await self._api.ask(ApiRequest(who, asked, sink), REQUEST_SECONDS)
            if response.code >= 400:
                return await self._made(response, view, resource)
            stream = web.StreamResponse(headers={"Cache-Control": "no-cache, private", "Audit-Id": self._audit_id()})
            stream.content_type = JSON
            stream.enable_chunked_encoding()
            await stream.prepare(request)
            options = asked.options
            seconds = options.timeout_seconds or WATCH_SECONDS * (1 + self.context.random.random())
            form = WatchForm(resource, view, self._cache, self.context.clock.time)
            watching = Watching(
                response,
                form,
                frames,
                self._api,
                options.allow_bookmarks,
                options.send_initial_events and options.allow_bookmarks,
                seconds,
                self.context.clock,
            )
            await watching.run(stream)
            await stream.write_eof()
            return stream
        finally:
            await self.context.stop_child(sink)

    async def _stream(self, request: web.BaseRequest, who: Identity, path: ResourcePath) -> web.StreamResponse:
        """Logs, exec, attach and port-forward."""
        target = path.target
        verb = "create" if request.method == "POST" else "get"
        container = request.query.get("container", "")
        asked = Locate(who, verb, target.namespace, target.name, target.subresource, container)
        located = await self._api.ask(asked, REQUEST_SECONDS)
        if located.status is not None:
            raise errors.from_status(located.status)
        if target.subresource == "log":
            return await stream_log(self, request, located)
        if target.subresource == "portforward":
            return await stream_ports(self, request, located)
        return await stream_remote(self, request, located, target.subresource)

    # Everything else

    def _metrics(self) -> Document:
        """What the process, the requests and the actors say of themselves."""
        lines = [*self._requests.lines(), *actor_lines(self.context.system.tree()), ""]
        return Document(process_metrics() + "\n".join(lines).encode(), METRICS_TEXT)

    async def _plain(self, request: web.BaseRequest, who: Identity) -> web.StreamResponse:
        verb = "get" if request.method == "HEAD" else request.method.lower()
        refused = await self._api.ask(Authorize(who, verb, request.path), REQUEST_SECONDS)
        if refused.status is not None:
            raise errors.from_status(refused.status)
        view = View(
            MediaType(JSON), bool(self._view_pretty(request)), "gzip" in request.headers.get("Accept-Encoding", "")
        )
        if is_health(request.path):
            document = health_document(
                request.path, verbose="verbose" in request.query, ready=await self._ready(request)
            )
        elif request.path == "/metrics":
            document = self._metrics()
        elif request.path == REPORT_PATH and self._report is not None:
            document = Document(orjson.dumps(await self._report()))
        elif request.path.rstrip("/") in ISSUER:
            return await self._issuer(ISSUER[request.path.rstrip("/")])
        else:
            accept, address = request.headers.get("Accept", ""), f"{self._host}:{self._port}"
            found = await self._document(request.path, accept, address)
            if found is None:
                return nowhere()
            document = found
        return respond(document, view, request.headers.get("If-None-Match", ""))

    async def _document(self, path: str, accept: str, address: str) -> Document | None:
        """OpenAPI documents are made in a thread: they take longer than the loop may be held."""
        catalog = await self._current()
        if path.startswith("/openapi"):
            return await self.context.blocking(plain_document, path, accept, self._config, address, catalog)
        return plain_document(path, accept, self._config, address, catalog)

    def _view_pretty(self, request: web.BaseRequest) -> bool:
        pretty = request.query.get("pretty")
        return boolean(pretty) if pretty is not None else request.headers.get("User-Agent", "").startswith(BROWSERS)

    async def _ready(self, request: web.BaseRequest) -> bool:
        if request.path.startswith("/livez"):
            return True
        try:
            return (await self._api.ask(Fetch("ready"))).body is not None
        except ActorError:
            return False

    async def _issuer(self, what: str) -> web.Response:
        body: Object | None = (await self._api.ask(Fetch(what), REQUEST_SECONDS)).body
        if body is None:
            raise errors.no_such_route()
        made = document_answer(200, orjson.dumps(body), DEFAULT_VIEW, {})
        if what == "jwks":
            made.headers["Content-Type"] = "application/jwk-set+json"
        return made


DEPRECATED = {
    ("", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ("", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
}
"""Resources whose every answer bears a warning."""
OPTIONS_OF = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
STREAMED = frozenset(("log", "exec", "attach", "portforward"))
ISSUER = {"/openid/v1/jwks": "jwks", "/.well-known/openid-configuration": "openid"}

METHODS = {
    "GET": (Verb.LIST, Verb.GET),
    "POST": (Verb.CREATE, Verb.CREATE),
    "PUT": (Verb.UPDATE, Verb.UPDATE),
    "PATCH": (Verb.PATCH, Verb.PATCH),
    "DELETE": (Verb.DELETECOLLECTION, Verb.DELETE),
}
"""The verb of a method without and with a name in the path."""


def verb_of(request: web.BaseRequest, path: ResourcePath, resource: Resource) -> Verb:
    """Raises MethodNotAllowed for a method that no resource has."""
    verbs = METHODS.get(request.method)
    target = path.target
    if verbs is None or (request.method in ("PUT", "PATCH") and not target.name):
        raise errors.method_not_served()
    if request.method == "POST" and target.name and not target.subresource:
        raise errors.method_not_served()
    if request.method == "GET" and not target.subresource:
        wanted = request.query.get("watch")
        if path.watch or (wanted is not None and boolean(wanted)):
            return Verb.WATCH
    return verbs[bool(target.name)]


def body_kind(method: str, path: ResourcePath, resource: Resource) -> str:
    """The kind that a body has to be of; "" where it may be absent."""
    if method == "DELETE":
        return ""
    below = resource.subresources.get(path.target.subresource)
    return below.kind if below is not None else resource.kind


def nowhere() -> web.Response:
    """A path that no part of the server knows: plain text, as Go's mux answers."""
    return web.Response(status=404, text="404 page not found\n")


def with_manager(options: Options, manager: str) -> Options:
    return msgspec.structs.replace(options, field_manager=manager)


async def read_body(request: web.BaseRequest) -> bytes:
    """Raises RequestEntityTooLarge."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise errors.too_large(f"limit is {MAX_BODY_BYTES}")
        chunks.append(chunk)
    return b"".join(chunks)


def websocket_token(headers: Mapping[str, str]) -> str:
    """A bearer token hidden in the WebSocket protocols, as browsers have to send it."""
    marker = "base64url.bearer.authorization.k8s.io."
    for protocol in headers.get("Sec-WebSocket-Protocol", "").split(","):
        name = protocol.strip()
        if name.startswith(marker):
            text = name.removeprefix(marker)
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "replace")
    return ""


def impersonated_extra(headers: Mapping[str, str]) -> dict[str, list[str]]:
    extra: dict[str, list[str]] = {}
    for name, value in headers.items():
        if name.lower().startswith("impersonate-extra-"):
            extra.setdefault(unquote(name[len("impersonate-extra-") :].lower()), []).append(value)
    return extra
