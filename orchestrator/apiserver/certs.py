"""Keys and certificates of a cluster: its CA, the server's, the clients'; all ECDSA P-256, made at the first start.

``cryptography`` is imported when something is made or read, not before: an embedded cluster needs none of it.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.apimachinery.encoded import Object

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CA_DAYS = 3650
CERT_DAYS = 365
SKEW = datetime.timedelta(hours=1)
"""How long before now a certificate is good already: clocks differ."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes

    def save(self, folder: Path, name: str) -> None:
        """``<name>.crt``, then, whole and for its owner only, ``<name>.key``: with that the pair is there."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.crt").write_bytes(self.certificate)
        write_secret(folder / f"{name}.key", self.key)

    @classmethod
    def load(cls, folder: Path, name: str) -> Pair | None:
        """None when it was never made."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        return cls(certificate.read_bytes(), key.read_bytes()) if certificate.exists() and key.exists() else None


def write_secret(path: Path, data: bytes) -> None:
    """A file for its owner alone. Whoever reads it finds all of it or what was there before."""
    draft = path.with_name(path.name + ".part")
    draft.touch(mode=0o600)
    draft.chmod(0o600)
    draft.write_bytes(data)
    draft.replace(path)


def new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def load_key(pem: bytes) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError(f"expected an ECDSA key, found {type(key).__name__}")
    return key


def make_ca(now: datetime.datetime, name: str = "podium") -> Pair:
    """A self-signed authority."""
    from cryptography import x509

    key = new_key()
    subject = _name(name, ())
    builder = _builder(subject, subject, key, now, CA_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return _signed(builder.add_extension(identifier, critical=False), key, key)


def make_serving(ca: Pair, now: datetime.datetime, hosts: Sequence[str]) -> Pair:
    """The server's certificate, for names and addresses."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    names: list[x509.GeneralName] = [_general(host) for host in dict.fromkeys(hosts)]
    extra = x509.SubjectAlternativeName(names)
    return _issue(ca, now, "kube-apiserver", (), ExtendedKeyUsageOID.SERVER_AUTH, extra)


def make_client(ca: Pair, now: datetime.datetime, user: str, groups: Sequence[str] = ()) -> Pair:
    """A certificate that its holder is ``user`` of ``groups`` by."""
    from cryptography.x509.oid import ExtendedKeyUsageOID

    return _issue(ca, now, user, groups, ExtendedKeyUsageOID.CLIENT_AUTH, None)


def make_node(ca: Pair, now: datetime.datetime, name: str) -> Pair:
    """The certificate by which a member of the store proves its name to the others, whoever of the two calls."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    both = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
    return _issue(ca, now, name, (), both, names)


def server_context(serving: Pair, ca: Pair, folder: Path) -> ssl.SSLContext:
    """TLS that asks for a client certificate and lives without. ``folder`` gets the files of ``serving``."""
    serving.save(folder, "apiserver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "apiserver.crt", folder / "apiserver.key")
    context.load_verify_locations(cadata=ca.certificate.decode())
    context.verify_mode = ssl.CERT_OPTIONAL
    context.num_tickets = 0  # clients of Kubernetes resume no session; two tickets are a sixth of a handshake
    context.set_alpn_protocols(["http/1.1"])
    return context


def kubeconfig(server: str, ca: Pair, client: Pair, name: str = "podium") -> Object:
    """A kubeconfig with everything in it."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _b64(ca.certificate)}}],
        "users": [
            {
                "name": f"{name}-admin",
                "user": {
                    "client-certificate-data": _b64(client.certificate),
                    "client-key-data": _b64(client.key),
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"{name}-admin", "namespace": "default"}}],
        "current-context": name,
    }


def serving_hosts(service_address: str, cluster_domain: str, hosts: Sequence[str]) -> list[str]:
    """Every name and address that the server is called by."""
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{cluster_domain}"]
    return [*hosts, "localhost", "127.0.0.1", *service, service_address]


def _issue(ca: Pair, now: datetime.datetime, user: str, groups: Sequence[str], purpose: Any, extra: Any) -> Pair:
    from cryptography import x509

    issuer = x509.load_pem_x509_certificate(ca.certificate)
    issuer_key, key = load_key(ca.key), new_key()
    builder = _builder(_name(user, groups), issuer.subject, key, now, CERT_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    purposes = purpose if isinstance(purpose, tuple) else (purpose,)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(authority, critical=False)
    if extra is not None:
        builder = builder.add_extension(extra, critical=False)
    return _signed(builder, key, issuer_key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey, signer: EllipticCurvePrivateKey) -> Pair:
    from cryptography.hazmat.primitives import hashes, serialization

    certificate = builder.sign(signer, hashes.SHA256())
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key))


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(user: str, groups: Sequence[str]) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _general(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
