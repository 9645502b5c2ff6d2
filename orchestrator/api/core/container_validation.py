"""What must hold of the containers of a pod."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from orchestrator.api.core.environment_validation import validate_env, validate_env_from
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from orchestrator.apimachinery.names import (
    dns_label,
    header_name,
    label_key,
    port_name,
    port_number,
)
from orchestrator.apimachinery.quantity import REMEMBERED, QuantityError, compare

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_SCHEMES = ("HTTP", "HTTPS")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_NEGATIVE = "must be greater than or equal to 0"
_NATIVE = frozenset(("cpu", "memory", "ephemeral-storage", "storage"))


def validate_containers(spec: Object, volumes: dict[str, Object], path: Path) -> list[FieldError]:
    """All containers of a pod spec; ``volumes`` by name."""
    errors: list[FieldError] = []
    containers = spec.get("containers")
    if not containers:
        errors.append(required(path.child("containers")))
    seen: set[str] = set()
    ports: set[str] = set()
    for position, container in enumerate(containers or ()):
        place = path.child("containers").index(position)
        _validate_common(container, volumes, place, errors)
        _validate_name_once(container, seen, place, errors)
        _validate_long_running(container, place, errors)
        _validate_host_ports(container, ports, place, errors)
    for position, container in enumerate(spec.get("initContainers") or ()):
        place = path.child("initContainers").index(position)
        _validate_common(container, volumes, place, errors)
        _validate_name_once(container, seen, place, errors)
        _validate_init(container, place, errors)
    for position, container in enumerate(spec.get("ephemeralContainers") or ()):
        place = path.child("ephemeralContainers").index(position)
        _validate_common(container, volumes, place, errors)
        _validate_name_once(container, seen, place, errors)
        _validate_ephemeral(container, place, errors)
        target = container.get("targetContainerName")
        if target and all(target != other.get("name") for other in containers or ()):
            errors.append(not_found(place.child("targetContainerName"), target))
    return errors


def _validate_common(container: Object, volumes: dict[str, Object], path: Path, errors: list[FieldError]) -> None:
    name = container.get("name")
    if not name:
        errors.append(required(path.child("name")))
    elif texts := dns_label(name):
        errors.extend(invalid(path.child("name"), name, text) for text in texts)
    if not container.get("image"):
        errors.append(required(path.child("image")))
    policy = container.get("terminationMessagePolicy")
    if policy not in _MESSAGE_POLICIES:
        errors.append(not_supported(path.child("terminationMessagePolicy"), policy, _MESSAGE_POLICIES))
    if ports := container.get("ports"):
        _validate_ports(ports, path.child("ports"), errors)
    if env := container.get("env"):
        validate_env(env, path.child("env"), errors)
    if sources := container.get("envFrom"):
        validate_env_from(sources, path.child("envFrom"), errors)
    if mounts := container.get("volumeMounts"):
        _validate_mounts(mounts, volumes, path.child("volumeMounts"), errors)
    if devices := container.get("volumeDevices"):
        _validate_devices(devices, volumes, path.child("volumeDevices"), errors)
    if container.get("imagePullPolicy") not in PULL_POLICIES:
        errors.append(_pull_policy_error(container, path))
    if resources := container.get("resources"):
        errors.extend(validate_resources(resources, path.child("resources")))
    if security := container.get("securityContext"):
        _validate_security(security, path.child("securityContext"), errors)


def _pull_policy_error(container: Object, path: Path) -> FieldError:
    policy = container.get("imagePullPolicy")
    place = path.child("imagePullPolicy")
    return not_supported(place, policy, PULL_POLICIES) if policy else required(place)


def _validate_name_once(container: Object, seen: set[str], path: Path, errors: list[FieldError]) -> None:
    name = container.get("name") or ""
    if name and name in seen:
        errors.append(duplicate(path.child("name"), name))
    seen.add(name)


def _validate_long_running(container: Object, path: Path, errors: list[FieldError]) -> None:
    """What only containers have that keep running: hooks and probes."""
    for key in _PROBES:
        probe = container.get(key)
        if probe is not None:
            _validate_probe(probe, key, path.child(key), errors)
    lifecycle = container.get("lifecycle")
    if lifecycle:
        for key in ("postStart", "preStop"):
            if key in lifecycle:
                _validate_handler(lifecycle[key], path.child("lifecycle", key), errors)


def _validate_init(container: Object, path: Path, errors: list[FieldError]) -> None:
    policy = container.get("restartPolicy")
    if policy == "Always":
        _validate_long_running(container, path, errors)
        return
    for key in ("lifecycle", *_PROBES):
        if container.get(key) is not None:
            text = "may not be set for init containers without restartPolicy=Always"
            errors.append(forbidden(path.child(key), text))


def _validate_ephemeral(container: Object, path: Path, errors: list[FieldError]) -> None:
    for key in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy"):
        if container.get(key):
            errors.append(forbidden(path.child(key), "cannot be set for an Ephemeral Container"))
    if container.get("resources"):
        errors.append(forbidden(path.child("resources"), "cannot be set for an Ephemeral Container"))


def _validate_ports(ports: list[Object], path: Path, errors: list[FieldError]) -> None:
    names: set[str] = set()
    for position, port in enumerate(ports):
        name, number = port.get("name"), port.get("containerPort")
        if name:
            if texts := port_name(name):
                errors.extend(invalid(path.index(position).child("name"), name, text) for text in texts)
            elif name in names:
                errors.append(duplicate(path.index(position).child("name"), name))
            names.add(name)
        if not number:
            errors.append(required(path.index(position).child("containerPort")))
        elif not 0 < number < 65536:
            place = path.index(position).child("containerPort")
            errors.extend(invalid(place, number, text) for text in port_number(number))
        if port.get("hostPort"):
            place = path.index(position).child("hostPort")
            errors.extend(invalid(place, port["hostPort"], text) for text in port_number(port["hostPort"]))
        if port.get("protocol") not in PROTOCOLS:
            place = path.index(position).child("protocol")
            errors.append(not_supported(place, port.get("protocol"), PROTOCOLS))


def _validate_host_ports(container: Object, seen: set[str], path: Path, errors: list[FieldError]) -> None:
    for position, port in enumerate(container.get("ports") or ()):
        number = port.get("hostPort")
        if not number:
            continue
        text = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{number}"
        if text in seen:
            errors.append(duplicate(path.child("ports").index(position).child("hostPort"), text))
        seen.add(text)


def _validate_mounts(mounts: list[Object], volumes: dict[str, Object], path: Path, errors: list[FieldError]) -> None:
    targets: set[str] = set()
    for position, mount in enumerate(mounts):
        name, target = mount.get("name"), mount.get("mountPath")
        if not name:
            errors.append(required(path.index(position).child("name")))
        if name not in volumes:
            errors.append(not_found(path.index(position).child("name"), name or ""))
        if not target:
            errors.append(required(path.index(position).child("mountPath")))
        elif target in targets:
            errors.append(invalid(path.index(position).child("mountPath"), target, "must be unique"))
        targets.add(target or "")
        for key in ("subPath", "subPathExpr"):
            if mount.get(key):
                errors.extend(descending_path(mount[key], path.child(key)))
        if mount.get("subPath") and mount.get("subPathExpr"):
            text = "subPathExpr and subPath are mutually exclusive"
            errors.append(invalid(path.index(position).child("subPathExpr"), mount["subPathExpr"], text))


def descending_path(target: str, path: Path) -> list[FieldError]:
    """A relative path that does not leave where it begins."""
    if target.startswith("/"):
        return [invalid(path, target, "must be a relative path")]
    return [invalid(path, target, "must not contain '..'")] if ".." in target.split("/") else []


def _validate_devices(devices: list[Object], volumes: dict[str, Object], path: Path, errors: list[FieldError]) -> None:
    for position, device in enumerate(devices):
        name = device.get("name")
        if not name:
            errors.append(required(path.index(position).child("name")))
        elif name not in volumes:
            errors.append(not_found(path.index(position).child("name"), name))
        if not device.get("devicePath"):
            errors.append(required(path.index(position).child("devicePath")))


def validate_resources(resources: Object, path: Path) -> list[FieldError]:
    """Requests and limits: known names, nothing negative, no request above its limit."""
    errors: list[FieldError] = []
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for key, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if name not in _NATIVE or not _is_amount(amount):
                _validate_amount(name, amount, path.child(key).key(name), errors)
    if errors:
        return errors
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is None or limit == amount:
            continue
        if compare(amount, limit) > 0:
            text = f"must be less than or equal to {name} limit of {limit}"
            errors.append(invalid(path.child("requests"), str(amount), text))
    for name in sorted(requests.keys() - limits.keys() - _NATIVE) if limits else ():
        if not name.startswith("hugepages-"):
            errors.append(
                required(path.child("limits").key(name), "Limit must be set for non overcommitable resources")
            )
    return errors


@lru_cache(REMEMBERED)
def _is_amount(amount: Any) -> bool:
    try:
        return compare(amount, "0") >= 0
    except QuantityError:
        return False


def _validate_amount(name: str, amount: Any, path: Path, errors: list[FieldError]) -> None:
    if name not in _NATIVE:
        errors.extend(invalid(path, name, text) for text in label_key(name))
        if "/" not in name and not name.startswith("hugepages-"):
            errors.append(invalid(path, name, "must be a standard resource type or fully qualified"))
    try:
        if compare(amount, "0") < 0:
            errors.append(invalid(path, str(amount), _NEGATIVE))
    except QuantityError as error:
        errors.append(invalid(path, amount, str(error)))


def _validate_probe(probe: Object, name: str, path: Path, errors: list[FieldError]) -> None:
    _validate_handler(probe, path, errors)
    for key in _NUMBERS:
        if (probe.get(key) or 0) < 0:
            errors.append(invalid(path.child(key), probe[key], _NEGATIVE))
    grace = probe.get("terminationGracePeriodSeconds")
    if name == "readinessProbe":
        if grace is not None:
            errors.append(
                invalid(path.child("terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes")
            )
        return
    if grace is not None and grace <= 0:
        errors.append(invalid(path.child("terminationGracePeriodSeconds"), grace, "must be greater than 0"))
    if probe.get("successThreshold", 1) != 1:
        errors.append(invalid(path.child("successThreshold"), probe["successThreshold"], "must be 1"))


def _validate_handler(handler: Object, path: Path, errors: list[FieldError]) -> None:
    kinds = [key for key in _HANDLERS if handler.get(key) is not None]
    if not kinds:
        errors.append(required(path, "must specify a handler type"))
        return
    errors.extend(forbidden(path.child(key), "may not specify more than 1 handler type") for key in kinds[1:])
    content, place = handler[kinds[0]], path.child(kinds[0])
    if kinds[0] == "exec":
        if not content.get("command"):
            errors.append(required(place.child("command")))
    elif kinds[0] == "httpGet":
        _validate_http(content, place, errors)
    elif kinds[0] == "tcpSocket":
        errors.extend(port_or_name(content.get("port"), place.child("port")))
    elif kinds[0] == "grpc":
        port = content.get("port") or 0
        errors.extend(invalid(place.child("port"), port, text) for text in port_number(port))


def _validate_http(action: Object, path: Path, errors: list[FieldError]) -> None:
    if not action.get("path"):
        errors.append(required(path.child("path")))
    errors.extend(port_or_name(action.get("port"), path.child("port")))
    if action.get("scheme") not in _SCHEMES:
        errors.append(not_supported(path.child("scheme"), action.get("scheme"), _SCHEMES))
    for position, header in enumerate(action.get("httpHeaders") or ()):
        name = header.get("name") or ""
        place = path.child("httpHeaders").index(position)
        errors.extend(invalid(place, name, text) for text in header_name(name))


def port_or_name(port: Any, path: Path) -> list[FieldError]:
    """A port's number, or the name it has in the container."""
    if isinstance(port, str):
        return [invalid(path, port, text) for text in port_name(port)]
    return [invalid(path, port or 0, text) for text in port_number(port or 0)]


