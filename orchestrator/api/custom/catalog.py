"""Which kinds there are: those of Kubernetes from the schema, and those that definitions brought. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.api.custom.definition import resources_of
from orchestrator.api.schema import Resource, Schema, Type
from orchestrator.apimachinery.encoded import Object


class Catalog:
    """Answers like a ``Schema``. Custom kinds never stand before built-in ones.

    ``generation`` grows with changes, from anywhere on, so that a copy of another catalog can be told apart.
    """

    def __init__(self, schema: Schema, generation: int = 0) -> None:
        self._schema = schema
        self.generation = generation
        self._definitions: dict[str, tuple[Object, list[Resource]]] = {}
        self._by_plural: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str, str], Resource] = {}
        self._served: tuple[Resource, ...] = schema.served
        self._resources: tuple[Resource, ...] = schema.resources

    @property
    def served(self) -> tuple[Resource, ...]:
        """Everything of this server's."""
        return self._served

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What has a type."""
        return self._resources

    @property
    def schemas(self) -> Mapping[tuple[str, str, str], Object | None]:
        """Of the custom kinds, for OpenAPI."""
        return {key: each.custom.schema for key, each in self._by_kind.items() if each.custom is not None}

    def definitions(self) -> list[Object]:
        """Those whose kinds are served."""
        return [definition for definition, _ in self._definitions.values()]

    def put(self, definition: Object) -> None:
        """A definition as it stands: its kinds are served while it is established."""
        name = definition["metadata"]["name"]
        if is_established(definition):
            self._definitions[name] = (definition, resources_of(definition))
            self._rebuild()
        else:
            self.drop(name)

    def drop(self, name: str) -> None:
        if self._definitions.pop(name, None) is not None:
            self._rebuild()

    def replace(self, definitions: Iterable[Object], generation: int) -> None:
        """Exactly these, as another catalog has them at its ``generation``."""
        self._definitions = {each["metadata"]["name"]: (each, resources_of(each)) for each in definitions}
        self._rebuild()
        self.generation = generation

    def _rebuild(self) -> None:
        custom = [each for _, made in self._definitions.values() for each in made]
        self._by_plural = {(each.group, each.version, each.plural): each for each in custom}
        self._by_kind = {(each.group, each.version, each.kind): each for each in custom}
        self._served = (*self._schema.served, *custom)
        self._resources = (*self._schema.resources, *custom)
        self.generation += 1

    def resource(self, group: str, version: str, plural: str) -> Resource | None:
        return self._schema.resource(group, version, plural) or self._by_plural.get((group, version, plural))

    def kind(self, group: str, version: str, kind: str) -> Resource | None:
        return self._schema.kind(group, version, kind) or self._by_kind.get((group, version, kind))

    def has_type(self, group: str, version: str, kind: str) -> bool:
        return self._schema.has_type(group, version, kind) or (group, version, kind) in self._by_kind

    def type(self, group: str, version: str, kind: str) -> Type:
        """KeyError: there is none by that name."""
        custom = self._by_kind.get((group, version, kind))
        if custom is not None and custom.custom is not None:
            return custom.custom.type
        return self._schema.type(group, version, kind)


def is_established(definition: Object) -> bool:
    conditions = (definition.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Established" and each.get("status") == "True" for each in conditions)
