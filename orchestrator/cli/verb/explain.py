"""``podium explain``: the fields of a kind, from the server's OpenAPI."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from orchestrator.cli.remote import session as sessions
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.remote.session import Session
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
WIDTH = 80
GVK = "x-kubernetes-group-version-kind"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", help="pod · pod.spec.containers · deployments.spec.strategy")
    parser.add_argument("--api-version", default="", metavar="GROUP/VERSION")
    parser.add_argument("--recursive", action="store_true", help="all fields below, names and types only")
    sessions.arguments(parser)


def run(options: argparse.Namespace) -> int:
    with Session.begin(options) as session:
        resource, path = split(session, options.what, options.api_version)
        base = f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"
        index = session.connection.get("/openapi/v3")["paths"]
        if base not in index:
            raise CommandError(f"the server describes no fields of {resource.kind} ({base} is not in /openapi/v3)")
        schemas = session.connection.get(index[base]["serverRelativeURL"])["components"]["schemas"]
    print("\n".join(explain(schemas, resource, path, recursive=options.recursive)))
    return 0


def split(session: Session, word: str, api_version: str) -> tuple[Resource, list[str]]:
    """``pod.spec.x`` is the type and the path; a group may stand in between: ``deployments.apps.spec``."""
    name, *path = word.split(".")
    resource = session.find(name)
    group = resource.group.split(".") if resource.group else []
    if group and path[: len(group)] == group:
        path = path[len(group) :]
    if api_version:
        return session.discovery.find_kind(api_version, resource.kind), path
    return resource, path


def explain(schemas: Object, resource: Resource, path: list[str], *, recursive: bool) -> list[str]:
    """Raises ``CommandError`` that names the field which is not there and those that are."""
    schema = root(schemas, resource)
    description = schema.get("description", "")
    field_type = ""
    walked = resource.kind
    for name in path:
        properties = inner(schemas, schema).get("properties") or {}
        if name not in properties:
            known = ", ".join(sorted(properties)) or "no fields"
            raise CommandError(f"{walked} has no field {name!r}; it has {known}")
        schema = properties[name]
        field_type = type_name(schemas, schema)
        description = schema.get("description") or inner(schemas, schema).get("description", "")
        walked = f"{walked}.{name}"
    head = [f"GROUP:      {resource.group}"] if resource.group else []
    lines = [*head, f"KIND:       {resource.kind}", f"VERSION:    {resource.version}", ""]
    if path:
        lines += [f"FIELD: {path[-1]} <{field_type}>", ""]
    lines += ["DESCRIPTION:", *paragraph(description, 4)]
    fields = inner(schemas, schema)
    if fields.get("properties"):
        lines += ["", "FIELDS:", *field_lines(schemas, fields, 2, recursive=recursive, seen=())]
    if enum := schema.get("enum"):
        lines += ["", f"ENUM: {', '.join(str(value) for value in enum)}"]
    return lines


def root(schemas: Object, resource: Resource) -> Object:
    wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    for schema in schemas.values():
        if wanted in (schema.get(GVK) or ()):
            found: Object = schema
            return found
    raise CommandError(f"the server describes no fields of {resource.kind} in {resource.api_version}")


def resolved(schemas: Object, schema: Object) -> Object:
    """Through ``$ref`` and a single ``allOf``; what stands beside them wins."""
    if "$ref" in schema:
        found: Object = schemas.get(schema["$ref"].rsplit("/", 1)[-1], {})
        return resolved(schemas, found)
    if "properties" not in schema and len(schema.get("allOf") or ()) == 1:
        beside = {key: value for key, value in schema.items() if key != "allOf"}
        return {**resolved(schemas, schema["allOf"][0]), **beside}
    return schema


def inner(schemas: Object, schema: Object) -> Object:
    """The schema whose fields one sees: of an array's items, of a map's values."""
    found = resolved(schemas, schema)
    if found.get("type") == "array" and "items" in found:
        return inner(schemas, found["items"])
    if isinstance(found.get("additionalProperties"), dict) and not found.get("properties"):
        return inner(schemas, found["additionalProperties"])
    return found


def type_name(schemas: Object, schema: Object) -> str:
    """``[]Container``, ``map[string]string``, ``integer``."""
    reference = schema.get("$ref") or next((part.get("$ref", "") for part in schema.get("allOf") or ()), "")
    found = resolved(schemas, schema)
    kind = found.get("type", "")
    if kind == "array":
        return f"[]{type_name(schemas, found.get('items') or {})}"
    if kind == "object" or not kind:
        values = found.get("additionalProperties")
        if isinstance(values, dict) and not found.get("properties"):
            return f"map[string]{type_name(schemas, values)}"
        return reference.rsplit(".", 1)[-1] if reference else "Object"
    return str(kind)


def field_lines(schemas: Object, schema: Object, indent: int, *, recursive: bool, seen: tuple[int, ...]) -> list[str]:
    required = set(schema.get("required") or ())
    lines: list[str] = []
    for name, field in sorted((schema.get("properties") or {}).items()):
        mark = " -required-" if name in required else ""
        lines.append(f"{' ' * indent}{name}\t<{type_name(schemas, field)}>{mark}")
        child = inner(schemas, field)
        if recursive:
            if child.get("properties") and id(child) not in seen:
                deeper = (*seen, id(child))
                lines += field_lines(schemas, child, indent + 2, recursive=True, seen=deeper)
            continue
        lines += paragraph(field.get("description") or resolved(schemas, field).get("description", ""), indent + 2)
        lines.append("")
    return lines


def paragraph(text: str, indent: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(text or "<empty>", WIDTH, initial_indent=space, subsequent_indent=space)
