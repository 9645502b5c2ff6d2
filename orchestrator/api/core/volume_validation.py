"""What must hold of the volumes of a pod."""

from __future__ import annotations

from orchestrator.api.core.container_validation import descending_path
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.names import dns_label
from orchestrator.apimachinery.quantity import QuantityError, compare

MAX_MODE = 0o777
_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"
_PLAIN = ("emptyDir", "projected")
_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def validate_volumes(volumes: list[Object], path: Path) -> tuple[dict[str, Object], list[FieldError]]:
    """The volumes by name, and what is wrong with them."""
    named: dict[str, Object] = {}
    errors: list[FieldError] = []
    for position, volume in enumerate(volumes):
        name = volume.get("name")
        if not name:
            errors.append(required(path.index(position).child("name")))
        elif texts := dns_label(name):
            errors.extend(invalid(path.index(position).child("name"), name, text) for text in texts)
        elif name in named:
            errors.append(duplicate(path.index(position).child("name"), name))
        if name:
            named.setdefault(name, volume)
        sources = [key for key in volume if key != "name"]
        if len(sources) != 1:
            _validate_count(sources, path.index(position), errors)
        if sources and sources[0] not in _PLAIN:
            _validate_source(sources[0], volume[sources[0]], path.index(position).child(sources[0]), errors)
        elif volume.get("emptyDir"):
            _validate_empty_dir(volume["emptyDir"], path.index(position).child("emptyDir"), errors)
    return named, errors


def _validate_count(sources: list[str], path: Path, errors: list[FieldError]) -> None:
    if not sources:
        errors.append(required(path, "must specify a volume type"))
    errors.extend(forbidden(path.child(key), "may not specify more than 1 volume type") for key in sources[1:])


def _validate_empty_dir(source: Object, path: Path, errors: list[FieldError]) -> None:
    size = source.get("sizeLimit")
    try:
        if size is not None and compare(size, "0") < 0:
            errors.append(forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"))
    except QuantityError as error:
        errors.append(invalid(path.child("sizeLimit"), size, str(error)))


def _validate_source(kind: str, source: Object, path: Path, errors: list[FieldError]) -> None:
    if kind in ("configMap", "secret", "downwardAPI"):
        _validate_files(kind, source, path, errors)
    elif kind == "hostPath":
        _validate_host_path(source, path, errors)
    elif kind == "persistentVolumeClaim":
        if not source.get("claimName"):
            errors.append(required(path.child("claimName")))
    elif kind == "nfs":
        errors.extend(required(path.child(key)) for key in ("server", "path") if not source.get(key))
    elif kind == "csi":
        if not source.get("driver"):
            errors.append(required(path.child("driver")))
    elif kind == "ephemeral" and not source.get("volumeClaimTemplate"):
        errors.append(required(path.child("volumeClaimTemplate")))


def _validate_files(kind: str, source: Object, path: Path, errors: list[FieldError]) -> None:
    if kind == "configMap" and not source.get("name"):
        errors.append(required(path.child("name")))
    if kind == "secret" and not source.get("secretName"):
        errors.append(required(path.child("secretName")))
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= MAX_MODE:
        errors.append(invalid(path.child("defaultMode"), mode, _MODE_TEXT))
    for position, item in enumerate(source.get("items") or ()):
        place = path.child("items").index(position)
        if kind != "downwardAPI" and not item.get("key"):
            errors.append(required(place.child("key")))
        if not item.get("path"):
            errors.append(required(place.child("path")))
        else:
            errors.extend(descending_path(item["path"], place.child("path")))
        mode = item.get("mode")
        if mode is not None and not 0 <= mode <= MAX_MODE:
            errors.append(invalid(place.child("mode"), mode, _MODE_TEXT))


def _validate_host_path(source: Object, path: Path, errors: list[FieldError]) -> None:
    target = source.get("path")
    if not target:
        errors.append(required(path.child("path")))
    elif ".." in target.split("/"):
        errors.append(invalid(path.child("path"), target, "must not contain '..'"))
    if source.get("type", "") not in _HOST_PATH_TYPES:
        errors.append(not_supported(path.child("type"), source["type"], _HOST_PATH_TYPES))
