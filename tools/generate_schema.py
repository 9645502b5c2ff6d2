"""Write `orchestrator/api/generated/schema.msgpack.gz`: the facts of Kubernetes' API that the server is driven by.

Three sources, each asked for what it knows best: the published OpenAPI definitions (PyPI `kubernetes-validate`:
required, list types, formats), `lightkube-models` (served resources, verbs, subresources) and the Go modules
(protobuf numbers, pointers, omitempty, defaults, enumerations). No prose is taken; equal sources give equal bytes.

Usage: python tools/generate_schema.py [output]
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import msgspec
from go_types import GoField, GoType, openapi_name, read_package
from served_resources import GROUP_VERSIONS, read_lightkube

KUBERNETES = "1.37"
MODULE_VERSION = "v0.37.2"
OUTPUT = Path(__file__).parent.parent / "orchestrator" / "api" / "generated" / "schema.msgpack.gz"

PACKAGES = {
    "k8s.io/api": [
        "admission/v1",
        "admissionregistration/v1",
        "apidiscovery/v2",
        "apiserverinternal/v1alpha1",
        "apps/v1",
        "authentication/v1",
        "authorization/v1",
        "autoscaling/v1",
        "autoscaling/v2",
        "batch/v1",
        "certificates/v1",
        "coordination/v1",
        "core/v1",
        "discovery/v1",
        "events/v1",
        "flowcontrol/v1",
        "networking/v1",
        "node/v1",
        "policy/v1",
        "rbac/v1",
        "resource/v1",
        "scheduling/v1",
        "scheduling/v1alpha3",
        "storage/v1",
        "storagemigration/v1",
    ],
    "k8s.io/apimachinery": [
        "pkg/api/resource",
        "pkg/apis/meta/v1",
        "pkg/runtime",
        "pkg/types",
        "pkg/util/intstr",
        "pkg/version",
    ],
    "k8s.io/apiextensions-apiserver": ["pkg/apis/apiextensions/v1"],
    "k8s.io/kube-aggregator": ["pkg/apis/apiregistration/v1"],
}

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int_or_string",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
    f"{META}Time": "time",
    f"{META}MicroTime": "micro_time",
    f"{META}FieldsV1": "fields",
    f"{EXTENSIONS}JSON": "json",
    f"{EXTENSIONS}JSONSchemaPropsOrArray": "schema_or_array",
    f"{EXTENSIONS}JSONSchemaPropsOrBool": "schema_or_bool",
    f"{EXTENSIONS}JSONSchemaPropsOrStringArray": "schema_or_strings",
}
"""Types that marshal themselves: what they are in JSON and in protobuf is written by hand in the readers."""

EXTRA_KINDS = {
    "io.k8s.api.admission.v1.AdmissionReview": [("admission.k8s.io", "v1", "AdmissionReview")],
    "io.k8s.api.apidiscovery.v2.APIGroupDiscoveryList": [("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList")],
    "io.k8s.api.core.v1.List": [("", "v1", "List")],
    "io.k8s.api.core.v1.NodeProxyOptions": [("", "v1", "NodeProxyOptions")],
    "io.k8s.api.core.v1.PodAttachOptions": [("", "v1", "PodAttachOptions")],
    "io.k8s.api.core.v1.PodExecOptions": [("", "v1", "PodExecOptions")],
    "io.k8s.api.core.v1.PodLogOptions": [("", "v1", "PodLogOptions")],
    "io.k8s.api.core.v1.PodPortForwardOptions": [("", "v1", "PodPortForwardOptions")],
    "io.k8s.api.core.v1.PodProxyOptions": [("", "v1", "PodProxyOptions")],
    "io.k8s.api.core.v1.ServiceProxyOptions": [("", "v1", "ServiceProxyOptions")],
    f"{EXTENSIONS}ConversionReview": [("apiextensions.k8s.io", "v1", "ConversionReview")],
    f"{META}PartialObjectMetadata": [("meta.k8s.io", "v1", "PartialObjectMetadata")],
    f"{META}PartialObjectMetadataList": [("meta.k8s.io", "v1", "PartialObjectMetadataList")],
    f"{META}Table": [("meta.k8s.io", "v1", "Table")],
}
"""Kinds that no path of the published OpenAPI document names."""

POINTER, OMIT_EMPTY, REQUIRED, INLINE = 1, 2, 4, 8
SCALARS = {"string", "bool", "int32", "int64", "int", "uint8", "float64", "[]byte"}
NUMERIC = {"int": "int64", "uint8": "int32", "float64": "number", "bool": "boolean"}


def main(arguments: list[str]) -> None:
    output = Path(arguments[0]) if arguments else OUTPUT
    definitions = read_definitions()
    go_types = read_go()
    resources = read_lightkube(installed("lightkube-models", "lightkube/resources"))
    kinds = read_kinds(definitions)
    names = reachable(go_types, sorted(kinds.values()))
    types = {name: type_facts(go_types[name], definitions.get(name, {}), go_types) for name in names}
    document = {
        "kubernetes": KUBERNETES,
        "resources": [list(resource.values()) for resource in resources],
        "kinds": sorted([*kind, name] for kind, name in kinds.items()),
        "types": {name: msgspec.msgpack.encode(types[name]) for name in names},
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(gzip.compress(msgspec.msgpack.encode(document), compresslevel=9, mtime=0))
    print(
        f"{output}: {len(resources)} resources, {len(kinds)} kinds, {len(types)} types, {output.stat().st_size} bytes"
    )


def installed(package: str, path: str) -> Path:
    return Path(str(distribution(package).locate_file(path)))


def read_definitions() -> dict[str, Any]:
    folder = "kubernetes_validate/kubernetes-json-schema/v1.37.0-local/_definitions.json"
    definitions: dict[str, Any] = json.loads(installed("kubernetes-validate", folder).read_bytes())["$defs"]
    return definitions


def read_go() -> dict[str, GoType]:
    types: dict[str, GoType] = {}
    for module, packages in PACKAGES.items():
        command = ["go", "mod", "download", "-json", f"{module}@{MODULE_VERSION}"]
        # Outside of any Go module, so that no go.mod nearby changes the answer.
        answer = subprocess.run(command, cwd="/", check=True, capture_output=True, text=True).stdout
        folder = Path(json.loads(answer)["Dir"])
        for package in packages:
            types |= read_package(folder / package, f"{module}/{package}")
    return types


def read_kinds(definitions: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    """Group, version and kind to the name of the type: what is served, and the meta types of every served group."""
    served = {openapi_name(f"{module}/{package}") for module, packages in PACKAGES.items() for package in packages}
    groups = GROUP_VERSIONS | {("meta.k8s.io", "v1"), ("admission.k8s.io", "v1")}
    kinds = {}
    for name, definition in definitions.items():
        if name.rpartition(".")[0] in served:
            for entry in definition.get("x-kubernetes-group-version-kind", []):
                if (entry["group"], entry["version"]) in groups:
                    kinds[(entry["group"], entry["version"], entry["kind"])] = name
    return kinds | {kind: name for name, extra in EXTRA_KINDS.items() for kind in extra}


def reachable(go_types: dict[str, GoType], roots: list[str]) -> list[str]:
    """The types that the roots lead to, sorted."""
    found: set[str] = set()
    waiting = [*roots, f"{META}APIResourceList", f"{META}APIGroupList", f"{META}APIVersions", f"{META}ListOptions"]
    waiting += [f"{META}GetOptions", "io.k8s.apimachinery.pkg.version.Info", "io.k8s.apimachinery.pkg.runtime.Unknown"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            declared = go_types[name]
            texts = [declared.underlying, *(entry.type for entry in declared.fields)]
            leaves = [leaf_of(text) for text in texts if not is_opaque(name)]
            waiting += [leaf for leaf in leaves if leaf.startswith("io.k8s.")]
    return sorted(found)


def is_opaque(name: str) -> bool:
    """Its fields are no facts of the API: JSON sees one value."""
    return name in SPECIAL and not SPECIAL[name].startswith("schema_or_")


def leaf_of(text: str) -> str:
    return re.sub(r"^(\*|\[\]|map\[\])+", "", text)


def shape(text: str) -> str:
    """A compact form: ``*`` goes, ``[]`` and ``{}`` prefix lists and maps, ``@`` marks the name of a type."""
    text = text.removeprefix("*")
    if text == "[]byte":
        return "bytes"
    if text.startswith("[]"):
        return "[]" + shape(text[2:])
    if text.startswith("map[]"):
        return "{}" + shape(text[5:])
    if text in SCALARS:
        return NUMERIC.get(text, text)
    if text in ("interface{}", "any", "runtime.Object"):
        return "any"
    return f"@{text}"


def type_facts(declared: GoType, definition: dict[str, Any], go_types: dict[str, GoType]) -> list[Any]:
    """[kind, fields or shape, enum, group-version-kinds, map type] of one type."""
    kinds = definition.get("x-kubernetes-group-version-kind", [])
    gvks = [[kind["group"], kind["version"], kind["kind"]] for kind in kinds]
    gvks = gvks or [list(kind) for kind in EXTRA_KINDS.get(declared.name, [])]
    map_type = definition.get("x-kubernetes-map-type", "") or first(declared.markers, "structType")
    special = SPECIAL.get(declared.name, "")
    if declared.underlying != "struct" and not special:
        # A named list that protobuf wraps in a message of its own, so that absent and empty differ.
        kind = "wrapped" if "protobuf.nullable" in declared.markers else "alias"
        return [kind, shape(declared.underlying), declared.enum, gvks, map_type]
    properties = definition.get("properties", {})
    required = set(definition.get("required", []))
    published = bool(definition)
    declared_fields = [] if is_opaque(declared.name) else declared.fields
    fields = [field_facts(entry, properties, required, published) for entry in declared_fields]
    return [special or "object", fields, [], gvks, map_type]


def field_facts(entry: GoField, properties: dict[str, Any], required: set[str], published: bool) -> list[Any]:
    """[name, shape, flags, number, and when there are any: a map of markers] of one field."""
    is_required = entry.json in required if published else not entry.omit_empty and "optional" not in entry.markers
    flags = POINTER * entry.type.startswith("*") | OMIT_EMPTY * entry.omit_empty | INLINE * entry.inline
    flags |= REQUIRED * (is_required and not entry.inline)
    facts = [entry.json, shape(entry.type), flags, entry.number]
    extra = extra_facts(entry, properties.get(entry.json, {}))
    return [*facts, extra] if extra else facts


def extra_facts(entry: GoField, published: dict[str, Any]) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    if list_type := published.get("x-kubernetes-list-type") or first(entry.markers, "listType"):
        extra["list"] = list_type
    if keys := published.get("x-kubernetes-list-map-keys") or entry.markers.get("listMapKey"):
        extra["keys"] = keys
    if map_type := published.get("x-kubernetes-map-type") or first(entry.markers, "mapType", "structType"):
        extra["map"] = map_type
    if strategy := published.get("x-kubernetes-patch-strategy") or entry.patch_strategy:
        extra["strategy"] = strategy
    if merge_key := published.get("x-kubernetes-patch-merge-key") or entry.patch_merge_key:
        extra["merge"] = merge_key
    if default := first(entry.markers, "default"):
        extra["default"] = default_value(default)
    return extra


def default_value(text: str) -> Any:
    """The JSON value of a ``+default=`` marker. A reference to a constant stays out: its group's rules default it."""
    return None if text.startswith("ref(") else json.loads(text)


def first(markers: dict[str, list[str]], *names: str) -> str:
    return next((markers[name][0] for name in names if name in markers), "")


if __name__ == "__main__":
    main(sys.argv[1:])
