"""``pods/ephemeralcontainers``: containers for a look inside, which may be added to a pod and never taken away."""

from __future__ import annotations

from orchestrator.api.core.pod_validation import validate_pod
from orchestrator.apimachinery import errors
from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, Path, forbidden
from orchestrator.apiserver.call import Call, Environment

FIELD = "ephemeralContainers"
PATH = Path("spec").child(FIELD)


def only_ephemeral(obj: Object, old: Object) -> None:
    """Whatever else was sent, the rest of the pod stays as it is."""
    sent = (obj.get("spec") or {}).get(FIELD)
    spec = {key: value for key, value in old["spec"].items() if key != FIELD}
    obj["spec"] = spec | ({FIELD: sent} if sent else {})


def validate_ephemeral(obj: Object, old: Object) -> list[FieldError]:
    found = validate_pod(obj)
    after = {one.get("name"): one for one in obj["spec"].get(FIELD) or ()}
    for container in old["spec"].get(FIELD) or ():
        name = container["name"]
        if name not in after:
            found.append(forbidden(PATH, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif after[name] != container:
            found.append(forbidden(PATH, f'existing ephemeral containers "{name}" may not be changed\n'))
    return found


def check_pod(env: Environment, call: Call, obj: Object, old: Object | None) -> None:
    """A new pod has none. Raises Invalid."""
    if old is None and obj["spec"].get(FIELD):
        wrong = forbidden(PATH, "cannot be set on create")
        raise errors.invalid("", "Pod", obj["metadata"].get("name", ""), [wrong])