def _validate_security(security: Object, path: Path, errors: list[FieldError]) -> None:
    for key in ("runAsUser", "runAsGroup"):
        number = security.get(key)
        if number is not None and not 0 <= number < 2**31:
            errors.append(invalid(path.child(key), number, "must be between 0 and 2147483647, inclusive"))
    if security.get("allowPrivilegeEscalation") is False:
        if security.get("privileged"):
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            errors.append(invalid(path, security, text))
        elif "CAP_SYS_ADMIN" in ((security.get("capabilities") or {}).get("add") or ()):
            text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            errors.append(invalid(path, security, text))
    errors.extend(validate_seccomp(security.get("seccompProfile"), path.child("seccompProfile")))


def validate_seccomp(profile: Object | None, path: Path) -> list[FieldError]:
    if profile is None:
        return []
    kind, local = profile.get("type"), profile.get("localhostProfile")
    if kind not in ("Localhost", "RuntimeDefault", "Unconfined"):
        return [not_supported(path.child("type"), kind or "", ("Localhost", "RuntimeDefault", "Unconfined"))]
    if kind == "Localhost":
        return [] if local else [required(path.child("localhostProfile"), "must be set when seccomp type is Localhost")]
    text = "can only be set when seccomp type is Localhost"
    return [invalid(path.child("localhostProfile"), profile, text)] if local is not None else []
