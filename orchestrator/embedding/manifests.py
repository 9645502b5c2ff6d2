"""What can be applied: YAML text, a file or folder of it, or objects as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.api import yamltext
from orchestrator.apimachinery.encoded import Object

SUFFIXES = (".yaml", ".yml", ".json")
Manifest = str | Path | Mapping[str, Any] | Iterable[Mapping[str, Any]]


class ManifestError(ValueError):
    """``source`` cannot be applied; the message says what was expected and found."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source


def objects(manifest: Manifest, folder: Path | None = None) -> Iterator[Object]:
    """Every object in order; a List counts as its items. Relative paths are looked for in ``folder`` first.

    Text with a line break or a colon is YAML, other text is a path.
    """
    if isinstance(manifest, Mapping):
        yield from _items(dict(manifest), "the object")
    elif isinstance(manifest, Path) or (isinstance(manifest, str) and not _is_text(manifest)):
        for path in _files(Path(manifest), folder):
            yield from _parsed(path.read_text(), str(path))
    elif isinstance(manifest, str):
        yield from _parsed(manifest, "the text")
    else:
        for one in manifest:
            yield from _items(dict(one), "the object")


def _is_text(manifest: str) -> bool:
    return "\n" in manifest or ": " in manifest or manifest.lstrip().startswith("{")


def _files(path: Path, folder: Path | None) -> list[Path]:
    found = next((place for place in (*([folder / path] if folder else ()), path) if place.exists()), None)
    if found is None:
        looked = f" in {folder} and" if folder else ""
        raise ManifestError(str(path), f"there is no such file{looked} in {Path.cwd()}")
    if found.is_dir():
        return sorted(one for one in found.iterdir() if one.suffix in SUFFIXES)
    return [found]


def _parsed(text: str, source: str) -> Iterator[Object]:
    for document in yamltext.documents(text):
        yield from _items(document, source)


def _items(document: Any, source: str) -> Iterator[Object]:
    if not isinstance(document, dict) or not document.get("kind") or not document.get("apiVersion"):
        raise ManifestError(source, f"expected an object with apiVersion and kind, found {document!r:.80}")
    if document["kind"] == "List":
        for item in document.get("items") or ():
            yield from _items(item, source)
    else:
        yield document
