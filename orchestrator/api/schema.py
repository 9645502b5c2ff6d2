"""The facts of Kubernetes' API as types: what is served, what fields it has, how they are merged, checked and encoded.

`schema()` reads `generated/schema.msgpack.gz` once; a type is decoded when it is first asked for. The type of a custom
resource is made by `openapi_types.from_openapi` in the same shape, so that what checks and merges treats both alike.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

if TYPE_CHECKING:
    from orchestrator.api.custom.definition import Custom

Kind = Literal[
    "object",
    "list",
    "map",
    "string",
    "boolean",
    "int32",
    "int64",
    "number",
    "bytes",
    "quantity",
    "int_or_string",
    "time",
    "micro_time",
    "raw",
    "fields",
    "json",
    "any",
    "schema_or_array",
    "schema_or_bool",
    "schema_or_strings",
]
"""What a value is in JSON. ``raw`` is an object of any kind, ``fields`` the set of a managedFields entry,
``json`` and ``any`` any value; ``schema_or_*`` are the choices inside a CustomResourceDefinition's schema."""

Test = Callable[[Any], bool]
"""Whether a value fits a type; `check` compiles it."""

POINTER: Final = 1
OMIT_EMPTY: Final = 2
REQUIRED: Final = 4
INLINE: Final = 8

SCALARS: Final[Mapping[str, str]] = {
    "string": "string",
    "boolean": "bool",
    "int32": "int32",
    "int64": "int64",
    "number": "float64",
    "bytes": "[]uint8",
    "any": "interface {}",
}
"""Kinds that need no name, with Go's text of the type, as error messages have it."""


class Type:
    """One type, shared and never changed once made. Lists and maps carry the merge facts of the field they are of."""

    __slots__ = (
        "conforms",
        "embedded",
        "enum",
        "fields",
        "format",
        "gvks",
        "inlined",
        "items",
        "kind",
        "list_map_keys",
        "list_type",
        "map_type",
        "merge_key",
        "name",
        "nullable",
        "own",
        "preserve_unknown",
        "required",
        "strategies",
        "structural",
        "wrapped",
    )

    def __init__(self, kind: Kind, name: str = "") -> None:
        self.kind: Kind = kind
        self.name = name
        """The OpenAPI name (``io.k8s.api.core.v1.Pod``); empty for what has none."""
        self.fields: dict[str, Field] = {}
        """Of an object: JSON name to field, embedded structs flattened, in the order of the source."""
        self.own: tuple[Field, ...] = ()
        """Those of `fields` that no embedded struct brought: what protobuf finds in the message itself."""
        self.inlined: tuple[Field, ...] = ()
        """Structs that JSON flattens and protobuf does not."""
        self.required: frozenset[str] = frozenset()
        self.items: Type | None = None
        """The element of a list, the value of a map."""
        self.enum: tuple[str, ...] = ()
        self.format = ""
        self.gvks: tuple[tuple[str, str, str], ...] = ()
        self.list_type = ""
        """``atomic``, ``set``, ``map`` or empty (treat as atomic)."""
        self.list_map_keys: tuple[str, ...] = ()
        self.map_type = ""
        """``atomic``, or empty or ``granular``: merged key by key."""
        self.merge_key = ""
        """Of a list under strategic merge: the key of its elements; empty for a list of scalars."""
        self.strategies: tuple[str, ...] = ()
        """``merge``, ``replace``, ``retainKeys``."""
        self.preserve_unknown = False
        self.nullable = False
        self.embedded = False
        """A whole object inside a custom resource: it has apiVersion, kind and metadata."""
        self.structural = False
        """Of a custom resource: wrong types are the schema validator's to report, not the decoder's."""
        self.conforms: Test | None = None
        """The compiled test of `check`, made at its first use."""
        self.wrapped = False
        """A list that protobuf wraps in a message of its own."""

    @property
    def go(self) -> str:
        """Go's text of the type, as decoding errors have it: ``int32``, ``[]v1.Container``, ``v1.PodSpec``."""
        if self.name:
            return ".".join(self.name.split(".")[-2:])
        if self.items is not None:
            return ("[]" if self.kind == "list" else "map[string]") + self.items.go
        return SCALARS.get(self.kind, "interface {}")

    @property
    def short_name(self) -> str:
        """The name without its package: ``PodSpec``."""
        return self.name.rpartition(".")[2]

    def copy(self) -> Type:
        other = Type(self.kind)
        for slot in self.__slots__:
            setattr(other, slot, getattr(self, slot))
        other.conforms = None
        return other

    def __repr__(self) -> str:
        return f"Type({self.kind}, {self.go})"


