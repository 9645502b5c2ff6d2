"""The facts of Kubernetes' Go types: fields, JSON names, protobuf numbers, pointers and markers, read from source.

A reader of the small part of Go that API type files use: type declarations, struct tags, marker comments and
the constants of enumerations. It does not judge what it reads: `generate_schema.py` joins it with the OpenAPI facts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_IMPORT = re.compile(r'^\s*(?:import\s+)?(?:(\w+)\s+)?"([\w./-]+)"$')
_TYPE = re.compile(r"^type (\w+) (=\s*)?(.+?)\s*(?://.*)?$")
_FIELD = re.compile(r"^\t(?:(\w+)\s+)?([\w.*\[\]{} ]+?)\s+`([^`]*)`")
_TAG = re.compile(r'(\w+):"([^"]*)"')
_CONST = re.compile(r'^\s*(?:const\s+)?\w+\s+(\w+)\s*=\s*"([^"]*)"')
_MARKER = re.compile(r"^\s*//\s*\+([\w:.]+)(?:=(.*))?$")


@dataclass
class GoField:
    """One field of a struct. ``type`` is Go's text of the type with package names made absolute."""

    json: str
    type: str
    number: int
    omit_empty: bool
    inline: bool
    patch_strategy: str
    patch_merge_key: str
    markers: dict[str, list[str]]


@dataclass
class GoType:
    """One declared type: a struct with fields, or another name of ``underlying``."""

    name: str
    underlying: str
    fields: list[GoField] = field(default_factory=list)
    enum: list[str] = field(default_factory=list)
    markers: dict[str, list[str]] = field(default_factory=dict)


def openapi_name(package: str) -> str:
    """``k8s.io/api/core/v1`` is ``io.k8s.api.core.v1`` in OpenAPI."""
    domain, _, rest = package.partition("/")
    return ".".join([*reversed(domain.split(".")), *rest.split("/")]) if rest else domain


def read_package(folder: Path, package: str) -> dict[str, GoType]:
    """All types declared in the package's hand-written files, by OpenAPI name."""
    types: dict[str, GoType] = {}
    constants: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.go")):
        if path.name.startswith(("zz_", "types_swagger")) or path.name.endswith(("_test.go", ".pb.go")):
            continue
        _File(path.read_text(), openapi_name(package), types, constants).read()
    for name, values in constants.items():
        if name in types and "enum" in types[name].markers:
            types[name].enum = sorted(set(values))
    return types


class _File:
    def __init__(self, text: str, package: str, types: dict[str, GoType], constants: dict[str, list[str]]) -> None:
        self.lines = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).splitlines()
        self.package = package
        self.types = types
        self.constants = constants
        self.imports: dict[str, str] = {}

    def read(self) -> None:
        markers: dict[str, list[str]] = {}
        struct: GoType | None = None
        for line in self.lines:
            if marker := _MARKER.match(line):
                markers.setdefault(marker[1], []).append((marker[2] or "").strip())
            elif line.strip() and not line.strip().startswith("//"):
                struct = self._line(line, struct, markers)
                markers = {}

    def _line(self, line: str, struct: GoType | None, markers: dict[str, list[str]]) -> GoType | None:
        if struct is not None:
            if line.startswith("}"):
                return None
            self._field(line, struct, markers)
            return struct
        if imported := _IMPORT.match(line):
            self.imports[imported[1] or imported[2].rsplit("/", 1)[-1]] = openapi_name(imported[2])
        elif constant := _CONST.match(line):
            self.constants.setdefault(f"{self.package}.{constant[1]}", []).append(constant[2])
        elif declared := _TYPE.match(line):
            return self._declare(declared[1], declared[3], markers)
        return None

    def _declare(self, name: str, definition: str, markers: dict[str, list[str]]) -> GoType | None:
        full = f"{self.package}.{name}"
        if definition.startswith("struct"):
            declared = self.types[full] = GoType(full, "struct", markers=markers)
            return None if definition.endswith("}") else declared
        if not definition.startswith(("interface", "func")):
            self.types[full] = GoType(full, self._absolute(definition), markers=markers)
        return None

    def _field(self, line: str, struct: GoType, markers: dict[str, list[str]]) -> None:
        match = _FIELD.match(line)
        if not match:
            return
        tags = dict(_TAG.findall(match[3]))
        json_name, *options = tags.get("json", "" if "json" in tags else "-").split(",")
        protobuf = tags.get("protobuf", "").split(",")
        if "json" not in tags:
            json_name = next((part[5:] for part in protobuf if part.startswith("name=")), "-")
        if json_name == "-":
            return
        struct.fields.append(
            GoField(
                json=json_name,
                type=self._absolute(match[2].strip()),
                number=int(protobuf[1]) if len(protobuf) > 1 else 0,
                omit_empty="omitempty" in options or "omitzero" in options,
                inline=json_name == "",
                patch_strategy=tags.get("patchStrategy", ""),
                patch_merge_key=tags.get("patchMergeKey", ""),
                markers=markers,
            )
        )

    def _absolute(self, text: str) -> str:
        """The type's text with every package name made absolute: ``[]v1.Pod`` is ``[]io.k8s.api.core.v1.Pod``."""
        prefix = re.match(r"(\*|\[\]|map\[[\w.]+\])", text)
        if prefix:
            return ("map[]" if prefix[1].startswith("map") else prefix[1]) + self._absolute(text[prefix.end() :])
        if "." in text:
            alias, _, name = text.partition(".")
            return f"{self.imports.get(alias, alias)}.{name}"
        return text if text[:1].islower() else f"{self.package}.{text}"
