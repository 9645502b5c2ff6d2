"""Objects from files, folders, URLs and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from orchestrator.cli.terminal import CommandError
from orchestrator.client.kubeconfig import LOADER

Object = dict[str, Any]
SUFFIXES = (".yaml", ".yml", ".json")
FETCH_SECONDS = 30.0


class Manifest(NamedTuple):
    source: str
    """Where it stands, for an error's line: ``web.yaml`` or ``web.yaml (document 2)``."""
    object: Object


def read(paths: Sequence[str], *, recursive: bool = False) -> list[Manifest]:
    """Every object in order; a List counts as its items. Raises ``CommandError`` naming file and document."""
    found: list[Manifest] = []
    for path in paths:
        for source, text in texts(path, recursive):
            found += parse(source, text)
    if not found:
        raise CommandError(f"there is no object in {', '.join(paths)}")
    return found


def texts(path: str, recursive: bool) -> Iterator[tuple[str, str]]:
    if path == "-":
        yield "standard input", sys.stdin.read()
        return
    if path.startswith(("http://", "https://")):
        yield path, fetch(path)
        return
    place = Path(path)
    try:
        if not place.is_dir():
            yield path, place.read_text()
            return
        files = place.rglob("*") if recursive else place.iterdir()
        for file in sorted(file for file in files if file.suffix in SUFFIXES and file.is_file()):
            yield str(file), file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def fetch(url: str) -> str:
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=FETCH_SECONDS) as answer:
            text: str = answer.read().decode()
    except OSError as error:
        raise CommandError(f"cannot read {url}: {error}") from error
    return text


def parse(source: str, text: str) -> list[Manifest]:
    """The objects of one text of YAML documents (JSON is YAML)."""
    try:
        documents = list(yaml.load_all(text, Loader=LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise CommandError(f"{source} is no YAML{where}: {problem}") from error
    several = len(documents) > 1
    found: list[Manifest] = []
    for number, document in enumerate(documents, 1):
        place = f"{source} (document {number})" if several else source
        found += [Manifest(place, checked(place, item)) for item in items(document)]
    return found


def items(document: Any) -> Iterable[Any]:
    """Nothing for an empty document, the items of a List, else the document itself."""
    if document is None:
        return ()
    if (
        isinstance(document, dict)
        and str(document.get("kind", "")).endswith("List")
        and isinstance(document.get("items"), list)
    ):
        kind = str(document["kind"]).removesuffix("List")
        shared = {"apiVersion": document.get("apiVersion"), "kind": kind} if kind else {}
        return [{**shared, **item} if isinstance(item, dict) else item for item in document["items"]]
    return (document,)


def checked(source: str, document: Any) -> Object:
    if not isinstance(document, dict):
        raise CommandError(f"{source}: expected an object, found {type(document).__name__}")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise CommandError(f"{source}: {field} is not set")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise CommandError(f"{source}: {document['kind']} has no metadata.name")
    return plain(document)  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """YAML's dates and other scalars as the JSON they stand for."""
    if isinstance(value, dict):
        return {str(key).lower() if isinstance(key, bool) else str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else str(value)
