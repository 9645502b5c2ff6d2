"""``-o``: an object or a list of them as YAML, JSON, names or by a template."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery import jsonpath
from orchestrator.cli.remote.resource import Resource
from orchestrator.cli.show import custom_columns
from orchestrator.cli.show.table import table
from orchestrator.cli.terminal import CommandError

Object = dict[str, Any]
FORMS = "yaml, json, name, wide, jsonpath=TEMPLATE, custom-columns=HEADING:.path,..."
Found = Sequence[tuple[Resource, Object]]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FORM", default="", help=FORMS)
    parser.add_argument("--show-managed-fields", action="store_true", help="in yaml and json: who set which field")


def structured(form: str) -> bool:
    """Whether whole objects are needed. Raises ``CommandError`` for a form that does not exist."""
    head, _, rest = form.partition("=")
    if form in ("", "wide"):
        return False
    if form in ("yaml", "json", "name") or (head in ("jsonpath", "custom-columns") and rest):
        return True
    raise CommandError(f"there is no output {form!r}; there are {FORMS}", code=2)


def lines(found: Found, form: str, *, single: bool, managed: bool = False, headings: bool = True) -> list[str]:
    """``single``: exactly one object was asked for, so it stands alone and not in a List."""
    head, _, rest = form.partition("=")
    objects = [obj if managed else without_managed(obj) for _, obj in found]
    if head == "name":
        return [resource.title(obj["metadata"]["name"]) for resource, obj in found]
    if head == "custom-columns":
        return table(custom_columns.rows(rest, objects, headings=headings))
    document = objects[0] if single else listed(objects)
    if head == "jsonpath":
        shown = jsonpath.render(rest if "{" in rest else f"{{{rest}}}", document)
        return [shown.removesuffix("\n")] if shown else []
    return (yaml_text(document) if head == "yaml" else json_text(document)).splitlines()


def listed(objects: Sequence[Object]) -> Object:
    return {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}


def without_managed(obj: Object) -> Object:
    metadata = obj.get("metadata") or {}
    if "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def json_text(document: Any) -> str:
    import json

    return json.dumps(document, indent=4, ensure_ascii=False)


def yaml_text(document: Any) -> str:
    """Keys in alphabetical order, long texts as blocks: as kubectl writes it."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        block = "\n" in value and not any(line.endswith((" ", "\t")) for line in value.split("\n"))
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else None)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(
        document, Dumper=Dumper, sort_keys=True, default_flow_style=False, allow_unicode=True, width=10**6
    )
    return written
