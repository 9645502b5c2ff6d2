"""LimitRanger: a namespace's LimitRanges fill in requests and limits, and bound them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.quantity import Quantity
from orchestrator.apiserver.admission.subject import creates
from orchestrator.apiserver.call import Call, Environment

ANNOTATION = "kubernetes.io/limit-ranger"
WORDS = {"requests": "request", "limits": "limit"}


def apply_limits(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if not creates(call, "Pod", old):
        return
    told: list[str] = []
    for limit_range in env.mirror.items("", "limitranges", call.namespace):
        for limit in _limits(limit_range, "Container"):
            _fill(obj["spec"], limit, told)
    if told:
        annotations = obj["metadata"].get("annotations") or {}
        obj["metadata"]["annotations"] = annotations | {ANNOTATION: "LimitRanger plugin set: " + "; ".join(told)}


def _limits(limit_range: Object, kind: str) -> Iterator[Object]:
    return (limit for limit in (limit_range.get("spec") or {}).get("limits") or () if limit.get("type") == kind)


def _fill(spec: Object, limit: Object, told: list[str]) -> None:
    """``told`` gets a word for each container and kind of bound that was filled in."""
    defaults = {"requests": limit.get("defaultRequest") or {}, "limits": limit.get("default") or {}}
    for kind, word in (("containers", "container"), ("initContainers", "init container")):
        if kind in spec:
            spec[kind] = [_filled(container, defaults, word, told) for container in spec[kind]]


def _filled(container: Object, defaults: dict[str, Object], word: str, told: list[str]) -> Object:
    resources = dict(container.get("resources") or {})
    for part, values in defaults.items():
        missing = {name: value for name, value in values.items() if name not in (resources.get(part) or {})}
        if missing:
            resources[part] = (resources.get(part) or {}) | missing
            names = ", ".join(sorted(missing))
            told.append(f"{names} {WORDS[part]} for {word} {container.get('name', '')}")
    return container | {"resources": resources}


def check_limits(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """Raises Forbidden with every bound that is broken."""
    pod, claim = creates(call, "Pod", old), creates(call, "PersistentVolumeClaim", old)
    if not pod and not claim:
        return
    for limit_range in env.mirror.items("", "limitranges", call.namespace):
        broken = list(_broken(limit_range, obj, pod))
        if broken:
            text = broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]"
            raise call.forbidden(text, obj["metadata"].get("name", ""))


def _broken(limit_range: Object, obj: Object, pod: bool) -> Iterator[str]:
    if not pod:
        requests = {"requests": (obj["spec"].get("resources") or {}).get("requests") or {}}
        for limit in _limits(limit_range, "PersistentVolumeClaim"):
            yield from _bounds(limit, requests, "PersistentVolumeClaim", requests_only=True)
        return
    containers = [*(obj["spec"].get("initContainers") or ()), *(obj["spec"].get("containers") or ())]
    for limit in _limits(limit_range, "Container"):
        for container in containers:
            yield from _bounds(limit, container.get("resources") or {}, "Container")
    for limit in _limits(limit_range, "Pod"):
        yield from _bounds(limit, pod_resources(obj["spec"]), "Pod")


def _bounds(limit: Object, resources: Object, kind: str, requests_only: bool = False) -> Iterator[str]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, least in sorted((limit.get("min") or {}).items()):
        yield from _at_least(name, least, requests, "request", kind)
        if not requests_only and name in limits and _less(limits[name], least):
            yield f"minimum {name} usage per {kind} is {least}, but limit is {limits[name]}"
    for name, most in sorted((limit.get("max") or {}).items()):
        found = requests if requests_only else limits
        word = "request" if requests_only else "limit"
        if name not in found:
            yield f"maximum {name} usage per {kind} is {most}.  No {word} is specified"
        elif _less(most, found[name]):
            yield f"maximum {name} usage per {kind} is {most}, but {word} is {found[name]}"
    for name, ratio in sorted((limit.get("maxLimitRequestRatio") or {}).items()):
        yield from _ratio(name, ratio, requests, limits, kind)


def _at_least(name: str, least: str, found: Object, word: str, kind: str) -> Iterator[str]:
    if name not in found:
        yield f"minimum {name} usage per {kind} is {least}.  No {word} is specified"
    elif _less(found[name], least):
        yield f"minimum {name} usage per {kind} is {least}, but {word} is {found[name]}"


def _ratio(name: str, ratio: str, requests: Object, limits: Object, kind: str) -> Iterator[str]:
    head = f"{name} max limit to request ratio per {kind} is {ratio}"
    request, limit = Quantity.parse(requests.get(name, "0")), Quantity.parse(limits.get(name, "0"))
    if not request or not limit:
        yield (
            f"{head}, but no request is specified or request is 0"
            if not request
            else f"{head}, but no limit is specified or limit is 0"
        )
    elif limit.as_float() / request.as_float() > Quantity.parse(ratio).as_float():
        yield f"{head}, but provided ratio is {limit.as_float() / request.as_float():f}"


def _less(left: str, right: str) -> bool:
    return Quantity.parse(left) < Quantity.parse(right)


def pod_resources(spec: Object) -> Object:
    """Requests and limits of a whole pod: the sum of its containers or its largest init container, and its overhead."""
    total: Object = {}
    for part in ("requests", "limits"):
        sums: dict[str, Quantity] = {}
        for container in spec.get("containers") or ():
            for name, value in ((container.get("resources") or {}).get(part) or {}).items():
                sums[name] = sums.get(name, Quantity.of(0)) + Quantity.parse(value)
        for container in spec.get("initContainers") or ():
            for name, value in ((container.get("resources") or {}).get(part) or {}).items():
                sums[name] = max(sums.get(name, Quantity.of(0)), Quantity.parse(value))
        for name, value in (spec.get("overhead") or {}).items():
            if part == "requests" or name in sums:
                sums[name] = sums.get(name, Quantity.of(0)) + Quantity.parse(value)
        total[part] = {name: str(value) for name, value in sums.items()}
    return total
