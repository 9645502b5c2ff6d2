"""The API server's actor: each request is a bounded child of it, so that a slow one delays no other.

Owns nothing but what it can rebuild: a mirror of the kinds that decide about requests, fed by watches of the store.
Takes ``ApiRequest``, ``BatchRequest`` and ``BatchesRequest`` (``orchestrator.client.protocol``); watches are served by
the store itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from actors import Actor, ActorError, AskTimeout, Exit, Ref, Refused
from orchestrator.api.custom.catalog import Catalog
from orchestrator.api.schema import schema
from orchestrator.api.usage import Measure
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import encode
from orchestrator.apimachinery.meta import rfc3339
from orchestrator.apiserver.batches import Batches
from orchestrator.apiserver.bootstrap.endpoints import Server
from orchestrator.apiserver.bootstrap.objects import bootstrap_objects
from orchestrator.apiserver.call import Environment, failure
from orchestrator.apiserver.cause import cause_of
from orchestrator.apiserver.chain import admitted
from orchestrator.apiserver.config import ServerConfig
from orchestrator.apiserver.dispatch import handler_of, writer_of
from orchestrator.apiserver.door_messages import (
    Authenticate,
    Authenticated,
    Authorize,
    Authorized,
    Define,
    Defined,
    Fetch,
    Fetched,
    Locate,
    Located,
)
from orchestrator.apiserver.endpoint_reconciler import RECONCILE_SECONDS, EndpointReconciler
from orchestrator.apiserver.fairness import Seats
from orchestrator.apiserver.gatekeeper import authenticate, authorize_path
from orchestrator.apiserver.keys import object_key, split_key
from orchestrator.apiserver.mirror import Mirror
from orchestrator.apiserver.rbac import RBAC_GROUP, Rbac
from orchestrator.apiserver.retention import EventLeases
from orchestrator.apiserver.special.allocator import Allocator
from orchestrator.apiserver.special.forms import in_form
from orchestrator.apiserver.special.ranges import Ranges
from orchestrator.apiserver.standing import Standing
from orchestrator.apiserver.storage import Storage
from orchestrator.apiserver.streaming.locate import locate
from orchestrator.apiserver.templates import Templates
from orchestrator.apiserver.tokens import Tokens
from orchestrator.apiserver.writer import Writer
from orchestrator.client.protocol import ApiRequest, BatchesRequest, BatchRequest, Response
from orchestrator.store.protocol import Change, Changes, Outcome, Unwatch, Watch, WatchCredit, WatchEnded

RBAC_KINDS = {
    "roles": "Role",
    "clusterroles": "ClusterRole",
    "rolebindings": "RoleBinding",
    "clusterrolebindings": "ClusterRoleBinding",
}
WITHDRAW_SECONDS = 1.0
"""For a server that stops to say so."""


class ApiServer(Actor):
    """``nodes`` finds the kubelet of a node by name; ``tokens`` signs service account tokens (None: none are given).

    ``measure`` says what pods and nodes use (None: nobody knows).
    """

    def __init__(
        self,
        store: Ref[Any],
        config: ServerConfig,
        *,
        tokens: Tokens | None = None,
        nodes: Callable[[str], Ref[Any]] | None = None,
        client_ca: str = "",
        measure: Measure | None = None,
    ) -> None:
        self._store = store
        self._config = config
        self._tokens = tokens
        self._nodes = nodes
        self._client_ca = client_ca
        self._measure = measure
        self._seats = Seats()
        self._endpoints: EndpointReconciler | None = None

    async def start(self) -> None:
        config, mirror, rbac, catalog = (
            self._config,
            Mirror(),
            Rbac(),
            Catalog(schema(), self.context.random.getrandbits(48)),
        )
        ports = config.node_port_first, config.node_port_last
        allocator = Allocator(config.service_cidr, *ports, self.context.random)
        _connect(mirror, rbac, allocator, catalog)
        storage = Storage(self._store)
        self._env = Environment(
            config,
            catalog,
            storage,
            mirror,
            rbac,
            self.context.clock,
            self.context.random,
            self.context.log,
            self.context,
            allocator,
            Templates(),
            Ranges(storage, mirror),
            EventLeases(config.event_ttl_seconds),
            Standing(),
            self._nodes,
            self._tokens,
            self._measure,
        )
        self._env.writer = Writer(self._env)
        self._batches = Batches(self._env, self._seats, self._seated)
        await self._bootstrap()
        own = Server(config.advertise_port, config.advertise_address)
        self._endpoints = EndpointReconciler(storage, self.context.clock, own, self._env.uid)
        if config.several:
            self.context.task(self._keep_endpoints(self._endpoints), "endpoints")
        else:
            await self._endpoints.alone()
        for prefix in mirror.prefixes:
            await self._follow(prefix)

    async def receive(self, message: Any) -> Any:
        match message:
            case ApiRequest():
                return self.context.later(self._serve(message))
            case BatchRequest():
                return self.context.later(self._batches.one(message))
            case BatchesRequest():
                return self.context.later(self._batches.many(message))
            case Changes():
                self._env.mirror.apply(message.revision, message.events)
                await self._store.tell(WatchCredit(message.watch, 1))
            case WatchEnded():
                await self._follow(message.tag)
            case WatchCredit() | Unwatch():
                self._store.tell_nowait(message)
            case Authenticate():
                return self.context.later(self._authenticate(message))
            case Authorize():
                return Authorized(authorize_path(self._env, message))
            case Locate():
                return self.context.later(self._locate(message))
            case Fetch():
                return self.context.later(self._fetch(message))
            case Define():
                catalog = self._env.schema
                known = message.generation == catalog.generation
                return Defined(catalog.generation, None if known else catalog.definitions())
            case _:
                raise Refused("unknown", f"expected a request, found {type(message).__name__}")
        return None

    # Requests

    async def _serve(self, message: ApiRequest) -> Response:
        try:
            async with self._seats.taken(message.identity, message.request.verb):
                return await self._seated(message)
        except errors.StatusError as error:
            return failure(error)

    async def _seated(self, message: ApiRequest) -> Response:
        try:
            call = admitted(self._env, message.identity, message.request, message.subscriber, message.tag)
            pending = writer_of(call)
            if pending is not None:
                return in_form(call, (await self._env.writer.write([pending], single=True))[0])
            return in_form(call, await handler_of(call)(self._env, call))
        except errors.StatusError as error:
            return failure(error)
        except AskTimeout:
            return failure(errors.timeout("request did not complete within the allotted timeout"))
        except ActorError as gone:
            return failure(errors.service_unavailable(str(gone)))
        except Exception as bug:
            self._env.log.exception("a request failed", target=str(message.request.target))
            return failure(errors.internal(str(bug)))

    async def _authenticate(self, message: Authenticate) -> Authenticated:
        return await authenticate(self._env, message)

    async def _locate(self, message: Locate) -> Located:
        try:
            return await locate(self._env, message)
        except errors.StatusError as error:
            return Located(status=error.status)

    async def _fetch(self, message: Fetch) -> Fetched:
        """What the door needs to know of the server itself."""
        match message.what:
            case "jwks":
                return Fetched(self._tokens.jwks() if self._tokens else None)
            case "openid":
                return Fetched(self._tokens.discovery() if self._tokens else None)
            case "ready":
                await self._env.storage.get(["core/namespaces/default"])
                return Fetched({})
        return Fetched(None)

    # What it keeps

    async def _keep_endpoints(self, endpoints: EndpointReconciler) -> None:
        while True:
            try:
                await endpoints.reconcile()
            except errors.StatusError as error:
                self._env.log.warning("its address is not kept in default/kubernetes", reason=str(error))
            await self.context.clock.sleep(RECONCILE_SECONDS)

    async def stop(self, exit: Exit) -> None:
        """Without a majority of the store nobody is told: then the lease ends by itself."""
        if self._endpoints is not None:
            with suppress(errors.StatusError, TimeoutError):
                await asyncio.wait_for(self._endpoints.withdraw(), WITHDRAW_SECONDS)

    # What it needs to know

    async def _follow(self, prefix: str) -> None:
        """List a mirrored prefix and watch it from there."""
        env = self._env
        reply = await env.storage.range(prefix)
        for value in reply.values:
            env.mirror.put(value.key, value.parts, value.mod_revision)
        env.mirror.keep_only(prefix, {value.key for value in reply.values}, reply.revision)
        await env.storage.watch(Watch(self.context.ref, prefix, revision=reply.revision, tag=prefix))

    async def _bootstrap(self) -> None:
        """What is missing of the first objects, in one proposal."""
        env = self._env
        wanted = {}
        for obj in bootstrap_objects(self._config, self._client_ca):
            group, _, version = obj["apiVersion"].rpartition("/")
            resource = env.schema.kind(group, version, obj["kind"])
            assert resource is not None, obj["kind"]
            metadata = obj["metadata"]
            wanted[object_key(group, resource.plural, metadata.get("namespace", ""), metadata["name"])] = obj
        standing = await env.storage.get(list(wanted))
        stamp = rfc3339(env.clock.time())
        changes = []
        for (key, obj), value in zip(wanted.items(), standing.values, strict=True):
            if value is None:
                obj["metadata"] = obj["metadata"] | {"uid": env.uid(), "creationTimestamp": stamp}
                changes.append(Change(key, encode(obj).parts(), expect=0, cause=cause_of(None, "bootstrap")))
        if changes:
            results = await env.storage.commit(changes)
            assert all(result.outcome in (Outcome.DONE, Outcome.CONFLICT) for result in results)


def _connect(mirror: Mirror, rbac: Rbac, allocator: Allocator, catalog: Catalog) -> None:
    """The mirror feeds the authorizer, the allocator and the catalog of kinds."""
    mirror.listen("", "services", allocator.listen)
    mirror.listen("apiextensions.k8s.io", "customresourcedefinitions", _define(catalog))
    for plural in RBAC_KINDS:
        mirror.listen(RBAC_GROUP, plural, _feed(rbac, RBAC_KINDS[plural]))


def _define(catalog: Catalog) -> Callable[[str, Any, Any], None]:
    def listener(key: str, before: Any, after: Any) -> None:
        if after is not None:
            catalog.put(after)
        else:
            catalog.drop(split_key(key)[3])

    return listener


def _feed(rbac: Rbac, kind: str) -> Callable[[str, Any, Any], None]:
    def listener(key: str, before: Any, after: Any) -> None:
        if after is not None:
            rbac.put(kind, after)
        else:
            _, _, namespace, name = split_key(key)
            rbac.drop(kind, namespace, name)

    return listener
