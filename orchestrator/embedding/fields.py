"""A Kubernetes object by attributes: ``pod.spec.nodeName`` beside ``pod["spec"]["nodeName"]``."""

from __future__ import annotations

from typing import Any


class Fields(dict[str, Any]):
    """A dict whose fields are attributes too, all the way down.

    A field with the name of a dict's method (``items``, ``values``) is reached by ``[...]`` only. One that is not there
    raises ``AttributeError`` and says which are; ``.get(name)`` does not.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"expected a field {name!r}, found {', '.join(self) or 'no field'}") from None


def fields(value: Any) -> Any:
    """``value`` with every mapping in it as ``Fields``; the value itself is not changed."""
    if isinstance(value, dict):
        return Fields({name: fields(held) for name, held in value.items()})
    if isinstance(value, list):
        return [fields(held) for held in value]
    return value
