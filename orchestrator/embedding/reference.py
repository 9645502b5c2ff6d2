"""``deployment/web`` as a kind and a name, in the words that kubectl takes: plural, singular or short, with a group."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from orchestrator.api.schema import schema
from orchestrator.apimachinery.encoded import Object
from orchestrator.client.kinds import Kind


class UnknownKind(LookupError):
    """``word`` names no kind that is served. ``known`` are some that are."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word

    def __str__(self) -> str:
        return f"expected a kind such as pods, deployment or cronjobs.batch, found {self.word!r}"


@cache
def words() -> dict[str, Kind]:
    """Every word for a built-in kind. Of two kinds with one word the first that the schema lists has it."""
    found: dict[str, Kind] = {}
    for one in schema().resources:
        kind = Kind(one.group, one.version, one.plural, one.kind, one.namespaced)
        for word in (one.plural, one.singular, one.kind.lower(), *one.short_names):
            found.setdefault(word, kind)
            found.setdefault(f"{word}.{one.group}", kind)
    return found


@cache
def _kinds() -> dict[tuple[str, str], Kind]:
    return {
        (one.api_version, one.kind): Kind(one.group, one.version, one.plural, one.kind, one.namespaced)
        for one in schema().resources
    }


def built_in(word: str) -> Kind | None:
    return words().get(word.lower())


def kind_of_object(obj: Object) -> Kind | None:
    """The built-in kind that ``apiVersion`` and ``kind`` name."""
    return _kinds().get((str(obj.get("apiVersion")), str(obj.get("kind"))))


def custom(definitions: Iterable[Object]) -> dict[str, Kind]:
    """The words for the kinds that CustomResourceDefinitions define, the stored version of each."""
    found: dict[str, Kind] = {}
    for spec in (held["spec"] for held in definitions):
        names, group = spec["names"], spec["group"]
        version = next((one["name"] for one in spec["versions"] if one.get("storage")), "v1")
        kind = Kind(group, version, names["plural"], names["kind"], spec.get("scope") == "Namespaced")
        known = (names["plural"], names.get("singular"), names["kind"].lower(), *(names.get("shortNames") or ()))
        for word in known:
            if word:
                found.setdefault(word, kind)
                found.setdefault(f"{word}.{group}", kind)
    return found


@cache
def _singulars() -> dict[str, str]:
    return {f"{one.group or 'core'}/{one.plural}": one.singular or one.kind.lower() for one in schema().resources}


def title_of_key(key: str) -> str:
    """The store's ``apps/deployments/default/web`` as a person says it: ``deployment/web``."""
    group, plural, rest = key.split("/", 2)
    return f"{_singulars().get(f'{group}/{plural}', plural)}/{rest.rpartition('/')[2]}"


def title(kind: Kind, name: str) -> str:
    """``deployment/web``."""
    return f"{kind.kind.lower() or kind.resource}/{name}"
