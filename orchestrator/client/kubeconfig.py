"""Where a cluster is and who we are there: the files that kubectl reads, and what a pod finds inside itself."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from orchestrator.client.errors import KubeconfigError

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVERS = "podium.dev/servers"
"""The extension of a kubeconfig's cluster that names all of its servers."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Access(msgspec.Struct, frozen=True):
    """A server and the credentials for it; PEM where bytes."""

    server: str
    namespace: str = "default"
    authority: bytes = b""
    insecure: bool = False
    certificate: bytes = b""
    key: bytes = b""
    token: str = ""
    token_file: str = ""
    """Read again for each request: tokens in pods are renewed."""
    user: str = ""
    password: str = ""
    server_name: str = ""
    others: tuple[str, ...] = ()
    """More servers of the same cluster, with which one goes on when ``server`` is gone."""

    def next(self) -> Access:
        """The same with the next server."""
        if not self.others:
            return self
        return msgspec.structs.replace(self, server=self.others[0], others=(*self.others[1:], self.server))


def load(path: str | Path | None = None, *, context: str = "", environment: Mapping[str, str] | None = None) -> Access:
    """The access that a kubeconfig's context gives; ``$KUBECONFIG`` or ``~/.kube/config`` when no path is said.

    Raises ``KubeconfigError``.
    """
    variables = os.environ if environment is None else environment
    chosen = Path(path or variables.get("KUBECONFIG", "").split(":")[0] or Path.home() / ".kube" / "config")
    try:
        document = yaml.load(chosen.read_text(), Loader=LOADER)
    except OSError as failure:
        raise KubeconfigError(str(chosen), "a readable file", failure.strerror or str(failure)) from failure
    except yaml.YAMLError as failure:
        raise KubeconfigError(str(chosen), "YAML", str(failure).replace("\n", " ")) from failure
    if not isinstance(document, dict):
        raise KubeconfigError(str(chosen), "a mapping", type(document).__name__)
    return parse(document, str(chosen), context=context)


def parse(document: dict[str, Any], path: str, *, context: str = "") -> Access:
    """The access of one context of a decoded kubeconfig; paths in it are relative to its folder."""
    name = context or document.get("current-context") or ""
    chosen = _named(document, "contexts", name, "context", path)
    cluster = _named(document, "clusters", chosen.get("cluster", ""), "cluster", path)
    user = _named(document, "users", chosen.get("user", ""), "user", path) if chosen.get("user") else {}
    if "server" not in cluster:
        raise KubeconfigError(path, f"a server in the cluster {chosen.get('cluster', '')!r}", "none")
    if "exec" in user or "auth-provider" in user:
        raise KubeconfigError(path, "a certificate, token or password", "a credential plugin")
    folder = Path(path).parent
    return Access(
        server=cluster["server"].rstrip("/"),
        namespace=chosen.get("namespace", "default"),
        authority=_bytes(cluster, "certificate-authority", folder, path),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        certificate=_bytes(user, "client-certificate", folder, path),
        key=_bytes(user, "client-key", folder, path),
        token=user.get("token", ""),
        token_file=str(folder / user["tokenFile"]) if "tokenFile" in user else "",
        user=user.get("username", ""),
        password=user.get("password", ""),
        server_name=cluster.get("tls-server-name", ""),
        others=_others(cluster, path),
    )


def in_cluster(folder: Path = IN_CLUSTER, environment: Mapping[str, str] | None = None) -> Access:
    """What a pod knows of its cluster. Raises ``KubeconfigError`` outside one."""
    variables = os.environ if environment is None else environment
    host, port = variables.get("KUBERNETES_SERVICE_HOST", ""), variables.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").exists():
        raise KubeconfigError(str(folder), "KUBERNETES_SERVICE_HOST and a mounted token", "neither: not in a pod")
    host = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{host}:{port}",
        namespace=(folder / "namespace").read_text().strip(),
        authority=(folder / "ca.crt").read_bytes(),
        token_file=str(folder / "token"),
    )


def _named(document: dict[str, Any], section: str, name: str, word: str, path: str) -> dict[str, Any]:
    for entry in document.get(section) or ():
        if entry.get("name") == name:
            found: dict[str, Any] = entry.get(word) or {}
            return found
    known = ", ".join(entry.get("name", "") for entry in document.get(section) or ()) or "none"
    raise KubeconfigError(path, f"a {word} named {name!r}", known)


def _others(cluster: dict[str, Any], path: str) -> tuple[str, ...]:
    """kubectl knows one server and leaves extensions alone."""
    for entry in cluster.get("extensions") or ():
        if entry.get("name") == SERVERS:
            found = entry.get("extension")
            if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
                raise KubeconfigError(path, f"a list of servers in the extension {SERVERS}", repr(found))
            others = dict.fromkeys(one.rstrip("/") for one in found)
            others.pop(cluster["server"].rstrip("/"), None)
            return tuple(others)
    return ()


def _bytes(section: dict[str, Any], name: str, folder: Path, path: str) -> bytes:
    inline = section.get(f"{name}-data")
    if inline:
        try:
            return base64.b64decode(inline, validate=True)
        except ValueError as failure:
            raise KubeconfigError(path, f"base64 in {name}-data", str(failure)) from failure
    if name not in section:
        return b""
    try:
        content: bytes = (folder / section[name]).read_bytes()
    except OSError as failure:
        raise KubeconfigError(path, f"a readable {name}", f"{section[name]}: {failure.strerror}") from failure
    return content
