"""What must hold of the parts of a pod that say where it may run."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.names import label_key, label_value
from orchestrator.apimachinery.selectors import validate_label_selector

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def validate_tolerations(tolerations: list[Object], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for position, toleration in enumerate(tolerations):
        _validate_toleration(toleration, path.index(position), errors)
    return errors


def _validate_toleration(toleration: Object, path: Path, errors: list[FieldError]) -> None:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    value, effect = toleration.get("value") or "", toleration.get("effect") or ""
    if key and (texts := label_key(key)):
        errors.extend(invalid(path.child("key"), key, text) for text in texts)
    if not key and operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        errors.append(invalid(path.child("operator"), operator, text))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        errors.append(invalid(path.child("effect"), effect, text))
    if operator in ("", "Equal"):
        if texts := label_value(value):
            errors.extend(invalid(path.child("operator"), value, text) for text in texts)
    elif operator == "Exists":
        if value:
            text = "value must be empty when `operator` is 'Exists'"
            errors.append(invalid(path.child("operator"), toleration, text))
    else:
        errors.append(not_supported(path.child("operator"), operator, ("Equal", "Exists")))
    if effect and effect not in EFFECTS:
        errors.append(not_supported(path.child("effect"), effect, EFFECTS))


def validate_affinity(affinity: Object, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    node = affinity.get("nodeAffinity")
    if node:
        _validate_node_affinity(node, path.child("nodeAffinity"), errors)
    for key in ("podAffinity", "podAntiAffinity"):
        if affinity.get(key):
            _validate_pod_affinity(affinity[key], path.child(key), errors)
    return errors


def _validate_node_affinity(affinity: Object, path: Path, errors: list[FieldError]) -> None:
    demanded = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if demanded is not None:
        place = path.child("requiredDuringSchedulingIgnoredDuringExecution")
        errors.extend(validate_node_selector(demanded, place))
    place = path.child("preferredDuringSchedulingIgnoredDuringExecution")
    for position, term in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        _validate_weight(term, place.index(position), errors)
        _validate_node_term(term.get("preference") or {}, place.index(position).child("preference"), errors)


def validate_node_selector(selector: Object, path: Path) -> list[FieldError]:
    terms = selector.get("nodeSelectorTerms") or []
    place = path.child("nodeSelectorTerms")
    if not terms:
        return [required(place, "must have at least one node selector term")]
    errors: list[FieldError] = []
    for position, term in enumerate(terms):
        _validate_node_term(term, place.index(position), errors)
    return errors


def _validate_node_term(term: Object, path: Path, errors: list[FieldError]) -> None:
    for position, need in enumerate(term.get("matchExpressions") or ()):
        _validate_node_need(need, path.child("matchExpressions").index(position), errors)
    for position, need in enumerate(term.get("matchFields") or ()):
        place = path.child("matchFields").index(position)
        if need.get("operator") not in ("In", "NotIn"):
            text = "not a valid selector operator"
            errors.append(invalid(place.child("operator"), need.get("operator") or "", text))
        elif len(need.get("values") or ()) != 1:
            text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            errors.append(required(place.child("values"), text))
        if need.get("key") != "metadata.name":
            errors.append(invalid(place.child("key"), need.get("key") or "", "not a valid field selector key"))


def _validate_node_need(need: Object, path: Path, errors: list[FieldError]) -> None:
    operator, values = need.get("operator") or "", need.get("values") or []
    place = path.child("values")
    if operator in ("In", "NotIn") and not values:
        errors.append(required(place, "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist") and values:
        errors.append(forbidden(place, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    elif operator in ("Gt", "Lt") and len(values) != 1:
        errors.append(required(place, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    elif operator not in _NODE_OPERATORS:
        errors.append(invalid(path.child("operator"), operator, "not a valid selector operator"))
    key = need.get("key") or ""
    errors.extend(invalid(path.child("key"), key, text) for text in label_key(key))


def _validate_weight(term: Object, path: Path, errors: list[FieldError]) -> None:
    weight = term.get("weight") or 0
    if not 1 <= weight <= 100:
        errors.append(invalid(path.child("weight"), weight, "must be in the range 1-100"))


def _validate_pod_affinity(affinity: Object, path: Path, errors: list[FieldError]) -> None:
    place = path.child("requiredDuringSchedulingIgnoredDuringExecution")
    for position, term in enumerate(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
        _validate_pod_term(term, place.index(position), errors)
    place = path.child("preferredDuringSchedulingIgnoredDuringExecution")
    for position, term in enumerate(affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        _validate_weight(term, place.index(position), errors)
        _validate_pod_term(term.get("podAffinityTerm") or {}, place.index(position).child("podAffinityTerm"), errors)


def _validate_pod_term(term: Object, path: Path, errors: list[FieldError]) -> None:
    errors.extend(validate_label_selector(term.get("labelSelector"), path.child("labelSelector")))
    errors.extend(validate_label_selector(term.get("namespaceSelector"), path.child("namespaceSelector")))
    key = term.get("topologyKey")
    if not key:
        errors.append(required(path.child("topologyKey"), "can not be empty"))
    else:
        errors.extend(invalid(path.child("topologyKey"), key, text) for text in label_key(key))


def validate_spread(constraints: list[Object], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for position, each in enumerate(constraints):
        place = path.index(position)
        skew, key, action = each.get("maxSkew") or 0, each.get("topologyKey"), each.get("whenUnsatisfiable")
        if skew <= 0:
            errors.append(invalid(place.child("maxSkew"), skew, "must be greater than 0"))
        if not key:
            errors.append(required(place.child("topologyKey"), "can not be empty"))
        else:
            errors.extend(invalid(place.child("topologyKey"), key, text) for text in label_key(key))
        if action not in _UNSATISFIABLE:
            errors.append(not_supported(place.child("whenUnsatisfiable"), action or "", _UNSATISFIABLE))
        if (key or "", action or "") in seen:
            pair = f"{{{key}, {action}}}"
            errors.append(duplicate(place.child("{topologyKey, whenUnsatisfiable}"), pair))
        seen.add((key or "", action or ""))
        errors.extend(_validate_domains(each, place))
        errors.extend(validate_label_selector(each.get("labelSelector"), place.child("labelSelector")))
    return errors


def _validate_domains(constraint: Object, path: Path) -> list[FieldError]:
    domains = constraint.get("minDomains")
    if domains is None:
        return []
    errors: list[FieldError] = []
    if domains <= 0:
        errors.append(invalid(path.child("minDomains"), domains, "must be greater than 0"))
    action = constraint.get("whenUnsatisfiable")
    if action != "DoNotSchedule":
        text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        errors.append(invalid(path.child("minDomains"), domains, text))
    return errors
