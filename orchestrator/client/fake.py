"""An API server that fits in one file, for tests of whatever uses a client: CRUD, batches and watches over a dict.

It admits everybody and validates nothing. It keeps what clients rely on: revisions that only grow, optimistic
concurrency, generation, status apart from spec, finalizers, names made from ``generateName``, watches from a revision.
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors import Actor, Ref, Tell
from orchestrator.apimachinery import errors, json_patch, merge_patch
from orchestrator.apimachinery.encoded import Encoded, Object, decode_part, encode, encode_part
from orchestrator.apimachinery.errors import StatusError
from orchestrator.apimachinery.meta import generate_name
from orchestrator.apimachinery.selectors import Selector, parse_labels
from orchestrator.apimachinery.timestamps import rfc3339
from orchestrator.client.protocol import (
    ApiRequest,
    BatchReply,
    BatchRequest,
    Options,
    PatchType,
    Request,
    Response,
    Target,
    Verb,
    Want,
)
from orchestrator.store.protocol import Changes, Event, Refusal, Unwatch, Value, WatchCredit, WatchEnded

HISTORY = 10_000
"""Events kept for watches that begin in the past."""
PROGRESS_SECONDS = 10.0
FINALIZER_OF = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class _Watcher(msgspec.Struct):
    subscriber: Ref[Any]
    tag: str
    prefix: str
    selector: Selector
    fields: dict[str, str]


class Progress(Tell):
    """Tell every watcher how far the revision is."""


class FakeApi(Actor):
    """Owns all objects; a restart forgets them. ``requests`` counts what was asked by verb and resource."""

    def __init__(self) -> None:
        self.objects: dict[str, Encoded] = {}
        self.requests: dict[str, int] = {}
        self.revision = 1
        self._history: list[Event] = []
        self._forgotten = 0
        self._watchers: dict[int, _Watcher] = {}
        self._watch_ids = 0
        self._pending: list[Event] = []
        self._promised = False

    async def receive(self, message: Any) -> Any:
        match message:
            case Progress():
                self._promised = False
                for number, watcher in self._watchers.items():
                    watcher.subscriber.tell_nowait(Changes.of(number, watcher.tag, self.revision, []))
                return None
            case ApiRequest():
                reply: Any = (
                    self._watch(message) if message.request.verb == Verb.WATCH else self._answer(message.request)
                )
            case BatchRequest():
                reply = BatchReply([self._answer(request) for request in message.requests])
            case Unwatch(watch=watch):
                return self._watchers.pop(watch, None) and None
            case WatchCredit():
                return None
            case _:
                return None
        self._tell()
        return reply

    def end_watches(self, reason: Refusal) -> None:
        """Every watch ends now, as when a store stops or drops slow watchers."""
        for number, watcher in self._watchers.items():
            watcher.subscriber.tell_nowait(WatchEnded(number, watcher.tag, reason, "ended by the fake"))
        self._watchers.clear()

    def forget_history(self) -> None:
        """Watches can begin only from now on: older revisions are compacted."""
        self._history.clear()
        self._forgotten = self.revision

    def _answer(self, request: Request) -> Response:
        target = request.target
        label = f"{request.verb} {target.resource}{'/' + target.subresource if target.subresource else ''}"
        self.requests[label] = self.requests.get(label, 0) + 1
        try:
            return self._handle(request, _key(target))
        except StatusError as refused:
            return Response(refused.code, self.revision, body=encode_part(refused.status))

    def _handle(self, request: Request, key: str) -> Response:
        match request.verb:
            case Verb.GET:
                return Response(200, self.revision, self._existing(request.target, key))
            case Verb.LIST:
                return self._list(request)
            case Verb.CREATE:
                return self._create(request)
            case Verb.UPDATE:
                return self._update(request, key, decode_part(request.body))
            case Verb.PATCH:
                return self._patch(request, key)
            case Verb.DELETE:
                return self._delete(request, key)
            case _:
                for item in self._list(request).items or []:
                    meta = item.decode_metadata()
                    place = f"{meta['namespace']}/" if "namespace" in meta else ""
                    folder = _prefix(msgspec.structs.replace(request.target, namespace=""))
                    self._delete(request, f"{folder}{place}{meta['name']}")
                return Response(200, self.revision)

    def _list(self, request: Request) -> Response:
        options, prefix = request.options, _prefix(request.target)
        selector, fields = parse_labels(options.label_selector), _fields(options)
        found = [
            (key, item)
            for key, item in sorted(self.objects.items())
            if key.startswith(prefix) and key > prefix + options.continue_token and _selected(item, selector, fields)
        ]
        page = found[: options.limit] if options.limit else found
        token = page[-1][0].removeprefix(prefix) if len(page) < len(found) else ""
        return Response(200, self.revision, items=[item for _, item in page], continue_token=token)

    def _create(self, request: Request) -> Response:
        obj = decode_part(request.body)
        target = request.target
        if target.subresource == "binding":
            return self._bind(request, obj)
        meta = obj.setdefault("metadata", {})
        if not meta.get("name"):
            meta["name"] = self._free_name(target, meta.get("generateName", ""))
        if target.namespace:
            meta["namespace"] = target.namespace
        meta["uid"] = f"{self.context.random.getrandbits(128):032x}"
        meta["creationTimestamp"] = rfc3339(self.context.clock.time())
        meta.setdefault("generation", 1)
        key = _prefix(target) + (f"{meta['name']}")
        if key in self.objects:
            raise errors.already_exists(target.group, target.resource, meta["name"])
        return self._written(request, self._commit(key, obj, created=True), 201)

    def _free_name(self, target: Target, base: str) -> str:
        while True:
            name = generate_name(base, self.context.random)
            if _prefix(target) + name not in self.objects:
                return name

    def _bind(self, request: Request, binding: Object) -> Response:
        target = request.target
        key = _key(target)
        obj = self._existing(target, key).decode()
        obj["spec"] = {**obj.get("spec", {}), "nodeName": binding["target"]["name"]}
        return self._written(request, self._commit(key, obj), 201)

    def _update(self, request: Request, key: str, obj: Object) -> Response:
        target = request.target
        held = self._existing(target, key)
        old = held.decode()
        meta = obj.get("metadata", {})
        stated, uid = meta.get("resourceVersion"), old["metadata"]["uid"]
        if (stated and stated != str(held.revision)) or meta.get("uid", uid) != uid:
            raise errors.conflict(target.group, target.resource, target.name)
        return self._written(request, self._store(key, held, old, obj, target.subresource), 200)

    def _patch(self, request: Request, key: str) -> Response:
        document = decode_part(request.body)
        if request.patch_type == PatchType.APPLY and key not in self.objects:
            return self._create(request)
        held = self._existing(request.target, key)
        patched = _patched(held.decode(), document, request.patch_type)
        return self._update(request, key, patched)

    def _store(self, key: str, held: Encoded, old: Object, obj: Object, subresource: str) -> Encoded:
        if subresource == "status":
            told = {"annotations": obj["metadata"]["annotations"]} if "annotations" in obj["metadata"] else {}
            new = {**old, "metadata": {**old["metadata"], **told}, "status": obj.get("status", {})}
        else:
            meta = {**old["metadata"], **obj["metadata"], "uid": old["metadata"]["uid"]}
            for name in ("finalizers", "labels", "annotations", "ownerReferences"):
                if name not in obj["metadata"]:
                    meta.pop(name, None)
            new = {name: value for name, value in obj.items() if name != "status"} | {"metadata": meta}
            if "status" in old:
                new["status"] = old["status"]
            if new.get("spec") != old.get("spec"):
                meta["generation"] = old["metadata"].get("generation", 0) + 1
        if _plain(new) == _plain(old):
            return held
        meta = new["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            return self._remove(key, new)
        return self._commit(key, new)

    def _delete(self, request: Request, key: str) -> Response:
        options = request.options
        held = self._existing(request.target, key)
        obj = held.decode()
        meta = dict(obj["metadata"])
        if options.precondition_uid not in ("", meta["uid"]) or options.precondition_resource_version not in (
            "",
            meta["resourceVersion"],
        ):
            raise errors.conflict(request.target.group, request.target.resource, meta["name"])
        extra = FINALIZER_OF.get(options.propagation_policy)
        if extra is not None and extra not in meta.get("finalizers", ()):
            meta["finalizers"] = [*meta.get("finalizers", ()), extra]
        if not meta.get("finalizers"):
            return Response(200, self._remove(key, obj).revision)
        if meta.get("deletionTimestamp"):
            return self._written(request, held, 200)
        meta["deletionTimestamp"] = rfc3339(self.context.clock.time())
        return self._written(request, self._commit(key, {**obj, "metadata": meta}), 200)

    def _existing(self, target: Target, key: str) -> Encoded:
        held = self.objects.get(key)
        if held is None:
            raise errors.not_found(target.group, target.resource, target.name)
        return held

    def _commit(self, key: str, obj: Object, *, created: bool = False) -> Encoded:
        self.revision += 1
        held = self.objects[key] = encode(obj, self.revision)
        self._pending.append(Event(False, created, Value(key, held.parts(), self.revision, 0, 0)))
        return held

    def _remove(self, key: str, obj: Object) -> Encoded:
        self.revision += 1
        del self.objects[key]
        held = encode(obj, self.revision)
        self._pending.append(Event(True, False, Value(key, held.parts(), self.revision, 0, 0)))
        return held

    def _written(self, request: Request, held: Encoded, code: int) -> Response:
        return Response(code, held.revision, held if request.want == Want.OBJECT else None)

    def _watch(self, message: ApiRequest) -> Response:
        options = message.request.options
        since = int(options.resource_version or self.revision)
        if since < self._forgotten:
            return Response(410, body=encode_part(errors.expired(f"too old resource version: {since}").status))
        assert message.subscriber is not None
        self._watch_ids += 1
        watcher = _Watcher(
            message.subscriber,
            message.tag,
            _prefix(message.request.target),
            parse_labels(options.label_selector),
            _fields(options),
        )
        self._watchers[self._watch_ids] = watcher
        past = [event for event in self._history if event.value.mod_revision > since]
        self._send(self._watch_ids, watcher, past)
        return Response(200, self.revision, watch=self._watch_ids)

    def _tell(self) -> None:
        events, self._pending = self._pending, []
        if not events:
            return
        if not self._promised:
            self._promised = True
            self.context.send_after(PROGRESS_SECONDS, Progress())
        self._history += events
        if len(self._history) > HISTORY:
            self._forgotten = self._history[-HISTORY].value.mod_revision
            del self._history[:-HISTORY]
        for number, watcher in list(self._watchers.items()):
            self._send(number, watcher, events)

    def _send(self, number: int, watcher: _Watcher, events: list[Event]) -> None:
        seen = [event for event in events if _wanted(watcher, event.value)]
        if seen:
            watcher.subscriber.tell_nowait(Changes.of(number, watcher.tag, self.revision, seen))


def _prefix(target: Target) -> str:
    folder = f"{target.group or 'core'}/{target.resource}/"
    return f"{folder}{target.namespace}/" if target.namespace else folder


def _key(target: Target) -> str:
    return _prefix(target) + target.name


def _patched(obj: Object, document: Any, how: PatchType | None) -> Any:
    if how != PatchType.JSON:
        return merge_patch.apply(obj, document)
    try:
        return json_patch.apply(obj, document)
    except json_patch.PatchError as wrong:
        raise errors.status(422, "Invalid", str(wrong), {}) from wrong


def _plain(obj: Object) -> Object:
    return {**obj, "metadata": {name: value for name, value in obj["metadata"].items() if name != "resourceVersion"}}


def _fields(options: Options) -> dict[str, str]:
    terms = [term.split("=", 1) for term in options.field_selector.split(",") if term]
    return {name: value.lstrip("=") for name, value in terms}


def _selected(item: Encoded, selector: Selector, fields: dict[str, str]) -> bool:
    if fields and any(_field(item.decode(), path) != value for path, value in fields.items()):
        return False
    return selector.empty or selector.matches(item.decode_metadata().get("labels"))


def _wanted(watcher: _Watcher, value: Value) -> bool:
    if not value.key.startswith(watcher.prefix):
        return False
    metadata, status, rest = value.parts
    return _selected(Encoded(metadata, status, rest), watcher.selector, watcher.fields)


def _field(obj: Any, path: str) -> Any:
    for name in path.split("."):
        obj = obj.get(name, "") if isinstance(obj, dict) else ""
    return obj
