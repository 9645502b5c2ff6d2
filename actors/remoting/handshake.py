"""The handshake: which protocol, which node, and a proof from each side. Pure.

    dialer                                  acceptor
    HELLO versions, node, nonce       ->
                                      <-    HELLO the version, node, nonce
    PROOF over both hellos            ->
                                      <-    PROOF over both hellos

The dialer proves itself first, so that nobody gets a proof out of a node by asking. Who does not want the other says
so with REFUSE, and why.
"""

from __future__ import annotations

import struct
from enum import Enum

import msgspec

from actors.remoting import wire
from actors.remoting.errors import UNREADABLE, Violation
from actors.remoting.limits import MAX_NAME_CHARACTERS
from actors.remoting.security import Prover

MAGIC = "podium-actors"
LOWEST_VERSION = 1
HIGHEST_VERSION = 2
"""2 has chases after circles of asks."""
NONCE_BYTES = 32
DIALER, ACCEPTOR = b"dialer", b"acceptor"


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """What a node says of itself. Later versions may add fields at the end."""

    magic: str
    lowest: int
    highest: int
    node: str
    incarnation: int
    """Drawn anew each time the node starts."""
    nonce: bytes
    method: str
    window: int
    """Bytes of mail that the other side may have under way."""
    frame: int
    """The largest frame that it takes, in bytes."""


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    code: str
    text: str


class Farewell(Violation):
    """The other side ended the connection and says why: no violation of its."""


class Stage(Enum):
    HELLO = "hello"
    """The other side's hello is awaited."""
    PROOF = "proof"
    DONE = "done"


class Handshake:
    """One side of one handshake: what came in, what to answer."""

    def __init__(self, hello: Hello, prover: Prover, *, dialer: bool) -> None:
        self._hello = hello
        self._own = msgspec.msgpack.encode(hello)
        self._prover = prover
        self._role, self._other_role = (DIALER, ACCEPTOR) if dialer else (ACCEPTOR, DIALER)
        self._dialer = dialer
        self._transcript = b""
        self.stage = Stage.HELLO
        self.peer: Hello | None = None

    def begin(self) -> bytes:
        """The dialer speaks first."""
        return wire.frame(wire.HELLO, self._own) if self._dialer else b""

    def receive(self, kind: int, payload: bytes) -> bytes:
        """Take one frame; what to answer. The handshake may be done then. Raises ``Violation``."""
        if kind == wire.REFUSE:
            refusal = decode_refusal(payload)
            raise Farewell(refusal.code, refusal.text)
        if kind == wire.HELLO and self.stage is Stage.HELLO:
            return self._greeted(payload)
        if kind == wire.PROOF and self.stage is Stage.PROOF:
            return self._proved(payload)
        raise Violation("malformed", f"expected a {self.stage.value}, found a frame of kind {kind}")

    def _greeted(self, payload: bytes) -> bytes:
        self.peer = self._judge(payload)
        first, second = (self._own, payload) if self._dialer else (payload, self._own)
        self._transcript = LENGTHS.pack(len(first), len(second)) + first + second
        self.stage = Stage.PROOF
        if self._dialer:
            return wire.frame(wire.PROOF, self._prover.prove(self._role, self._transcript))
        return wire.frame(wire.HELLO, self._own)

    def _judge(self, payload: bytes) -> Hello:
        """The other side's hello, if a connection to it makes sense."""
        try:
            hello = _hello_decoder.decode(payload)
        except UNREADABLE as error:
            raise Violation(
                "malformed", f"expected the hello of an actor node, found something else: {error}"
            ) from None
        if hello.magic != MAGIC or len(hello.nonce) != NONCE_BYTES or hello.window < 1 or hello.frame < 1:
            raise Violation("malformed", "expected the hello of an actor node, found something else")
        if hello.highest < LOWEST_VERSION or hello.lowest > HIGHEST_VERSION:
            expected = f"{LOWEST_VERSION} to {HIGHEST_VERSION}"
            raise Violation("version", f"expected protocol version {expected}, found {hello.lowest} to {hello.highest}")
        if hello.method != self._prover.method:
            raise Violation("method", f"expected a proof by {self._prover.method}, found {hello.method[:32]!r}")
        if not name_fits(hello.node) or hello.node == self._hello.node:
            raise Violation(
                "name", f"expected another node's name than {self._hello.node!r}, found {hello.node[:64]!r}"
            )
        return hello

    def _proved(self, payload: bytes) -> bytes:
        assert self.peer is not None, "a proof is awaited after a hello only"
        self._prover.check(self._other_role, self._transcript, self.peer.node, payload)
        self.stage = Stage.DONE
        if self._dialer:
            return b""
        return wire.frame(wire.PROOF, self._prover.prove(self._role, self._transcript))


LENGTHS = struct.Struct(">II")
_hello_decoder = msgspec.msgpack.Decoder(Hello)
_refusal_decoder = msgspec.msgpack.Decoder(Refusal)


def decode_refusal(payload: bytes) -> Refusal:
    try:
        return _refusal_decoder.decode(payload)
    except UNREADABLE:
        return Refusal("malformed", "a farewell that cannot be read")


def refuse(kind: int, code: str, text: str) -> bytes:
    """A ``REFUSE`` or ``GOODBYE``."""
    return wire.frame(kind, msgspec.msgpack.encode(Refusal(code, text[:512])))


def name_fits(name: str) -> bool:
    """Whether ``name`` can be a node's: it is the part of an address before the first slash."""
    return 0 < len(name) <= MAX_NAME_CHARACTERS and "/" not in name and name.isprintable()
