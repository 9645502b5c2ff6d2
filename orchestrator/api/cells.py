"""Pieces of table rows that several kinds share, and the short form in which columns are declared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.selectors import selector_text
from orchestrator.apimachinery.tables import Column
from orchestrator.apimachinery.timestamps import age

NAME = Column("Name", "string", "name", "Name must be unique within a namespace.")
AGE = Column("Age", "string", "", "CreationTimestamp is the time when the object was created.")
CREATED = Column("Created At", "date", "", AGE.description)
NAME_AND_AGE = (NAME, CREATED)
_TYPES = {"int": "integer", "bool": "boolean"}
NONE = "<none>"
UNSET = "<unset>"


def columns(*words: str) -> tuple[Column, ...]:
    """``"Ready"``, ``"Desired:int"``, ``"Images*"`` (wide only); ``"Name"`` and ``"Age"`` are the usual ones."""
    return tuple(map(_column, words))


def _column(word: str) -> Column:
    if word == "Name":
        return NAME
    if word == "Age":
        return AGE
    name, _, kind = word.rstrip("*").partition(":")
    return Column(name, _TYPES.get(kind, "string"), "", "", int(word.endswith("*")))


def name_of(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))


def age_of(obj: Object, now: float) -> str:
    """The text of the age column."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def name_and_age(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), age_of(obj, now)]


def name_and_created(obj: Object, now: float) -> list[Any]:
    """The row of a kind without columns of its own."""
    return [name_of(obj), obj["metadata"].get("creationTimestamp")]


def container_cells(pod_spec: Object | None) -> list[Any]:
    """The names and the images of the containers."""
    containers = (pod_spec or {}).get("containers") or ()
    return [
        ",".join(each.get("name", "") for each in containers),
        ",".join(each.get("image", "") for each in containers),
    ]


def template_cells(spec: Object) -> list[Any]:
    """The same of a pod template, and the selector beside it."""
    template = spec.get("template") or {}
    return [*container_cells(template.get("spec")), selector_text(spec.get("selector"))]


def labels_text(labels: Mapping[str, str] | None) -> str:
    """``a=b,c=d`` sorted, or ``<none>``."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def joined(words: Iterable[str], limit: int = 3) -> str:
    """The first few with commas, and how many there are more."""
    listed = list(words)
    text = ",".join(listed[:limit])
    return f"{text} + {len(listed) - limit} more..." if len(listed) > limit else text


def boolean(value: Any) -> str:
    """As Go prints a boolean."""
    return "True" if value else "False"
