"""Service account tokens: JWTs signed with an ECDSA key, bound to the objects that they speak for."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.apimachinery.encoded import Object

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
    """Signs and reads tokens. The key is made by ``certs`` and lives in the data directory."""

    def __init__(self, key: EllipticCurvePrivateKey, issuer: str) -> None:
        self._key = key
        self.issuer = issuer
        self._public = key.public_key()
        numbers = self._public.public_numbers()
        self._x, self._y = (_b64(value.to_bytes(COORDINATE_BYTES, "big")) for value in (numbers.x, numbers.y))
        self.key_id = _b64(hashlib.sha256(f"{self._x}.{self._y}".encode()).digest())

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
            body = jwt.decode(token, self._public, algorithms=[ALGORITHM], issuer=self.issuer, options=options)
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
        key = {
            "use": "sig",
            "kty": "EC",
            "kid": self.key_id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": self._x,
            "y": self._y,
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
