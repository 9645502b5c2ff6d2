"""The rules of ConfigMap, Secret and ServiceAccount."""

from __future__ import annotations

import base64
from typing import Any

from orchestrator.api.cells import age_of, columns, name_and_age, name_of
from orchestrator.api.strategy import Rules
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden, immutable, invalid, required, too_long
from orchestrator.apimachinery.meta import dns_subdomain
from orchestrator.apimachinery.names import config_key

MAX_DATA_BYTES = 1024 * 1024
_DATA = Path("data")
_DOCKER_CONFIG = ".dockercfg"
_REQUIRED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def default_secret(obj: Object) -> None:
    if not obj.get("type"):
        obj["type"] = "Opaque"
    plain = obj.pop("stringData", None)
    if plain:
        data = obj.setdefault("data", {})
        data.update({key: base64.b64encode(value.encode()).decode() for key, value in plain.items()})


def _check_keys(data: Object | None, path: Path) -> list[FieldError]:
    return [invalid(path.key(key), key, text) for key in data or () for text in config_key(key)]


def check_config_map(obj: Object) -> list[FieldError]:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    errors = _check_keys(data, _DATA) + _check_keys(binary, Path("binaryData"))
    for key in data.keys() & binary.keys():
        errors.append(invalid(_DATA.key(key), key, "duplicate of key present in binaryData"))
    size = sum(len(value.encode()) for value in data.values()) + sum(map(_decoded_size, binary.values()))
    if size > MAX_DATA_BYTES:
        errors.append(too_long(Path("[]"), MAX_DATA_BYTES))
    return errors


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")


def check_secret(obj: Object) -> list[FieldError]:
    data = obj.get("data") or {}
    errors = _check_keys(data, _DATA)
    if sum(map(_decoded_size, data.values())) > MAX_DATA_BYTES:
        errors.append(too_long(_DATA, MAX_DATA_BYTES))
    kind = obj.get("type")
    errors.extend(required(_DATA.key(key)) for key in _REQUIRED_KEYS.get(kind or "", ()) if key not in data)
    if kind == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        errors.append(required(_DATA.key("username")))
        errors.append(required(_DATA.key("password")))
    if kind == "kubernetes.io/service-account-token":
        annotations = obj["metadata"].get("annotations") or {}
        if not annotations.get("kubernetes.io/service-account.name"):
            errors.append(required(Path("metadata", "annotations").key("kubernetes.io/service-account.name")))
    return errors


def _check_immutable(new: Object, old: Object) -> list[FieldError]:
    if not old.get("immutable"):
        return []
    errors: list[FieldError] = []
    if not new.get("immutable"):
        errors.append(forbidden("immutable", "field is immutable when `immutable` is set"))
    for key in ("data", "binaryData"):
        if (new.get(key) or {}) != (old.get(key) or {}):
            errors.append(forbidden(key, "field is immutable when `immutable` is set"))
    return errors


def _check_secret_update(new: Object, old: Object) -> list[FieldError]:
    return immutable("type", new.get("type"), old.get("type")) + _check_immutable(new, old)


def _update_secret(new: Object, old: Object) -> None:
    if not new.get("type"):
        new["type"] = old.get("type")


def _config_map_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age_of(obj, now)]


def _secret_row(obj: Object, now: float) -> list[Any]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age_of(obj, now)]


RULES = (
    Rules(
        group="",
        kind="ConfigMap",
        check=check_config_map,
        check_update=_check_immutable,
        columns=columns("Name", "Data", "Age"),
        row=_config_map_row,
    ),
    Rules(
        group="",
        kind="Secret",
        default=default_secret,
        update=_update_secret,
        check=check_secret,
        check_update=_check_secret_update,
        own_fields=lambda obj: {"type": obj.get("type") or ""},
        columns=columns("Name", "Type", "Data", "Age"),
        row=_secret_row,
    ),
    Rules(
        group="",
        kind="ServiceAccount",
        name_rule=dns_subdomain,
        columns=columns("Name", "Age"),
        row=name_and_age,
    ),
)
