"""What must hold of a pod's spec and of a pod template."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from orchestrator.api.core.container_validation import validate_containers, validate_resources, validate_seccomp
from orchestrator.api.core.placement_validation import validate_affinity, validate_spread, validate_tolerations
from orchestrator.api.core.volume_validation import validate_volumes
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, duplicate, forbidden, invalid, not_supported, required
from orchestrator.apimachinery.meta import validate_annotations, validate_labels
from orchestrator.apimachinery.names import dns_label, dns_subdomain, label_key

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
MAX_INT32 = 2**31 - 1
_NAMES = {
    "serviceAccountName": dns_subdomain,
    "nodeName": dns_subdomain,
    "hostname": dns_label,
    "subdomain": dns_label,
    "priorityClassName": dns_subdomain,
    "runtimeClassName": dns_subdomain,
}
_SPEC = Path("spec")


def validate_pod(pod: Object) -> list[FieldError]:
    return validate_pod_spec(pod.get("spec") or {}, _SPEC)


def validate_template(template: Object, path: Path, restart: Sequence[str] = RESTART_POLICIES) -> list[FieldError]:
    """A PodTemplateSpec; ``restart`` are the policies that its owner's kind allows."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    errors = validate_labels(meta.get("labels") or {}, path.child("labels"))
    errors.extend(validate_annotations(meta.get("annotations") or {}, path.child("annotations")))
    place = path.child("spec")
    errors.extend(validate_pod_spec(spec, place))
    policy = spec.get("restartPolicy") or ""
    if policy in RESTART_POLICIES and policy not in restart:
        errors.append(not_supported(place.child("restartPolicy"), policy, restart))
    if spec.get("activeDeadlineSeconds") is not None and restart == ("Always",):
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        errors.append(forbidden(place.child("activeDeadlineSeconds"), text))
    return errors


def validate_pod_spec(spec: Object, path: Path) -> list[FieldError]:
    volumes, errors = validate_volumes(spec.get("volumes") or [], path.child("volumes"))
    errors.extend(validate_containers(spec, volumes, path))
    _validate_policies(spec, path, errors)
    selector = spec.get("nodeSelector")
    if selector:
        errors.extend(validate_labels(selector, path.child("nodeSelector")))
    for key, rule in _NAMES.items():
        name = spec.get(key)
        if name and (texts := rule(name)):
            errors.extend(invalid(path.child(key), name, text) for text in texts)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        text = f"must be between 1 and {MAX_INT32}, inclusive"
        errors.append(invalid(path.child("activeDeadlineSeconds"), deadline, text))
    for key, validate in _PARTS:
        part = spec.get(key)
        if part:
            errors.extend(validate(part, path.child(key)))
    if spec.get("hostNetwork"):
        _validate_host_network(spec, path, errors)
    return errors


def _validate_policies(spec: Object, path: Path, errors: list[FieldError]) -> None:
    restart, dns, preemption = spec.get("restartPolicy"), spec.get("dnsPolicy"), spec.get("preemptionPolicy")
    if restart not in RESTART_POLICIES:
        errors.append(not_supported(path.child("restartPolicy"), restart, RESTART_POLICIES))
    if dns not in DNS_POLICIES:
        errors.append(not_supported(path.child("dnsPolicy"), dns, DNS_POLICIES))
    elif dns == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        errors.append(required(path.child("dnsConfig", "nameservers"), text))
    if preemption is not None and preemption not in _PREEMPTION:
        errors.append(not_supported(path.child("preemptionPolicy"), preemption, _PREEMPTION))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.append(invalid(path.child("shareProcessNamespace"), True, text))


def _validate_host_network(spec: Object, path: Path, errors: list[FieldError]) -> None:
    for position, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort") != port.get("containerPort"):
                place = path.child("containers").index(position).child("ports").index(number)
                text = "must match `hostPort` when `hostNetwork` is true"
                errors.append(invalid(place.child("containerPort"), port.get("containerPort"), text))


def _validate_security(security: Object, path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for key in ("runAsUser", "runAsGroup", "fsGroup"):
        number = security.get(key)
        if number is not None and not 0 <= number <= MAX_INT32:
            errors.append(invalid(path.child(key), number, f"must be between 0 and {MAX_INT32}, inclusive"))
    for position, number in enumerate(security.get("supplementalGroups") or ()):
        if not 0 <= number <= MAX_INT32:
            place = path.child("supplementalGroups").index(position)
            errors.append(invalid(place, number, f"must be between 0 and {MAX_INT32}, inclusive"))
    change = security.get("fsGroupChangePolicy")
    if change not in (None, "OnRootMismatch", "Always"):
        errors.append(not_supported(path.child("fsGroupChangePolicy"), change, ("Always", "OnRootMismatch")))
    errors.extend(validate_seccomp(security.get("seccompProfile"), path.child("seccompProfile")))
    return errors


def _validate_gates(gates: list[Object], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for position, gate in enumerate(gates):
        name = gate.get("name") or ""
        errors.extend(invalid(path.index(position), name, text) for text in label_key(name))
        if name in seen:
            errors.append(duplicate(path.index(position), name))
        seen.add(name)
    return errors


def _validate_readiness(gates: list[Object], path: Path) -> list[FieldError]:
    return [
        invalid(path.index(position).child("conditionType"), gate.get("conditionType") or "", text)
        for position, gate in enumerate(gates)
        for text in label_key(gate.get("conditionType") or "")
    ]


def _validate_host_aliases(aliases: list[Object], path: Path) -> list[FieldError]:
    errors: list[FieldError] = []
    for position, alias in enumerate(aliases):
        address = alias.get("ip") or ""
        if not is_address(address):
            errors.append(invalid(path.index(position).child("ip"), address, ADDRESS_TEXT))
        for number, name in enumerate(alias.get("hostnames") or ()):
            place = path.index(position).child("hostnames").index(number)
            errors.extend(invalid(place, name, text) for text in dns_subdomain(name))
    return errors


def _validate_pull_secrets(secrets: list[Object], path: Path) -> list[FieldError]:
    return [
        required(path.index(position).child("name")) for position, each in enumerate(secrets) if not each.get("name")
    ]


ADDRESS_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def is_address(text: str) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


_PARTS = (
    ("securityContext", _validate_security),
    ("affinity", validate_affinity),
    ("tolerations", validate_tolerations),
    ("topologySpreadConstraints", validate_spread),
    ("schedulingGates", _validate_gates),
    ("readinessGates", _validate_readiness),
    ("hostAliases", _validate_host_aliases),
    ("imagePullSecrets", _validate_pull_secrets),
    ("resources", validate_resources),
)