class Field:
    """One field of an object. Its type is resolved at the first use: types refer to each other in circles."""

    __slots__ = ("_markers", "_schema", "_shape", "_type", "default", "flags", "name", "number")

    def __init__(
        self,
        name: str,
        shape: str = "",
        flags: int = 0,
        number: int = 0,
        markers: Mapping[str, Any] | None = None,
        *,
        schema: Schema | None = None,
        type: Type | None = None,
    ) -> None:
        self.name = name
        self.flags = flags
        self.number = number
        """The protobuf field number; 0: it does not travel in protobuf."""
        self.default: Any = markers.get("default") if markers else None
        """An explicit default; None: there is none."""
        self._shape = shape
        self._markers = markers
        self._schema = schema
        self._type = type

    @property
    def type(self) -> Type:
        if self._type is None:
            assert self._schema is not None
            self._type = self._schema.shaped(self._shape, self._markers)
        return self._type

    @property
    def pointer(self) -> bool:
        """A zero value that is present counts: ``replicas: 0`` is not an absent ``replicas``."""
        return bool(self.flags & POINTER)

    @property
    def omit_empty(self) -> bool:
        return bool(self.flags & OMIT_EMPTY)

    @property
    def required(self) -> bool:
        return bool(self.flags & REQUIRED)

    @property
    def list_type(self) -> str:
        return self.type.list_type

    @property
    def list_map_keys(self) -> tuple[str, ...]:
        return self.type.list_map_keys

    @property
    def map_type(self) -> str:
        return self.type.map_type

    @property
    def merge_key(self) -> str:
        return self.type.merge_key

    @property
    def strategies(self) -> tuple[str, ...]:
        return self.type.strategies

    def __repr__(self) -> str:
        return f"Field({self.name}, {self._shape or self.type})"


@dataclass(frozen=True, slots=True)
class Subresource:
    """A path below an object: its verbs and the kind of its body."""

    name: str
    verbs: tuple[str, ...]
    group: str
    version: str
    kind: str


