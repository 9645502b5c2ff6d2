"""A CustomResourceDefinition as resources: one for each version, with rules like those of a built-in kind. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.api.custom.defaults import has_defaults, set_defaults
from orchestrator.api.custom.expressions import Expressions
from orchestrator.api.custom.printing import columns_of
from orchestrator.api.custom.structural import faults
from orchestrator.api.openapi_types import from_openapi
from orchestrator.api.schema import Resource, Subresource, Type
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path
from orchestrator.apimachinery.jsonpath import PathError, find, text

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
ANY: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
"""What a version without a schema takes."""
ROOT = Path()


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a custom kind keeps what a Scale shows; ``selector`` is empty where it has none."""

    replicas: str
    status_replicas: str
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Custom:
    """What a definition says of one version. ``versions`` are all of the kind, served or not, by name."""

    definition: str
    uid: str
    schema: Object
    type: Type
    rules: Rules
    storage: str
    selectable: tuple[str, ...] = ()
    scale: ScalePaths | None = None
    terminating: bool = False
    """The definition is being deleted: nothing new is taken."""
    rewritten: bool = False
    """Objects are not read as they are stored: there are several versions, or defaults that came later."""
    versions: dict[str, Resource] = field(default_factory=dict, compare=False, repr=False)

    @property
    def stored(self) -> Resource:
        return self.versions[self.storage]

    def read(self, obj: Object, version: str) -> Object:
        """A stored object in ``version``: conversion ``None`` changes the apiVersion and nothing else."""
        group = self.stored.group
        made = {**obj, "apiVersion": f"{group}/{version}"}
        custom = self.versions[version].custom
        if custom is not None:
            custom.rules.default(made)
        return made


class CustomRules(Rules):
    """Every update is validated whole: what is outside of the spec has a schema too."""

    __slots__ = ()

    def validate_update(self, new: Object, old: Object) -> list[FieldError]:
        return [*Rules.validate_status(self, new, old)]


def resources_of(definition: Object) -> list[Resource]:
    """The served versions of a definition. KeyError, TypeError: it was not vetted."""
    spec, metadata = definition["spec"], definition["metadata"]
    storage = next(each["name"] for each in spec["versions"] if each.get("storage"))
    versions: dict[str, Resource] = {}
    for version in spec["versions"]:
        versions[version["name"]] = _resource(definition, version, storage, versions)
    served = {each["name"] for each in spec["versions"] if each.get("served")}
    assert metadata["name"]
    return [each for name, each in versions.items() if name in served]


def _resource(definition: Object, version: Object, storage: str, versions: dict[str, Resource]) -> Resource:
    spec = definition["spec"]
    group, names = spec["group"], accepted_names(definition)
    subresources = version.get("subresources") or {}
    below = {}
    if "status" in subresources:
        below["status"] = Subresource("status", ("get", "patch", "update"), group, version["name"], names["kind"])
    if subresources.get("scale"):
        below["scale"] = Subresource("scale", ("get", "patch", "update"), "autoscaling", "v1", "Scale")
    return Resource(
        group,
        version["name"],
        names["kind"],
        names["plural"],
        names.get("singular") or names["kind"].lower(),
        spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        verbs=VERBS,
        subresources=below,
        custom=_custom(definition, version, storage, versions),
    )


def accepted_names(definition: Object) -> Object:
    """The names that it got: all that it asked for, or what is left of them where another kind was there first."""
    accepted: Object = (definition.get("status") or {}).get("acceptedNames") or {}
    return accepted if accepted.get("kind") and accepted.get("plural") else definition["spec"]["names"]


def _custom(definition: Object, version: Object, storage: str, versions: dict[str, Resource]) -> Custom:
    given = (version.get("schema") or {}).get("openAPIV3Schema") or ANY
    scale = (version.get("subresources") or {}).get("scale")
    paths = (
        ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath") or "")
        if scale
        else None
    )
    selectable = tuple(each["jsonPath"].lstrip(".") for each in version.get("selectableFields") or ())
    defaulted = any(
        has_defaults((each.get("schema") or {}).get("openAPIV3Schema") or ANY)
        for each in definition["spec"]["versions"]
    )
    return Custom(
        definition["metadata"]["name"],
        definition["metadata"].get("uid", ""),
        given,
        from_openapi(given),
        _rules(definition, version, given, selectable),
        storage,
        selectable,
        paths,
        bool(definition["metadata"].get("deletionTimestamp")),
        len(definition["spec"]["versions"]) > 1 or defaulted,
        versions,
    )


def _rules(definition: Object, version: Object, given: Object, selectable: tuple[str, ...]) -> Rules:
    spec = definition["spec"]
    has_status = "status" in (version.get("subresources") or {})
    columns, row = columns_of(version)
    expressions = Expressions(given)

    def check(obj: Object) -> list[FieldError]:
        return list(faults(obj, given, ROOT)) or expressions.faults(obj, None)

    def check_against(new: Object, old: Object) -> list[FieldError]:
        return list(faults(new, given, ROOT)) or expressions.faults(new, old)

    def default(obj: Object) -> None:
        set_defaults(obj, given)

    def fields(obj: Object) -> dict[str, str]:
        return {path: _text(path, obj) for path in selectable}

    def no_status(obj: Object) -> Object | None:
        return None

    return CustomRules(
        group=spec["group"],
        kind=spec["names"]["kind"],
        namespaced=spec["scope"] == "Namespaced",
        has_status=has_status,
        initial_status=no_status,
        counts=_counted if has_status else _counted_whole,
        default=default if has_defaults(given) else _nothing,
        check=check,
        check_status=check_against,
        own_fields=fields,
        columns=columns,
        row=row,
        unconditional_update=False,
    )


def _nothing(obj: Object) -> None:
    """No defaults."""


def _text(path: str, obj: Object) -> str:
    try:
        found = find(path, obj)
    except PathError:
        return ""
    return text(found[0]) if found else ""


def _counted(new: Object, old: Object) -> bool:
    """Whether the desired state changed: everything but metadata and status."""
    return _desired(new, ("metadata", "status")) != _desired(old, ("metadata", "status"))


def _counted_whole(new: Object, old: Object) -> bool:
    return _desired(new, ("metadata",)) != _desired(old, ("metadata",))


def _desired(obj: Object, without: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in (*without, "apiVersion")}
