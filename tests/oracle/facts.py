"""The facts of an answer: what a client can rely on, without what differs from run to run."""

from __future__ import annotations

import base64
import gzip
import json
import re
from email.message import Message
from typing import Any

UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ADDRESS = re.compile(r"\b10\.(?!96\.77\.7[78]\b)(?:9[6-9]|10\d|11[01])\.\d{1,3}\.\d{1,3}\b")
"""Of services, but for those that a manifest asks for."""
AGE = re.compile(r"\d+[sd]|<invalid>")
AGO = re.compile(r"\(\d+[sd] ago\)")
"""Ages depend on the day on which one asks."""
LONG = 10_000
"""Texts from here on are told by their length."""
HEADERS = ("Content-Type", "Content-Encoding", "Warning", "Retry-After")
OPAQUE = {"resourceVersion": "<revision>", "continue": "<continue>", "token": "<token>", "serverAddress": "<server>"}
VERSION_FIELDS = {"gitCommit", "buildDate", "goVersion", "compiler", "platform", "gitTreeState", "gitVersion"}
EPOCHS = ("2026-01-01T00:00:00Z",)
FILLED_LATER = {
    "APIService": ["conditions"],
    "FlowSchema": ["conditions"],
    "CustomResourceDefinition": ["conditions", "acceptedNames"],
}
"""What controllers inside kube-apiserver write into a status a moment later: no fact of the request's answer."""


def scrub(value: Any, key: str = "") -> Any:
    """``value`` with identities, moments and addresses replaced by their names."""
    if isinstance(value, dict):
        without_controllers(value)
        return {name: scrub(inner, name) for name, inner in value.items() if name not in VERSION_FIELDS}
    if isinstance(value, list):
        scrubbed = [scrub(inner, key) for inner in value]
        return sorted(scrubbed, key=_manager) if key == "managedFields" else scrubbed
    if not isinstance(value, str):
        return value
    if key in OPAQUE and value:
        return value if key == "resourceVersion" and value == "0" else OPAQUE[key]
    if len(value) > LONG:
        return f"<{len(value)} characters>"
    text = UID.sub("<uid>", value)
    text = TIME.sub(lambda found: found[0] if found[0] in EPOCHS else "<time>", text)
    text = ADDRESS.sub("<address>", text)
    text = re.sub(r"kube-api-access-[a-z0-9]+", "kube-api-access-<x>", text)
    text = re.sub(r"hash=[0-9A-Fa-f]+", "hash=<hash>", text)
    text = re.sub(r"current: \d+", "current: <revision>", text)
    text = re.sub(r"in record \(\d+\)", "in record (<revision>)", text)
    return re.sub(r"\b(gen-|GEN_)[a-z0-9]{5}\b", r"\1<x>", text)


def _manager(entry: dict[str, Any]) -> tuple[str, ...]:
    """Entries of one second have no order of their own."""
    return tuple(str(entry.get(key, "")) for key in ("operation", "manager", "subresource", "apiVersion"))


def without_controllers(obj: dict[str, Any]) -> None:
    """Take out what a controller of the server writes, and its entry among the managers."""
    later = FILLED_LATER.get(str(obj.get("kind")))
    if later is None or "metadata" not in obj:
        return
    for key in later:
        (obj.get("status") or {}).pop(key, None)
    entries = obj["metadata"].get("managedFields") or []
    obj["metadata"]["managedFields"] = [each for each in entries if each.get("subresource") != "status"]


def decompressed(headers: Message, raw: bytes) -> bytes:
    return gzip.decompress(raw) if headers.get("Content-Encoding") == "gzip" else raw


def body_of(raw: bytes, content_type: str) -> Any:
    if "json" in content_type:
        return json.loads(raw)
    if "protobuf" in content_type:
        return {"base64": base64.b64encode(raw).decode()}
    if raw.startswith(b'{"paths"'):
        return json.loads(raw)
    return raw.decode(errors="replace")


def trimmed(body: Any) -> Any:
    """Column descriptions and other prose are not facts."""
    if isinstance(body, dict) and body.get("kind") == "Table":
        for column in body.get("columnDefinitions") or []:
            column.pop("description", None)
        for row in body.get("rows") or []:
            row["cells"] = [_ageless(cell) for cell in row["cells"]]
    return body


def _ageless(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    return "<age>" if AGE.fullmatch(cell) else AGO.sub("(<age> ago)", cell)


def facts(status: int, headers: Message, raw: bytes, *, watch: bool) -> dict[str, Any]:
    content_type = headers.get("Content-Type", "")
    found: dict[str, Any] = {"code": status}
    found.update({name: scrub(headers[name]) for name in HEADERS if name in headers})
    if watch and status == 200:
        events = [json.loads(line) for line in raw.splitlines() if line]
        for event in events:
            trimmed(event.get("object"))
        found["events"] = scrub(events)
    elif raw:
        if b"\n  " in raw:
            found["indented"] = True
        found["body"] = scrub(trimmed(body_of(raw, content_type)))
    return found
