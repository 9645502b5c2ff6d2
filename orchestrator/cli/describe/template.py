"""Containers, volumes and what else a pod and a pod template have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.cli.describe.page import NONE, Page, stamp

Object = dict[str, Any]
PROBES = (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe"))


def template_lines(template: Object) -> list[str]:
    """``Pod Template:`` and all below it."""
    page = Page()
    metadata, spec = template.get("metadata") or {}, template.get("spec") or {}
    page.pairs("Labels", metadata.get("labels"))
    if metadata.get("annotations"):
        page.pairs("Annotations", metadata["annotations"], joint=": ")
    if spec.get("serviceAccountName"):
        page.field("Service Account", spec["serviceAccountName"])
    if spec.get("initContainers"):
        page.block("Init Containers", containers(spec["initContainers"], {}))
    page.block("Containers", containers(spec.get("containers") or (), {}))
    page.block("Volumes", volumes(spec.get("volumes") or ()))
    placement(page, spec)
    return ["Pod Template:", *(f"  {line}" for line in page.lines())]


def placement(page: Page, spec: Object) -> None:
    page.pairs("Node-Selectors", spec.get("nodeSelector"))
    page.many("Tolerations", [toleration(entry) for entry in spec.get("tolerations") or ()])


def toleration(entry: Object) -> str:
    text = entry.get("key") or ""
    text += f"={entry['value']}" if entry.get("value") else ""
    text += f":{entry['effect']}" if entry.get("effect") else ""
    text += " op=Exists" if entry.get("operator") == "Exists" else ""
    return text + (f" for {entry['tolerationSeconds']}s" if entry.get("tolerationSeconds") is not None else "")


def containers(found: Sequence[Object], statuses: Mapping[str, Object]) -> list[str]:
    lines: list[str] = []
    for entry in found:
        page = Page()
        container(page, entry, statuses.get(entry["name"]))
        lines.append(f"{entry['name']}:")
        lines += [f"  {line}" for line in page.lines()]
    return lines


def container(page: Page, entry: Object, status: Object | None) -> None:
    if status is not None:
        page.field("Container ID", status.get("containerID"))
    page.field("Image", entry.get("image"))
    if status is not None:
        page.field("Image ID", status.get("imageID"))
    declared = entry.get("ports") or ()
    page.field("Ports" if len(declared) > 1 else "Port", ", ".join(port(one) for one in declared))
    for label, words in (("Command", entry.get("command")), ("Args", entry.get("args"))):
        if words:
            page.many(label, [line for word in words for line in word.split("\n")])
    if status is not None:
        states(page, status)
    resources = entry.get("resources") or {}
    for label, field in (("Limits", "limits"), ("Requests", "requests")):
        if resources.get(field):
            page.pairs(label, resources[field], joint=": ")
    for label, field in PROBES:
        if entry.get(field):
            page.field(label, probe(entry[field]))
    if entry.get("envFrom"):
        page.many("Environment Variables from", [source(one) for one in entry["envFrom"]])
    page.many("Environment", [variable(one) for one in entry.get("env") or ()])
    mounts = [
        f"{one['mountPath']} from {one['name']} ({'ro' if one.get('readOnly') else 'rw'})"
        for one in entry.get("volumeMounts") or ()
    ]
    page.many("Mounts", mounts)


def states(page: Page, status: Object) -> None:
    state(page, "State", status.get("state") or {})
    if status.get("lastState"):
        state(page, "Last State", status["lastState"])
    page.field("Ready", status.get("ready", False))
    page.field("Restart Count", status.get("restartCount", 0))


def state(page: Page, label: str, found: Object) -> None:
    for kind, details in found.items():
        lines = [kind.capitalize()]
        for name, field in (
            ("Reason", "reason"),
            ("Message", "message"),
            ("Exit Code", "exitCode"),
            ("Signal", "signal"),
        ):
            if details.get(field) is not None and details.get(field) != "":
                lines.append(f"{name}: {details[field]}")
        for name, field in (("Started", "startedAt"), ("Finished", "finishedAt")):
            if details.get(field):
                lines.append(f"{name}: {stamp(details[field])}")
        page.many(label, lines)
        return
    page.field(label, "Waiting")


def port(entry: Object) -> str:
    name = f" ({entry['name']})" if entry.get("name") else ""
    return f"{entry['containerPort']}/{entry.get('protocol', 'TCP')}{name}"


def probe(entry: Object) -> str:
    http, tcp, command, grpc = (entry.get(kind) for kind in ("httpGet", "tcpSocket", "exec", "grpc"))
    if http:
        address = f"{http.get('host', '')}:{http.get('port')}{http.get('path', '/')}"
        how = f"http-get {http.get('scheme', 'HTTP').lower()}://{address}"
    elif tcp:
        how = f"tcp-socket {tcp.get('host', '')}:{tcp.get('port')}"
    elif command:
        how = f"exec [{' '.join(command.get('command') or ())}]"
    else:
        how = f"grpc :{(grpc or {}).get('port')}"
    seconds = (("delay", "initialDelaySeconds", 0), ("timeout", "timeoutSeconds", 1), ("period", "periodSeconds", 10))
    times = " ".join(f"{word}={entry.get(field, default)}s" for word, field, default in seconds)
    return f"{how} {times} #success={entry.get('successThreshold', 1)} #failure={entry.get('failureThreshold', 3)}"


def variable(entry: Object) -> str:
    """A secret's value is never shown."""
    origin = entry.get("valueFrom") or {}
    for field, kind in (("configMapKeyRef", "config map"), ("secretKeyRef", "secret")):
        if reference := origin.get(field):
            words = f"<set to the key '{reference.get('key')}' in {kind} '{reference.get('name')}'>"
            return f"{entry['name']}: {words}"
    if "fieldRef" in origin:
        return f"{entry['name']}: ({origin['fieldRef'].get('apiVersion', 'v1')}:{origin['fieldRef']['fieldPath']})"
    if "resourceFieldRef" in origin:
        return f"{entry['name']}: ({origin['resourceFieldRef']['resource']})"
    return f"{entry['name']}: {entry.get('value', '')}"


def source(entry: Object) -> str:
    kind, reference = (
        ("ConfigMap", entry["configMapRef"]) if "configMapRef" in entry else ("Secret", entry.get("secretRef") or {})
    )
    return f"{reference.get('name', '')}  {kind}  Optional: {bool(reference.get('optional'))}"


def volumes(found: Sequence[Object]) -> list[str]:
    lines: list[str] = []
    for entry in found:
        kind = next((key for key in entry if key != "name"), "")
        page = Page()
        page.field("Type", kind[:1].upper() + kind[1:] if kind else NONE)
        for key, value in sorted((entry.get(kind) or {}).items()):
            label = key[:1].upper() + key[1:]
            if isinstance(value, list):
                page.many(label, [flat(item) for item in value])
            else:
                page.field(label, flat(value))
        lines.append(f"{entry['name']}:")
        lines += [f"  {line}" for line in page.lines()]
    return lines


def flat(value: Any) -> str:
    """A nested value on one line."""
    if isinstance(value, dict):
        return " ".join(f"{key}={flat(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(flat(item) for item in value)
    return str(value)
