"""What must hold of the environment of a container."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, invalid, not_supported, required
from orchestrator.apimachinery.names import config_key, dns_subdomain, environment_name, label_key

_FIELD_PATHS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def validate_env(variables: list[Object], path: Path, errors: list[FieldError]) -> None:
    """Variables, each with a value or one source."""
    for position, variable in enumerate(variables):
        name = variable.get("name")
        if not name:
            errors.append(required(path.index(position).child("name")))
        elif texts := environment_name(name):
            errors.extend(invalid(path.index(position).child("name"), name, text) for text in texts)
        source = variable.get("valueFrom")
        if source is not None:
            _validate_env_source(variable, source, path.index(position).child("valueFrom"), errors)


def validate_env_from(sources: list[Object], path: Path, errors: list[FieldError]) -> None:
    """The objects whose keys become variables."""
    for position, source in enumerate(sources):
        place = path.index(position)
        kinds = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        if not kinds:
            errors.append(invalid(place, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(kinds) > 1:
            errors.append(invalid(place, "", "may not have more than one field specified at a time"))
        if source.get("prefix"):
            prefix = source["prefix"]
            errors.extend(invalid(place.child("prefix"), prefix, text) for text in environment_name(prefix))


def _validate_env_source(variable: Object, source: Object, path: Path, errors: list[FieldError]) -> None:
    kinds = [key for key in _ENV_SOURCES if source.get(key) is not None]
    if not kinds:
        text = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        errors.append(invalid(path, "", text))
    elif variable.get("value"):
        errors.append(invalid(path, "", "may not be specified when `value` is not empty"))
    elif len(kinds) > 1:
        errors.append(invalid(path, "", "may not have more than one field specified at a time"))
    for key in kinds:
        content, place = source[key], path.child(key)
        if key == "fieldRef":
            _validate_field_path(content, place, errors)
        elif key in ("configMapKeyRef", "secretKeyRef"):
            _validate_key_reference(content, place, errors)


def _validate_field_path(reference: Object, path: Path, errors: list[FieldError]) -> None:
    field = reference.get("fieldPath")
    place = path.child("fieldPath")
    if not field:
        errors.append(required(place))
        return
    base, bracket, rest = field.partition("['")
    if bracket and base in ("metadata.labels", "metadata.annotations") and rest.endswith("']"):
        key = rest[:-2]
        errors.extend(invalid(place, key, text) for text in label_key(key.lower()))
    elif field not in _FIELD_PATHS:
        errors.append(not_supported(place, field, sorted(_FIELD_PATHS)))


def _validate_key_reference(reference: Object, path: Path, errors: list[FieldError]) -> None:
    name, key = reference.get("name"), reference.get("key")
    if name:
        errors.extend(invalid(path.child("name"), name, text) for text in dns_subdomain(name))
    if not key:
        errors.append(required(path.child("key")))
    else:
        errors.extend(invalid(path.child("key"), key, text) for text in config_key(key))
