"""Tables and partial metadata: the views of objects that clients ask for by ``as=`` in Accept."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.api.schema import Resource
from orchestrator.apimachinery.encoded import Encoded, Object
from orchestrator.apimachinery.tables import definitions, partial, row
from orchestrator.apiserver.objects import rules_of
from orchestrator.client.protocol import Response


def table_of(
    resource: Resource,
    items: Sequence[Encoded],
    now: float,
    *,
    include: str = "Metadata",
    version: str = "v1",
    columns: bool = True,
) -> Object:
    """``include``: what each row carries of its object (Metadata, Object or None)."""
    its = rules_of(resource)
    rows = [_row(its.row(obj, now), obj, include, version) for obj in (item.decode() for item in items)]
    if its.row_conditions is not None:
        for made, item in zip(rows, items, strict=True):
            conditions = its.row_conditions({"status": item.decode_status()})
            if conditions:
                made["conditions"] = conditions
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {},
        "columnDefinitions": definitions(its.columns) if columns else [],
        "rows": rows,
    }


def _row(cells: list[object], obj: Object, include: str, version: str) -> Object:
    match include:
        case "None":
            return row(cells) | {"object": None}
        case "Object":
            return row(cells, obj)
    return row(cells, partial(obj) | {"apiVersion": f"meta.k8s.io/{version}"})


def partial_of(encoded: Encoded, version: str = "v1") -> Object:
    return partial({"metadata": encoded.decode_metadata()}) | {"apiVersion": f"meta.k8s.io/{version}"}


def list_metadata(response: Response) -> Object:
    metadata: Object = {"resourceVersion": str(response.revision)}
    if response.continue_token:
        metadata["continue"] = response.continue_token
    if response.remaining is not None and response.continue_token:
        metadata["remainingItemCount"] = response.remaining
    return metadata
