"""Query parameters as request options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.apimachinery import errors
from orchestrator.apimachinery.quoting import quote
from orchestrator.client.protocol import Options

TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True", ""))
FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
MAX_MANAGER = 128


def boolean(text: str) -> bool:
    """Kubernetes' own conversion: absent is false, anything that is not plainly false is true."""
    return text not in FALSE


def integer(text: str) -> int:
    if not text.lstrip("-").isdecimal():
        raise errors.bad_request(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    return int(text)


def positive(text: str) -> int:
    """A bound; what is negative is none."""
    return max(integer(text), 0)


def text_of(text: str) -> str:
    return text


FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "labelSelector": ("label_selector", text_of),
    "fieldSelector": ("field_selector", text_of),
    "limit": ("limit", positive),
    "continue": ("continue_token", text_of),
    "resourceVersion": ("resource_version", text_of),
    "resourceVersionMatch": ("resource_version_match", text_of),
    "sendInitialEvents": ("send_initial_events", boolean),
    "allowWatchBookmarks": ("allow_bookmarks", boolean),
    "timeoutSeconds": ("timeout_seconds", integer),
    "fieldManager": ("field_manager", text_of),
    "fieldValidation": ("field_validation", text_of),
    "force": ("force", boolean),
    "gracePeriodSeconds": ("grace_period_seconds", integer),
    "propagationPolicy": ("propagation_policy", text_of),
}


def options_of(query: Mapping[str, str], kind: str) -> Options:
    """Raises BadRequest or Invalid; ``kind`` is what the options are called in errors."""
    values: dict[str, Any] = {}
    for name, text in query.items():
        known = FIELDS.get(name)
        if known is not None and (text or known[1] is text_of):
            values[known[0]] = known[1](text)
    if "dryRun" in query:
        if query["dryRun"] != "All":
            raise _unsupported(kind, "dryRun", f"[{quote(query['dryRun'])}]", '"All"')
        values["dry_run"] = True
    if query.get("orphanDependents"):
        values.setdefault("propagation_policy", "Orphan" if boolean(query["orphanDependents"]) else "Background")
    validation = values.get("field_validation", "")
    if validation not in ("", "Ignore", "Warn", "Strict"):
        raise _unsupported(kind, "fieldValidation", quote(validation), '"", "Ignore", "Strict", "Warn"')
    return Options(**values)


def default_manager(user_agent: str) -> str:
    """Who writes, when nobody says: the program's name in the user agent."""
    return user_agent.partition("/")[0][:MAX_MANAGER]


def _unsupported(kind: str, field: str, value: str, supported: str) -> errors.StatusError:
    message = f"Unsupported value: {value}: supported values: {supported}"
    cause = {"reason": "FieldValueNotSupported", "message": message, "field": field}
    details = {"group": "meta.k8s.io", "kind": kind, "causes": [cause]}
    return errors.status(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {field}: {message}', details)
