"""What a server serves: names, short names and kinds to resources, kept on disk for a while."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.cli.remote.connection import ApiError, Connection
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
KEEP_SECONDS = 600.0
"""How long an answer is believed; a name that is not in it is asked for again at once."""
AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


class Discovery:
    """``now`` is Unix seconds at the start of the run; ``folder`` holds one file for each server."""

    def __init__(self, connection: Connection, folder: Path, now: float) -> None:
        self._connection = connection
        self._file = folder / (hashlib.sha256(connection.access.server.encode()).hexdigest()[:16] + ".json")
        self._now = now
        self._resources: Sequence[Resource] | None = None
        self._fresh = False

    def resources(self, *, fresh: bool = False) -> Sequence[Resource]:
        """All of them, preferred versions of a group first."""
        if self._resources is None and not fresh:
            self._resources = self._load()
        if self._resources is None or (fresh and not self._fresh):
            self._resources = fetch(self._connection)
            self._fresh = True
            self._save(self._resources)
        return self._resources

    def find(self, word: str) -> Resource:
        """By plural, singular, short name or kind, with ``.group`` or ``.version.group``. Raises ``CommandError``."""
        found = by_word(self.resources(), word) or by_word(self.resources(fresh=True), word)
        if found is None:
            raise CommandError(f"the server has no resource type {word!r}; `podium api-resources` lists them")
        return found

    def find_kind(self, api_version: str, kind: str) -> Resource:
        found = by_kind(self.resources(), api_version, kind) or by_kind(self.resources(fresh=True), api_version, kind)
        if found is None:
            raise CommandError(f"the server has no kind {kind!r} in {api_version!r}; is its definition installed?")
        return found

    def category(self, word: str) -> list[Resource]:
        return [entry for entry in self.resources() if word in entry.categories and entry.preferred]

    def _load(self) -> Sequence[Resource] | None:
        try:
            if self._now - self._file.stat().st_mtime > KEEP_SECONDS:
                return None
            return msgspec.json.decode(self._file.read_bytes(), type=list[Resource])
        except (OSError, msgspec.MsgspecError):
            return None

    def _save(self, resources: Sequence[Resource]) -> None:
        """Not being able to is no error: the next run asks again."""
        draft = self._file.with_suffix(f".{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(resources))
            draft.replace(self._file)
        except OSError:
            return


def folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podium" / "discovery"


def by_word(resources: Iterable[Resource], word: str) -> Resource | None:
    """The first that is called so; exact names win over short names, short names over kinds."""
    name, _, rest = word.lower().partition(".")
    ranks: list[Resource | None] = [None, None, None]
    for entry in resources:
        if not _in_group(entry, rest):
            continue
        called = (name in (entry.resource, entry.singular), name in entry.short_names, name == entry.kind.lower())
        for rank, matches in enumerate(called):
            if matches and ranks[rank] is None:
                ranks[rank] = entry
    return next((entry for entry in ranks if entry is not None), None)


def _in_group(entry: Resource, rest: str) -> bool:
    """``rest`` is "", a group (or its beginning), or a version and a group: what follows the first dot."""
    if not rest:
        return entry.preferred
    if rest == entry.group or entry.group.startswith(rest + "."):
        return entry.preferred
    return rest in (f"{entry.version}.{entry.group}", entry.version if not entry.group else None)


def by_kind(resources: Iterable[Resource], api_version: str, kind: str) -> Resource | None:
    return next((entry for entry in resources if entry.kind == kind and entry.api_version == api_version), None)


def fetch(connection: Connection) -> list[Resource]:
    """Two requests where the server aggregates its discovery, one for each group version where it does not."""
    found: list[Resource] = []
    for root in ("/api", "/apis"):
        document = connection.get(root, accept=AGGREGATED)
        if document.get("kind") == "APIGroupDiscoveryList":
            found += parse_aggregated(document)
        else:
            found += fetch_each(connection, root, document)
    return found


def parse_aggregated(document: Object) -> list[Resource]:
    found = []
    for group in document.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        seen: set[str] = set()
        for version in group.get("versions") or ():
            for entry in version.get("resources") or ():
                found.append(_aggregated(name, version["version"], entry, entry["resource"] not in seen))
                seen.add(entry["resource"])
    return found


def _aggregated(group: str, version: str, entry: Object, preferred: bool) -> Resource:
    kind = entry.get("responseKind") or {}
    return Resource(
        group=group,
        version=version,
        resource=entry["resource"],
        singular=entry.get("singularResource", ""),
        kind=kind.get("kind", ""),
        namespaced=entry.get("scope") == "Namespaced",
        short_names=tuple(entry.get("shortNames") or ()),
        categories=tuple(entry.get("categories") or ()),
        verbs=tuple(entry.get("verbs") or ()),
        subresources=tuple(sub["subresource"] for sub in entry.get("subresources") or ()),
        preferred=preferred,
    )


def fetch_each(connection: Connection, root: str, document: Object) -> list[Resource]:
    """The older documents. A group whose server does not answer (an aggregated API that is down) is left out."""
    found: list[Resource] = []
    for group, versions in group_versions(document):
        seen: set[str] = set()
        for version in versions:
            path = f"{root}/{group}/{version}" if group else f"{root}/{version}"
            try:
                listed = parse_listed(group, version, connection.get(path), seen)
            except ApiError:
                continue
            seen.update(entry.resource for entry in listed)
            found += listed
    return found


def group_versions(document: Object) -> list[tuple[str, list[str]]]:
    """Groups and their versions, the preferred one first."""
    if "versions" in document:
        return [("", list(document["versions"]))]
    result = []
    for group in document.get("groups") or ():
        first = (group.get("preferredVersion") or {}).get("version", "")
        versions = [entry["version"] for entry in group["versions"]]
        result.append((group["name"], sorted(versions, key=lambda version: version != first)))
    return result


def parse_listed(group: str, version: str, document: Object, seen: set[str]) -> list[Resource]:
    """An ``APIResourceList``: subresources are entries of their own, ``pods/log``."""
    subresources: dict[str, list[str]] = {}
    for entry in document.get("resources") or ():
        name, _, sub = entry["name"].partition("/")
        if sub:
            subresources.setdefault(name, []).append(sub)
    return [
        Resource(
            group=entry.get("group") or group,
            version=entry.get("version") or version,
            resource=entry["name"],
            singular=entry.get("singularName", ""),
            kind=entry.get("kind", ""),
            namespaced=bool(entry.get("namespaced")),
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            verbs=tuple(entry.get("verbs") or ()),
            subresources=tuple(subresources.get(entry["name"], ())),
            preferred=entry["name"] not in seen,
        )
        for entry in document.get("resources") or ()
        if "/" not in entry["name"]
    ]
