"""The facts of an answer: what a client can rely on, without what differs from run to run."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ADDRESS = re.compile(r"\b10\.96\.(?!77\.7[78]\b)\d{1,3}\.\d{1,3}\b")
AGE = re.compile(r"\d+s|<invalid>")
HEADERS = ("Content-Type", "Warning", "Retry-After")
OPAQUE = {"resourceVersion": "<revision>", "continue": "<continue>", "storageVersionHash": "<hash>", "token": "<token>"}
VERSION_FIELDS = {"gitCommit", "buildDate", "goVersion", "compiler", "platform", "gitTreeState", "gitVersion"}
EPOCHS = ("2026-01-01T00:00:00Z",)


def scrub(value: Any, key: str = "") -> Any:
    """``value`` with identities, moments and addresses replaced by their names."""
    if isinstance(value, dict):
        return {name: scrub(inner, name) for name, inner in value.items() if name not in VERSION_FIELDS}
    if isinstance(value, list):
        return [scrub(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    if key in OPAQUE and value:
        return value if key == "resourceVersion" and value == "0" else OPAQUE[key]
    text = UID.sub("<uid>", value)
    text = TIME.sub(lambda found: found[0] if found[0] in EPOCHS else "<time>", text)
    text = ADDRESS.sub("<address>", text)
    text = re.sub(r"kube-api-access-[a-z0-9]+", "kube-api-access-<x>", text)
    text = re.sub(r"current: \d+", "current: <revision>", text)
    return re.sub(r"^gen-[a-z0-9]{5}$", "gen-<x>", text)


def body_of(raw: bytes, content_type: str) -> Any:
    if "json" in content_type:
        return json.loads(raw)
    if "protobuf" in content_type:
        return {"base64": base64.b64encode(raw).decode()}
    return raw.decode(errors="replace")


def trimmed(body: Any) -> Any:
    """Column descriptions and other prose are not facts."""
    if isinstance(body, dict) and body.get("kind") == "Table":
        for column in body.get("columnDefinitions") or []:
            column.pop("description", None)
        for row in body.get("rows") or []:
            row["cells"] = ["<age>" if AGE.fullmatch(str(cell)) else cell for cell in row["cells"]]
    return body


def facts(status: int, headers: Mapping[str, str], raw: bytes, *, watch: bool) -> dict[str, Any]:
    content_type = headers.get("Content-Type", "")
    found: dict[str, Any] = {"code": status}
    found.update({name: scrub(headers[name]) for name in HEADERS if name in headers})
    if watch and status == 200:
        events = [json.loads(line) for line in raw.splitlines() if line]
        for event in events:
            trimmed(event.get("object"))
        found["events"] = scrub(events)
    elif raw:
        found["body"] = scrub(trimmed(body_of(raw, content_type)))
    return found
