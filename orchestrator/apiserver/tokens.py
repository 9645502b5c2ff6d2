"""Service account tokens: JWTs signed with an ECDSA key, bound to the objects that they speak for."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orchestrator.apimachinery.encoded import Object
from orchestrator.apiserver.certs import load_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ALGORITHM = "ES256"
COORDINATE_BYTES = 32


class InvalidToken(Exception):
    """A token that nobody is authenticated by; the message says why."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom a token speaks for, and what must still exist for it to be true."""

    namespace: str
    account: str
    account_uid: str
    pod: str = ""
    pod_uid: str = ""
    secret: str = ""
    secret_uid: str = ""
    node: str = ""
    node_uid: str = ""
    audiences: tuple[str, ...] = ()
    id: str = ""


class Tokens:
    """Signs and reads tokens. The key is made by ``certs`` and lives in the data directory: PEM, read when the first
    token needs it, since what reads it takes 8 MB."""

    def __init__(self, pem: bytes, issuer: str) -> None:
        self._pem = pem
        self.issuer = issuer

    @cached_property
    def _key(self) -> EllipticCurvePrivateKey:
        return load_key(self._pem)

    @cached_property
    def _point(self) -> tuple[str, str]:
        """Of the public key, each coordinate in base64."""
        numbers = self._key.public_key().public_numbers()
        return _b64(numbers.x.to_bytes(COORDINATE_BYTES, "big")), _b64(numbers.y.to_bytes(COORDINATE_BYTES, "big"))

    @cached_property
    def key_id(self) -> str:
        return _b64(hashlib.sha256(".".join(self._point).encode()).digest())

    def sign(self, claims: Claims, issued: float, expires: float) -> str:
        import jwt

        bound: Object = {
            "namespace": claims.namespace,
            "serviceaccount": {"name": claims.account, "uid": claims.account_uid},
        }
        for kind, name, uid in (
            ("pod", claims.pod, claims.pod_uid),
            ("secret", claims.secret, claims.secret_uid),
            ("node", claims.node, claims.node_uid),
        ):
            if name:
                bound[kind] = {"name": name, "uid": uid} if uid else {"name": name}
        body = {
            "aud": list(claims.audiences),
            "exp": int(expires),
            "iat": int(issued),
            "iss": self.issuer,
            "jti": claims.id,
            "kubernetes.io": bound,
            "nbf": int(issued),
            "sub": f"system:serviceaccount:{claims.namespace}:{claims.account}",
        }
        return jwt.encode(body, self._key, algorithm=ALGORITHM, headers={"kid": self.key_id})

    def read(self, token: str, now: float) -> Claims:
        """The claims of a token of ours that is in force. Raises ``InvalidToken``."""
        import jwt

        options: Any = {"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False}
        try:
            body = jwt.decode(
                token, self._key.public_key(), algorithms=[ALGORITHM], issuer=self.issuer, options=options
            )
        except jwt.PyJWTError as wrong:
            raise InvalidToken(str(wrong)) from wrong
        if now < body.get("nbf", 0) or now >= body.get("exp", 0):
            raise InvalidToken("service account token has expired" if now >= body.get("exp", 0) else "not yet valid")
        bound = body.get("kubernetes.io") or {}
        account, pod, secret, node = (bound.get(key) or {} for key in ("serviceaccount", "pod", "secret", "node"))
        return Claims(
            bound.get("namespace", ""),
            account.get("name", ""),
            account.get("uid", ""),
            pod.get("name", ""),
            pod.get("uid", ""),
            secret.get("name", ""),
            secret.get("uid", ""),
            node.get("name", ""),
            node.get("uid", ""),
            tuple(body.get("aud") or ()),
            body.get("jti", ""),
        )

    def jwks(self) -> Object:
        x, y = self._point
        key = {
            "use": "sig",
            "kty": "EC",
            "kid": self.key_id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": x,
            "y": y,
        }
        return {"keys": [key]}

    def discovery(self) -> Object:
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
