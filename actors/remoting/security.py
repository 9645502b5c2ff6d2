"""How two nodes know each other: by a shared secret, or by certificates. Both sides prove themselves, always."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from pathlib import Path
from typing import Protocol

import msgspec

from actors.remoting.errors import Violation

MIN_SECRET_BYTES = 16
"""A shorter secret could be guessed from a recorded handshake."""


class Secret(msgspec.Struct, frozen=True):
    """Nodes that hold the same ``key`` (at least 16 bytes, random) trust each other.

    The secret never travels and a recorded handshake is of no use later, but what follows is neither encrypted nor
    signed: for Unix sockets, loopback and networks that are trusted. Elsewhere use ``Tls``.
    """

    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) < MIN_SECRET_BYTES:
            raise ValueError(f"expected a secret of at least {MIN_SECRET_BYTES} bytes, found {len(self.key)}")

    def __repr__(self) -> str:
        return "Secret(...)"


class Tls(msgspec.Struct, frozen=True):
    """Both sides show a certificate that ``authority`` signed and that names the node (a DNS name in it). PEM files."""

    certificate: Path
    key: Path
    authority: Path

    def context(self, *, server: bool) -> ssl.SSLContext:
        """TLS 1.3, the peer's certificate required. Host names do not count, node names do: the handshake checks."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority)
        context.load_cert_chain(self.certificate, self.key)
        return context


Security = Secret | Tls


class Prover(Protocol):
    """Proves this side to the other one in a handshake. Pure."""

    method: str

    def prove(self, role: bytes, transcript: bytes) -> bytes:
        """What shows that this side, playing ``role``, is one of ours; ``transcript`` is what was said so far."""
        ...

    def check(self, role: bytes, transcript: bytes, node: str, proof: bytes) -> None:
        """Raise ``Violation`` unless the other side, playing ``role`` under the name ``node``, is one of ours."""
        ...


class SecretProver:
    """HMAC over what both said, which holds a fresh nonce of each; the role keeps a proof from being sent back."""

    method = "secret"

    def __init__(self, secret: Secret) -> None:
        self._key = secret.key

    def prove(self, role: bytes, transcript: bytes) -> bytes:
        return hmac.digest(self._key, role + hashlib.sha256(transcript).digest(), "sha256")

    def check(self, role: bytes, transcript: bytes, node: str, proof: bytes) -> None:
        if not hmac.compare_digest(self.prove(role, transcript), proof):
            raise Violation("secret", f"the proof of {node!r} does not fit the shared secret")


class CertificateProver:
    """TLS has checked who signed the certificate; left is that it is the node's own. ``names``: the DNS names in it."""

    method = "tls"

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def prove(self, role: bytes, transcript: bytes) -> bytes:
        return b""

    def check(self, role: bytes, transcript: bytes, node: str, proof: bytes) -> None:
        if node not in self._names:
            raise Violation("certificate", f"expected a certificate for {node!r}, found one for {sorted(self._names)}")


def dns_names(certificate: dict[str, object] | None) -> frozenset[str]:
    """The DNS names in what ``SSLSocket.getpeercert`` gives."""
    entries = (certificate or {}).get("subjectAltName", ())
    assert isinstance(entries, tuple)
    return frozenset(value for kind, value in entries if kind == "DNS")
