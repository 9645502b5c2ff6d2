"""Any object: its fields as nested labels. Of a Secret only the sizes are shown."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.describe.page import NONE, Page, events, head, marks, shortened, stamp

Object = dict[str, Any]
HIDDEN = ("apiVersion", "kind", "metadata")
VERBATIM = frozenset(
    (
        *("data", "binaryData", "stringData", "labels", "annotations", "matchLabels", "nodeSelector", "parameters"),
        *("hard", "used", "requests", "limits", "capacity"),
    )
)
"""Maps whose keys are somebody's own words."""


def describe(obj: Object, happened: Sequence[Object], now: float) -> list[str]:
    page = Page()
    head(page, obj)
    marks(page, obj)
    page.field("Kind", f"{obj.get('kind', '')} ({obj.get('apiVersion', '')})")
    page.field("CreationTimestamp", stamp(obj["metadata"].get("creationTimestamp")))
    for key, value in obj.items():
        if key in HIDDEN:
            continue
        if obj.get("kind") == "Secret" and key in ("data", "stringData"):
            value = {name: f"{size(content)} bytes" for name, content in value.items()}
        add(page, key, value)
    events(page, happened, now)
    return page.lines()


def size(content: str) -> int:
    try:
        return len(b64decode(content))
    except ValueError:
        return len(content)


def title(key: str) -> str:
    """``replicas`` -> ``Replicas``, ``clusterIP`` -> ``Cluster IP``."""
    words = ""
    for index, character in enumerate(key):
        before = key[index - 1] if index else ""
        words += f" {character}" if character.isupper() and before.islower() else character
    return words[:1].upper() + words[1:]


def add(page: Page, key: str, value: Any, *, verbatim: bool = False) -> None:
    label = key if verbatim else title(key)
    if isinstance(value, dict | list) and value:
        page.block(label, nested(value, verbatim=key in VERBATIM))
    else:
        page.field(label, NONE if value in (None, {}, []) else shortened(str(value)))


def nested(value: Any, *, verbatim: bool = False) -> list[str]:
    if isinstance(value, dict):
        page = Page()
        for key, item in value.items():
            add(page, key, item, verbatim=verbatim)
        return page.lines()
    lines: list[str] = []
    for item in value:
        shown = nested(item) if isinstance(item, dict | list) else [shortened(str(item))]
        lines += [("- " if index == 0 else "  ") + line for index, line in enumerate(shown)]
    return lines
