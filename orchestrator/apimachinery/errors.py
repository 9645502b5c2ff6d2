"""What the API answers when it refuses: ``Status`` objects with the texts, reasons and codes that clients look at.

Where ``group`` and ``resource`` are asked for, ``resource`` is the plural; an ``invalid`` object names its kind,
as upstream does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.field import FieldError, aggregate
from orchestrator.apimachinery.quoting import quote

OBJECT_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
NO_SUCH_ROUTE = "the server could not find the requested resource"


class StatusError(Exception):
    """A refusal that becomes the answer of a request. ``status`` is a complete ``Status`` object."""

    def __init__(self, status: Object) -> None:
        super().__init__(status.get("message", ""))
        self.status = status

    @property
    def code(self) -> int:
        return int(self.status.get("code", 500))

    @property
    def reason(self) -> str:
        return str(self.status.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.status.get("message", ""))

    def __reduce__(self) -> tuple[Any, ...]:
        return StatusError, (self.status,)


def status(code: int, reason: str, message: str, details: Object | None = None) -> StatusError:
    """A failure with the fields in the order clients see them; empty details are left out."""
    obj: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    if details is not None:
        obj["details"] = {key: value for key, value in details.items() if value}
    obj["code"] = code
    return StatusError(obj)


def from_status(obj: Object) -> StatusError:
    """The error that a received ``Status`` stands for."""
    return StatusError(obj)


def success(group: str = "", resource: str = "", name: str = "", uid: str = "") -> Object:
    """The ``Status`` that answers a delete whose object is gone."""
    details = {"name": name, "group": group, "kind": resource, "uid": uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def qualified(group: str, name: str) -> str:
    """``deployments.apps``, or the name alone in the core group."""
    return f"{name}.{group}" if group else name


def _details(group: str, resource: str, name: str = "", **more: Any) -> Object:
    return {"name": name, "group": group, "kind": resource, **more}


def not_found(group: str, resource: str, name: str) -> StatusError:
    message = f"{qualified(group, resource)} {quote(name)} not found"
    return status(404, "NotFound", message, _details(group, resource, name))


def no_such_route() -> StatusError:
    """A path that leads nowhere: no such group, version, resource or subresource."""
    return status(404, "NotFound", NO_SUCH_ROUTE, {})


def already_exists(group: str, resource: str, name: str) -> StatusError:
    message = f"{qualified(group, resource)} {quote(name)} already exists"
    return status(409, "AlreadyExists", message, _details(group, resource, name))


def generate_name_conflict(group: str, resource: str, name: str, retry_seconds: int = 1) -> StatusError:
    message = (
        f"{qualified(group, resource)} {quote(name)} already exists, "
        "the server was not able to generate a unique name for the object"
    )
    return status(409, "AlreadyExists", message, _details(group, resource, name, retryAfterSeconds=retry_seconds))


def conflict(group: str, resource: str, name: str, why: str = OBJECT_MODIFIED) -> StatusError:
    message = f"Operation cannot be fulfilled on {qualified(group, resource)} {quote(name)}: {why}"
    return status(409, "Conflict", message, _details(group, resource, name))


def apply_conflict(message: str, causes: Sequence[Object]) -> StatusError:
    """Causes have reason ``FieldManagerConflict``, a message and the field."""
    return status(409, "Conflict", message, {"causes": list(causes)})


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422 with one cause for each error; ``kind`` is the kind, not the resource."""
    causes = [_cause(error) for error in errors]
    message = f"{qualified(group, kind)} {quote(name)} is invalid"
    if errors:
        message = f"{message}: {aggregate(errors)}"
    return status(422, "Invalid", message, _details(group, kind, name, causes=causes))


def _cause(error: FieldError) -> Object:
    cause = {"reason": str(error.type), "message": error.body(), "field": error.field}
    return {key: value for key, value in cause.items() if value}


def bad_request(message: str) -> StatusError:
    return status(400, "BadRequest", message)


def rejected() -> StatusError:
    """422 without details: a JSON patch that does not apply, as upstream answers it."""
    return status(422, "Invalid", "the server rejected our request due to an error in our request", {})


def unauthorized(message: str = "Unauthorized") -> StatusError:
    return status(401, "Unauthorized", message)


def forbidden(group: str, resource: str, name: str, why: str) -> StatusError:
    if not resource and not group:
        message = f"forbidden: {why}"
    elif name:
        message = f"{qualified(group, resource)} {quote(name)} is forbidden: {why}"
    else:
        message = f"{qualified(group, resource)} is forbidden: {why}"
    return status(403, "Forbidden", message, _details(group, resource, name))


def method_not_allowed(group: str, resource: str, action: str) -> StatusError:
    message = f"{action} is not supported on resources of kind {quote(qualified(group, resource))}"
    return status(405, "MethodNotAllowed", message, _details(group, resource))


def method_not_served() -> StatusError:
    """405 of a path that has no such method at all."""
    text = "the server does not allow this method on the requested resource"
    return status(405, "MethodNotAllowed", text, {})


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    message = f"only the following media types are accepted: {', '.join(accepted)}"
    return status(406, "NotAcceptable", message)


def unsupported_media_type(accepted: Sequence[str]) -> StatusError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return status(415, "UnsupportedMediaType", message)


def expired(message: str) -> StatusError:
    """410: what was asked for is older than what is kept."""
    return status(410, "Expired", message)


def gone(message: str) -> StatusError:
    return status(410, "Gone", message)


def too_large(message: str) -> StatusError:
    return status(413, "RequestEntityTooLarge", f"Request entity too large: {message}")


def too_many_requests(message: str, retry_seconds: int = 1) -> StatusError:
    return status(429, "TooManyRequests", message, {"retryAfterSeconds": retry_seconds})


def timeout(message: str, retry_seconds: int = 0) -> StatusError:
    return status(504, "Timeout", f"Timeout: {message}", {"retryAfterSeconds": retry_seconds})


def too_large_resource_version(asked: int, current: int, retry_seconds: int = 1) -> StatusError:
    """A read at a revision that does not exist yet."""
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return status(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": retry_seconds})


def server_timeout(group: str, resource: str, operation: str, retry_seconds: int = 0) -> StatusError:
    message = (
        f"The {operation} operation against {qualified(group, resource)} "
        "could not be completed at this time, please try again."
    )
    return status(500, "ServerTimeout", message, _details(group, resource, operation, retryAfterSeconds=retry_seconds))


def internal(message: str) -> StatusError:
    details = {"causes": [{"message": message}]}
    return status(500, "InternalError", f"Internal error occurred: {message}", details)


def service_unavailable(message: str) -> StatusError:
    return status(503, "ServiceUnavailable", message)
