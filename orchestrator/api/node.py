"""The rules of RuntimeClass (``node.k8s.io``)."""

from __future__ import annotations

from orchestrator.api.cells import age_of, columns, name_of
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, immutable, invalid
from orchestrator.apimachinery.names import dns_label


def _check(obj: Object) -> list[FieldError]:
    handler = obj.get("handler") or ""
    return [invalid("handler", handler, text) for text in dns_label(handler)]


RULES = (
    Rules(
        group="node.k8s.io",
        kind="RuntimeClass",
        namespaced=False,
        create_on_update=True,
        unconditional_update=False,
        check=_check,
        check_update=lambda new, old: immutable("handler", new.get("handler"), old.get("handler")),
        columns=columns("Name", "Handler", "Age"),
        row=lambda obj, now: [name_of(obj), obj.get("handler") or "", age_of(obj, now)],
    ),
)