@dataclass(frozen=True, slots=True)
class Resource:
    """What is served under one plural name. ``verbs`` are Kubernetes' words, sorted, as discovery lists them."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    custom: Custom | None = field(default=None, compare=False, repr=False)
    """What its definition says, of a custom resource."""
    api_version: str = field(init=False, compare=False, repr=False)
    """``v1`` or ``apps/v1``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_version", f"{self.group}/{self.version}" if self.group else self.version)

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def root(self) -> str:
        """The path of the group and version: ``/api/v1`` or ``/apis/apps/v1``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


MEASURED: Final = (
    Resource("metrics.k8s.io", "v1beta1", "NodeMetrics", "nodes", "", False, verbs=("get", "list")),
    Resource("metrics.k8s.io", "v1beta1", "PodMetrics", "pods", "", True, verbs=("get", "list")),
)
"""Served, and of no type in the table: made when somebody asks, never stored or written."""


class Schema:
    """The whole table. ``resources`` are those of Kubernetes' own API, ``served`` all of this server's."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.kubernetes: str = document["kubernetes"]
        self.resources: tuple[Resource, ...] = tuple(_resource(facts) for facts in document["resources"])
        self._facts: Mapping[str, bytes] = document["types"]
        self._kinds = {(group, version, kind): name for group, version, kind, name in document["kinds"]}
        self.served: tuple[Resource, ...] = (*self.resources, *MEASURED)
        self._by_plural = {(each.group, each.version, each.plural): each for each in self.served}
        self._by_kind = {(each.group, each.version, each.kind): each for each in self.resources}
        self._types: dict[str, Type] = {}
        self._scalars: dict[str, Type] = {}

    def resource(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_plural.get((group, version, plural))

    def kind(self, group: str, version: str, kind: str) -> Resource | None:
        return self._by_kind.get((group, version, kind))

    def has_type(self, group: str, version: str, kind: str) -> bool:
        return (group, version, kind) in self._kinds

    def kinds(self) -> Mapping[tuple[str, str, str], str]:
        """Group, version and kind to the name of its type: all that can be asked of `type`."""
        return self._kinds

    def type(self, group: str, version: str, kind: str) -> Type:
        """The type of a kind, a list kind or a meta kind. KeyError: there is none by that name."""
        name = self._kinds.get((group, version, kind))
        if name is None:
            raise KeyError(f'no kind "{kind}" in "{group}/{version}" of Kubernetes {self.kubernetes}')
        return self.named(name)

    def named(self, name: str) -> Type:
        """The type by its OpenAPI name. KeyError: there is none by that name."""
        known = self._types.get(name)
        if known is None:
            kind, content, enum, gvks, map_type = msgspec.msgpack.decode(self._facts[name])
            if kind in ("alias", "wrapped"):
                known = self.shaped(content).copy()
                known.name, known.wrapped = name, kind == "wrapped"
            else:
                known = Type(kind, name)
                self._add_fields(known, content)
            known.enum = tuple(enum)
            known.gvks = tuple((group, version, kind) for group, version, kind in gvks)
            known.map_type = map_type
            self._types[name] = known
        return known

    def shaped(self, shape: str, markers: Mapping[str, Any] | None = None) -> Type:
        """The type that a compact shape stands for: ``[]`` list of, ``{}`` map of, ``@`` the type named."""
        if shape.startswith(("[]", "{}")):
            made = Type("list" if shape[0] == "[" else "map")
            made.items = self.shaped(shape[2:])
        elif shape.startswith("@"):
            made = self.named(shape[1:])
        else:
            made = self._scalar(shape)
        return _marked(made, markers) if markers else made

    def _scalar(self, kind: Any) -> Type:
        if kind not in self._scalars:
            self._scalars[kind] = Type(kind)
        return self._scalars[kind]

    def _add_fields(self, owner: Type, content: list[list[Any]]) -> None:
        inlined: list[Field] = []
        own: list[Field] = []
        for facts in content:
            made = Field(*facts, schema=self)
            if made.flags & INLINE:
                owner.fields.update(made.type.fields)
                if made.number:
                    inlined.append(made)
            else:
                owner.fields[made.name] = made
                own.append(made)
        owner.own = tuple(own)
        owner.inlined = tuple(inlined)
        owner.required = frozenset(name for name, made in owner.fields.items() if made.required)


def _marked(plain: Type, markers: Mapping[str, Any]) -> Type:
    made = plain.copy()
    made.list_type = markers.get("list", plain.list_type)
    made.list_map_keys = tuple(markers.get("keys", plain.list_map_keys))
    made.map_type = markers.get("map", plain.map_type)
    made.merge_key = markers.get("merge", plain.merge_key)
    strategy = markers.get("strategy", "")
    made.strategies = tuple(strategy.split(",")) if strategy else plain.strategies
    return made


def _resource(facts: list[Any]) -> Resource:
    group, version, kind, plural, singular, namespaced, short_names, categories, verbs, subresources = facts
    return Resource(
        group,
        version,
        kind,
        plural,
        singular,
        namespaced,
        short_names=tuple(short_names),
        categories=tuple(categories),
        verbs=tuple(verbs),
        subresources={
            name: Subresource(name, tuple(below), *gvk) for name, (below, *gvk) in sorted(subresources.items())
        },
    )


@cache
def schema() -> Schema:
    """The built-in API. Read once, then shared."""
    packed = (files(__package__) / "generated" / "schema.msgpack.gz").read_bytes()
    return Schema(msgspec.msgpack.decode(gzip.decompress(packed)))
