"""Priority: the class of a pod becomes its number; there is at most one default class."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.admission.subject import creates
from orchestrator.apiserver.call import Call, Environment
from orchestrator.apiserver.keys import object_key

GROUP = "scheduling.k8s.io"


def set_priority(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    if not creates(call, "Pod", old):
        return
    spec = obj["spec"]
    name = spec.get("priorityClassName", "")
    chosen = _named(env, call, name, obj) if name else _default(env)
    value, policy = 0, "PreemptLowerPriority"
    if chosen is not None:
        spec["priorityClassName"] = chosen["metadata"]["name"]
        value, policy = chosen.get("value", 0), chosen.get("preemptionPolicy", policy)
    _agree(call, obj, "priority", spec.get("priority"), value)
    spec["priority"] = value
    _agree(call, obj, "preemptionPolicy", spec.get("preemptionPolicy"), policy)
    spec["preemptionPolicy"] = policy


def _named(env: Environment, call: Call, name: str, obj: Object) -> Object:
    found = env.mirror.get(object_key(GROUP, "priorityclasses", "", name))
    if found is None:
        raise call.forbidden(f"no PriorityClass with name {name} was found", obj["metadata"].get("name", ""))
    return found


def _default(env: Environment) -> Object | None:
    """The default class with the lowest value: two of them can only be a race."""
    defaults = [one for one in env.mirror.items(GROUP, "priorityclasses") if one.get("globalDefault")]
    return min(defaults, key=lambda one: one.get("value", 0), default=None)


def _agree(call: Call, obj: Object, field: str, found: object, computed: object) -> None:
    if found is None or found == computed:
        return
    name = obj["metadata"].get("name", "")
    if field == "priority":
        raise call.forbidden(
            f"the integer value of priority ({found}) must not be provided in pod spec; "
            f"priority admission controller computed {computed} from the given PriorityClass name",
            name,
        )
    raise call.forbidden(
        f"the string value of PreemptionPolicy ({found}) must not be provided in pod spec; "
        f"priority admission controller computed {computed} from the given PriorityClass name",
        name,
    )
