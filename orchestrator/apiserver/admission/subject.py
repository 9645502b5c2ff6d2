"""What kind of write a plugin looks at."""

from __future__ import annotations

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.call import Call


def creates(call: Call, kind: str, old: Object | None) -> bool:
    """Whether this is the create of an object of a core ``kind``."""
    resource = call.resource
    return old is None and resource.kind == kind and not resource.group and not call.subresource
