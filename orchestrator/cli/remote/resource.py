"""One served resource, and the paths of its objects."""

from __future__ import annotations

from urllib.parse import quote

import msgspec


class Resource(msgspec.Struct, frozen=True):
    """As discovery describes it; ``preferred`` says whether its version is the one to use."""

    group: str
    version: str
    resource: str
    singular: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    preferred: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def plural_name(self) -> str:
        """``deployments.apps``"""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    def title(self, name: str) -> str:
        """What a person calls the object: ``deployment.apps/web``."""
        singular = self.singular or self.kind.lower()
        return f"{singular}.{self.group}/{name}" if self.group else f"{singular}/{name}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """``/apis/apps/v1/namespaces/default/deployments/web/scale``; no namespace: all of them."""
        parts = [f"/apis/{self.group}" if self.group else "/api", self.version]
        if namespace and self.namespaced:
            parts += ["namespaces", quote(namespace)]
        parts += [part for part in (self.resource, quote(name), subresource) if part]
        return "/".join(parts)
