"""Defaults of pods and of pod templates, in place."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import QuantityError, canonical_milli

MODE = 0o644
"""Of the files in a volume made from an object."""
TOKEN_SECONDS = 3600
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_REMEMBERED_IMAGES = 4096


def default_pod(pod: Object) -> None:
    """A whole Pod: the spec's defaults and those that templates do not get."""
    spec = pod.setdefault("spec", {})
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        spec["terminationGracePeriodSeconds"] = 1
    default_pod_spec(spec)
    for container in spec.get("containers") or ():
        _default_requests(container)
    for container in spec.get("initContainers") or ():
        _default_requests(container)
    spec.setdefault("enableServiceLinks", True)
    status = pod.get("status")
    if status:
        _default_status(status)


def default_template(template: Object) -> None:
    """A PodTemplateSpec."""
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))


def default_pod_spec(spec: Object) -> None:
    """What a pod and a template have in common."""
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    if not spec.get("dnsPolicy"):
        spec["dnsPolicy"] = "ClusterFirst"
    if not spec.get("restartPolicy"):
        spec["restartPolicy"] = "Always"
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    if not spec.get("schedulerName"):
        spec["schedulerName"] = "default-scheduler"
    host_network = spec.get("hostNetwork") or False
    for container in spec.get("containers") or ():
        _default_container(container, host_network)
    for container in spec.get("initContainers") or ():
        _default_container(container, host_network)
    for container in spec.get("ephemeralContainers") or ():
        _default_container(container, False)
    for volume in spec.get("volumes") or ():
        _default_volume(volume)
    for key in ("overhead",):
        if key in spec:
            canonicalize(spec[key])
    if "resources" in spec:
        canonicalize_resources(spec["resources"])


@lru_cache(_REMEMBERED_IMAGES)
def pull_policy(image: str) -> str:
    """``Always`` for the tag latest or none at all, else ``IfNotPresent``."""
    name, _, digest = image.partition("@")
    last = name.rpartition("/")[2]
    _, colon, tag = last.partition(":")
    if not colon and not digest:
        tag = "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def _default_container(container: Object, host_network: bool) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    resources = container.get("resources")
    if resources:
        canonicalize_resources(resources)
    else:
        container["resources"] = {}
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
        if host_network and not port.get("hostPort"):
            port["hostPort"] = port.get("containerPort", 0)
    for variable in container.get("env") or ():
        source = variable.get("valueFrom")
        if source:
            _default_env_source(source)
    for key in _PROBES:
        probe = container.get(key)
        if probe is not None:
            _default_probe(probe)
    lifecycle = container.get("lifecycle")
    if lifecycle:
        for key in ("postStart", "preStop"):
            _default_http((lifecycle.get(key) or {}).get("httpGet"))


def _default_env_source(source: Object) -> None:
    field = source.get("fieldRef")
    if field is not None and not field.get("apiVersion"):
        field["apiVersion"] = "v1"
    resource = source.get("resourceFieldRef")
    if resource is not None and not resource.get("divisor"):
        resource["divisor"] = "0"


def _default_probe(probe: Object) -> None:
    if not probe.get("timeoutSeconds"):
        probe["timeoutSeconds"] = 1
    if not probe.get("periodSeconds"):
        probe["periodSeconds"] = 10
    if not probe.get("successThreshold"):
        probe["successThreshold"] = 1
    if not probe.get("failureThreshold"):
        probe["failureThreshold"] = 3
    _default_http(probe.get("httpGet"))
    grpc = probe.get("grpc")
    if grpc is not None:
        grpc.setdefault("service", "")


def _default_http(action: Object | None) -> None:
    if action is None:
        return
    if not action.get("path"):
        action["path"] = "/"
    if not action.get("scheme"):
        action["scheme"] = "HTTP"


def canonicalize(amounts: Object | None) -> None:
    """The quantities of a resource list in their canonical text; what is none is left for validation."""
    for name, amount in (amounts or {}).items():
        try:
            amounts[name] = canonical_milli(amount if isinstance(amount, str) else str(amount))  # type: ignore[index]
        except QuantityError:
            continue


def canonicalize_resources(resources: Object) -> None:
    """Limits and requests."""
    canonicalize(resources.get("limits"))
    canonicalize(resources.get("requests"))


def _default_requests(container: Object) -> None:
    """Requests that are not given are the limits."""
    limits = container["resources"].get("limits")
    if not limits:
        return
    requests = container["resources"].setdefault("requests", {})
    for name, amount in limits.items():
        requests.setdefault(name, amount)


def _default_volume(volume: Object) -> None:
    if len(volume) <= 1:
        volume["emptyDir"] = {}
        return
    for source in ("configMap", "secret", "downwardAPI", "projected"):
        if (content := volume.get(source)) is not None:
            if content.get("defaultMode") is None:
                content["defaultMode"] = MODE
            _default_items(content)
            for projection in content.get("sources") or ():
                _default_projection(projection)
    for source, default in _SOURCES.items():
        if (content := volume.get(source)) is not None:
            for key, value in default.items():
                content.setdefault(key, value)
    empty = volume.get("emptyDir")
    if empty and empty.get("sizeLimit") is not None:
        canonicalize_one(empty, "sizeLimit")
    image = volume.get("image")
    if image is not None and not image.get("pullPolicy"):
        image["pullPolicy"] = pull_policy(image.get("reference") or "")
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim:
        default_claim_spec(claim.setdefault("spec", {}))


_SOURCES: dict[str, dict[str, Any]] = {
    "hostPath": {"type": ""},
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "azureDisk": {"cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared"},
}


def _default_items(content: Object) -> None:
    for item in content.get("items") or ():
        _default_env_source(item)


def _default_projection(projection: Object) -> None:
    token = projection.get("serviceAccountToken")
    if token is not None and token.get("expirationSeconds") is None:
        token["expirationSeconds"] = TOKEN_SECONDS
    downward = projection.get("downwardAPI")
    if downward is not None:
        _default_items(downward)


def canonicalize_one(holder: Object, key: str) -> None:
    """One quantity field."""
    amount = holder[key]
    try:
        holder[key] = canonical_milli(amount if isinstance(amount, str) else str(amount))
    except QuantityError:
        return


def default_claim_spec(spec: Object) -> None:
    """Of a PersistentVolumeClaim or its template."""
    if not spec.get("volumeMode"):
        spec["volumeMode"] = "Filesystem"
    if spec.get("resources"):
        canonicalize_resources(spec["resources"])
    else:
        spec["resources"] = {}


def _default_status(status: Object) -> None:
    """``podIP`` and ``podIPs`` tell the same; the single one wins."""
    address, addresses = status.get("podIP"), status.get("podIPs")
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        status["podIP"] = addresses[0].get("ip", "")
