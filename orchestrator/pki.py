"""The cluster's keys: an authority, the server's certificate, the administrator's, and the key that signs tokens.

Made at the first start, read at the next ones; ``cryptography`` is imported only where a key is made or used.
"""

from __future__ import annotations

import datetime
import fcntl
import hashlib
import ipaddress
import json
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.apiserver import certs
from orchestrator.apiserver.tokens import Tokens
from orchestrator.config import ClusterConfig
from orchestrator.membership import system_name

ADMIN = "podium-admin"
ADMIN_GROUPS = ("system:masters",)
SHARED = ("ca.crt", "ca.key", "admin.crt", "admin.key", "tokens.key")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Pki:
    """``ca_certificate`` is PEM text: what clients trust the server by."""

    ca_certificate: str
    tls: ssl.SSLContext
    tokens: Tokens
    kubeconfig: str


def prepare(config: ClusterConfig, url: str, now: float) -> Pki:
    """The keys in ``<data_dir>/pki``, made where they are missing. ``url`` is what the kubeconfig points at."""
    assert config.data_dir is not None
    assert config.listen is not None
    folder = config.data_dir / "pki"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    ca = _authority(folder, moment)
    hosts = _serving_hosts(config)
    serving = _pair(folder, f"serving-{_word(hosts)}", lambda: certs.make_serving(ca, moment, hosts))
    if config.member:
        name = system_name(config.member)
        _pair(folder, name, lambda: certs.make_node(ca, moment, name))
    admin = _pair(folder, "admin", lambda: certs.make_client(ca, moment, ADMIN, ADMIN_GROUPS))
    issuer = f"https://kubernetes.default.svc.{config.cluster_domain}"
    return Pki(
        ca.certificate.decode(),
        certs.server_context(serving, ca, folder),
        Tokens(_signing_key(folder), issuer),
        json.dumps(certs.kubeconfig(url, ca, admin), indent=2) + "\n",
    )


def make_aside(config: ClusterConfig, url: str, now: float) -> Callable[[], object]:
    """Have a child process make what is missing, while this one does something else: what makes keys stays in memory,
    12 MB of it. What is returned waits for the child. To be called before there are threads; what fails there,
    ``prepare`` meets again."""
    assert config.data_dir is not None
    assert config.listen is not None
    folder = config.data_dir / "pki"
    serving = f"serving-{_word(_serving_hosts(config))}"
    if all((folder / name).exists() for name in (*SHARED, f"{serving}.key")):
        return lambda: None
    child = os.fork()
    if child:
        return lambda: os.waitpid(child, 0)
    try:
        prepare(config, url, now)
    finally:
        os._exit(0)  # no exit handlers and no buffers: those are the parent's


def share(source: Path, target: Path, now: float) -> None:
    """Give a member's data directory the keys that all members of a cluster have in common, made where missing."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    for folder in (source / "pki", target / "pki"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca = _authority(source / "pki", moment)
    _pair(source / "pki", "admin", lambda: certs.make_client(ca, moment, ADMIN, ADMIN_GROUPS))
    _signing_key(source / "pki")
    for name in SHARED:
        if not (target / "pki" / name).exists():
            certs.write_secret(target / "pki" / name, (source / "pki" / name).read_bytes())


def prepare_member(authority: Path, folder: Path, member: int, now: float) -> None:
    """The keys by which a member proves to the others who it is, made by ``authority`` where they are missing."""
    name = system_name(member)
    if all((folder / file).exists() for file in ("ca.crt", f"{name}.crt", f"{name}.key")):
        return
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    for one in (authority, folder):
        one.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca = _authority(authority, moment)
    if not (folder / "ca.crt").exists():
        certs.write_secret(folder / "ca.crt", ca.certificate)
    _pair(folder, name, lambda: certs.make_node(ca, moment, name))


def first_address(cidr: str) -> str:
    """The address of the Service ``kubernetes``: the first of the range."""
    return str(ipaddress.ip_network(cidr)[1])


def _serving_hosts(config: ClusterConfig) -> list[str]:
    assert config.listen is not None
    return certs.serving_hosts(first_address(config.service_cidr), config.cluster_domain, _hosts(config.listen[0]))


def _hosts(listen: str) -> list[str]:
    return list(dict.fromkeys([*LOOPBACK, listen])) if listen not in ("0.0.0.0", "::", "") else list(LOOPBACK)


def _word(hosts: list[str]) -> str:
    return hashlib.sha256(" ".join(sorted(hosts)).encode()).hexdigest()[:12]


def _authority(folder: Path, moment: datetime.datetime) -> certs.Pair:
    """Of several members that start at once one makes it, and the others wait for that."""
    found = certs.Pair.load(folder, "ca")
    if found is not None:
        return found
    lock = os.open(folder / "ca.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _pair(folder, "ca", lambda: certs.make_ca(moment))
    finally:
        os.close(lock)


def _pair(folder: Path, name: str, make: Callable[[], certs.Pair]) -> certs.Pair:
    found = certs.Pair.load(folder, name)
    if found is not None:
        return found
    made = make()
    made.save(folder, name)
    return made


def _signing_key(folder: Path) -> bytes:
    path = folder / "tokens.key"
    if not path.exists():
        certs.write_secret(path, certs.key_pem(certs.new_key()))
    return path.read_bytes()
