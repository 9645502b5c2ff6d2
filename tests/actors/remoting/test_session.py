"""The protocol machine alone: what a peer may send, and what no peer can do by sending."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from actors.remoting import wire
from actors.remoting.errors import Violation
from actors.remoting.handshake import HIGHEST_VERSION, LOWEST_VERSION, MAGIC, Handshake, Hello
from actors.remoting.limits import HANDSHAKE_FRAME_BYTES, Limits
from actors.remoting.security import Secret, SecretProver
from actors.remoting.session import OPENED, Session

LIMITS = Limits(window_bytes=1000, frame_bytes=2000)
SECRET = Secret(b"known to both machines")


def hello(name: str, /, **changes: Any) -> Hello:
    made = Hello(
        MAGIC, LOWEST_VERSION, HIGHEST_VERSION, name, 1, name[:1].encode() * 32, "secret", LIMITS.window_bytes, 2000
    )
    return msgspec.structs.replace(made, **changes)


def session(name: str, /, *, dialer: bool, secret: Secret = SECRET, limits: Limits = LIMITS, **changes: Any) -> Session:
    return Session(Handshake(hello(name, **changes), SecretProver(secret), dialer=dialer), limits, 0.0)


def take(machine: Session) -> bytes:
    said = b"".join(machine.output)
    machine.output.clear()
    return said


def shake(dialer: Session, acceptor: Session) -> None:
    """Carry what they say to each other until nothing is said."""
    while (said := take(dialer)) or dialer.output:
        acceptor.receive(said, 0.0)
        answer = take(acceptor)
        if answer:
            dialer.receive(answer, 0.0)


def opened(limits: Limits = LIMITS) -> tuple[Session, Session]:
    dialer, acceptor = session("d", dialer=True, limits=limits), session("a", dialer=False, limits=limits)
    shake(dialer, acceptor)
    assert dialer.open
    assert acceptor.open
    return dialer, acceptor


def mail(body: bytes = b"body") -> bytes:
    return wire.tell(False, b"path", b"envelope", b"", body)


def test_mail_of_any_shape_comes_out_as_it_went_in_however_it_is_cut() -> None:
    _, acceptor = opened(Limits(window_bytes=10**6, frame_bytes=2000))
    source = random.Random(1)
    frames = [
        (True, b"p" * 3, b"e" * 7, b"", b"x" * 1900),
        (False, b"", b"", b"tr", b""),
        (True, b"\xff" * 300, b"", b"", b"y"),
    ] * 20
    data = b"".join(wire.tell(*frame) for frame in frames)
    events = []
    while data:
        cut = source.randint(1, 700)
        events += acceptor.receive(data[:cut], 0.0)
        data = data[cut:]
    assert [(bool(event[1]), *event[2:6]) for event in events] == frames


def test_a_length_above_the_limit_is_refused_before_its_bytes_come() -> None:
    """SEMANTICS 15.15"""
    for stranger in (session("a", dialer=False), opened()[1]):
        with pytest.raises(Violation, match="expected a frame of 1 to"):
            stranger.receive(b"\xff\xff\xff\xff", 0.0)
        assert stranger.kept == 0
    with pytest.raises(Violation, match="found one of 0"):
        session("a", dialer=False).receive(b"\0\0\0\0", 0.0)


def test_a_stranger_can_have_no_more_kept_than_a_handshake_takes() -> None:
    """SEMANTICS 15.15"""
    stranger = session("a", dialer=False)
    stranger.receive(wire.LENGTH.pack(HANDSHAKE_FRAME_BYTES), 0.0)
    stranger.receive(b"x" * (HANDSHAKE_FRAME_BYTES - 1), 0.0)
    assert stranger.kept == HANDSHAKE_FRAME_BYTES + 3
    with pytest.raises(Violation):
        stranger.receive(b"x", 0.0)


def test_mail_without_credit_breaks_the_connection() -> None:
    """SEMANTICS 15.12"""
    _, acceptor = opened()
    frame = mail(b"x" * 300)
    for _ in range(4):  # the last one goes below zero: a frame is sent while there is any credit
        acceptor.receive(frame, 0.0)
    with pytest.raises(Violation, match="without credit"):
        acceptor.receive(frame, 0.0)


def test_credit_is_granted_again_in_portions_for_all_that_was_taken() -> None:
    dialer, acceptor = opened()
    frame = mail(b"x" * 100)
    for _ in range(200):
        assert dialer.credit > 0
        dialer.credit -= len(frame)
        for event in acceptor.receive(frame, 0.0):
            acceptor.consumed(event[-1])
        dialer.receive(take(acceptor), 0.0)
    assert LIMITS.window_bytes * 3 / 4 < dialer.credit <= LIMITS.window_bytes


def test_a_grant_above_the_window_breaks_the_connection() -> None:
    dialer, _ = opened()
    with pytest.raises(Violation, match="expected a credit of at most 1000"):
        dialer.receive(wire.credit(1), 0.0)


def test_a_recorded_proof_opens_nothing_a_second_time() -> None:
    """SEMANTICS 15.10"""
    dialer, acceptor = session("d", dialer=True), session("a", dialer=False)
    first = take(dialer)
    acceptor.receive(first, 0.0)
    dialer.receive(take(acceptor), 0.0)
    proof = take(dialer)
    again = session("a", dialer=False, nonce=b"n" * 32)
    again.receive(first, 0.0)
    with pytest.raises(Violation, match="does not fit") as refused:
        again.receive(proof, 0.0)
    assert refused.value.code == "secret"


def test_a_proof_that_is_sent_back_opens_nothing() -> None:
    """SEMANTICS 15.10"""
    dialer, mirror = session("d", dialer=True), session("m", dialer=False)
    mirror.receive(take(dialer), 0.0)
    dialer.receive(take(mirror), 0.0)
    with pytest.raises(Violation, match="does not fit"):
        dialer.receive(take(dialer), 0.0)
    assert not dialer.open


def test_who_accepts_is_proved_too() -> None:
    """SEMANTICS 15.10"""
    dialer, impostor = session("d", dialer=True), session("a", dialer=False, secret=Secret(b"something else again"))
    impostor.receive(take(dialer), 0.0)
    dialer.receive(take(impostor), 0.0)
    with pytest.raises(Violation, match="does not fit"):
        dialer.receive(wire.frame(wire.PROOF, b"\0" * 32), 0.0)


def test_nobody_gets_a_proof_by_asking() -> None:
    acceptor = session("a", dialer=False)
    dialer = session("d", dialer=True)
    acceptor.receive(take(dialer), 0.0)
    assert take(acceptor)[4] == wire.HELLO


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"magic": "http"}, "malformed"),
        ({"lowest": 7, "highest": 9}, "version"),
        ({"lowest": -3, "highest": 0}, "version"),
        ({"method": "tls"}, "method"),
        ({"node": "a"}, "name"),
        ({"node": ""}, "name"),
        ({"node": "x" * 129}, "name"),
        ({"node": "x/y"}, "name"),
        ({"nonce": b"short"}, "malformed"),
        ({"window": 0}, "malformed"),
        ({"frame": -1}, "malformed"),
    ],
)
def test_a_hello_that_makes_no_sense_is_refused(changes: dict[str, Any], code: str) -> None:
    """SEMANTICS 15.10, 15.11"""
    dialer = session("d", dialer=True, **changes)
    with pytest.raises(Violation) as refused:
        session("a", dialer=False).receive(take(dialer), 0.0)
    assert refused.value.code == code


def test_a_later_version_may_say_more() -> None:
    said = wire.frame(wire.HELLO, msgspec.msgpack.encode([*msgspec.structs.astuple(hello("d", highest=5)), "more", 7]))
    acceptor = session("a", dialer=False)
    acceptor.receive(said, 0.0)
    assert acceptor.known is not None
    assert acceptor.known.node == "d"


def test_nothing_but_the_handshake_is_heard_before_it_is_done() -> None:
    """SEMANTICS 15.10"""
    for early in (mail(), wire.credit(5), wire.PING_FRAME, wire.watch(wire.WATCH, 1, b"p"), wire.reply(0, 1, b"")):
        with pytest.raises(Violation, match="expected a hello"):
            session("a", dialer=False).receive(early, 0.0)


def test_a_handshake_has_a_deadline_however_slowly_it_drips() -> None:
    """SEMANTICS 15.15"""
    acceptor = session("a", dialer=False)
    said = take(session("d", dialer=True))
    for second in range(5):
        acceptor.receive(said[second : second + 1], float(second))
        assert acceptor.tick(float(second)) == 5.0 - second
    with pytest.raises(Violation, match="the handshake's end within 5 s"):
        acceptor.tick(5.0)


def test_a_silent_peer_is_lost_and_an_idle_one_speaks() -> None:
    """SEMANTICS 15.16"""
    dialer, acceptor = opened()
    now = 0.0
    while now < 60.0:
        now = round(now + min(dialer.tick(now), acceptor.tick(now)), 6)
        for one, other in ((dialer, acceptor), (acceptor, dialer)):
            other.receive(take(one), now) if one.output else None
    last = now
    while now < last + 7.9:
        now += min(dialer.tick(now), 0.1)
    with pytest.raises(Violation, match="expected a sign of life within 8 s"):
        dialer.tick(last + 8.0)


# Fuzzing: whatever comes is an event or a violation, and what is kept is bounded.


def feed(machine: Session, data: bytes, source: random.Random) -> None:
    limit = max(LIMITS.frame_bytes, HANDSHAKE_FRAME_BYTES) + 4
    while data:
        cut = source.randint(1, max(1, len(data)))
        try:
            events = machine.receive(data[:cut], 0.0)
        except Violation:
            return
        for event in events:
            assert event[0] in (OPENED, *range(wire.HELLO, wire.CHASE + 1))
        assert machine.kept <= limit
        assert machine.owed <= LIMITS.window_bytes + limit
        assert sum(map(len, machine.output)) < 10_000
        machine.output.clear()
        data = data[cut:]


def noise(source: random.Random) -> bytes:
    return source.randbytes(source.randint(1, 300))


def framed_noise(source: random.Random) -> bytes:
    payload = source.randbytes(source.randint(0, 60))
    return b"".join(wire.frame(source.randint(0, 14), payload) for _ in range(source.randint(1, 6)))


def harmed(source: random.Random) -> bytes:
    """Frames that make sense, with a few bytes changed, left out or put in."""
    data = bytearray()
    for _ in range(source.randint(1, 5)):
        data += source.choice(FRAMES)(source)
    for _ in range(source.randint(1, 4)):
        position = source.randrange(len(data))
        match source.randrange(3):
            case 0:
                data[position] = source.randrange(256)
            case 1:
                del data[position : position + source.randint(1, 5)]
            case 2:
                data[position:position] = source.randbytes(source.randint(1, 5))
        if not data:
            break
    return bytes(data)


FRAMES: list[Callable[[random.Random], bytes]] = [
    lambda source: wire.tell(
        source.random() < 0.5, source.randbytes(4), source.randbytes(9), b"", source.randbytes(source.randint(0, 200))
    ),
    lambda source: wire.ask(
        False, source.randbytes(4), source.randbytes(9), source.randbytes(3), b"b", source.getrandbits(64), 5.0
    ),
    lambda source: wire.reply(source.randrange(256), source.getrandbits(64), source.randbytes(20)),
    lambda source: wire.credit(source.getrandbits(32)),
    lambda source: wire.watch(
        source.choice((wire.WATCH, wire.UNWATCH, wire.DOWN)), source.getrandbits(64), source.randbytes(8)
    ),
    lambda source: wire.PING_FRAME,
    lambda source: wire.frame(wire.GOODBYE, source.randbytes(12)),
    lambda source: take(session("d", dialer=True)),
    lambda source: wire.frame(wire.PROOF, source.randbytes(32)),
]
FUZZ_CASES = 100_000
BLOCK = 2_000


def fuzz(first: int, count: int) -> None:
    for seed in range(first, first + count):
        source = random.Random(seed)
        make = source.choice((noise, framed_noise, harmed))
        machine = session("a", dialer=False) if source.random() < 0.3 else opened()[1]
        feed(machine, make(source), source)


def test_no_bytes_do_harm_to_the_machine() -> None:
    """SEMANTICS 15.15"""
    fuzz(0, 500)


@pytest.mark.slow
def test_no_bytes_of_a_hundred_thousand_cases_do_harm_to_the_machine() -> None:
    """SEMANTICS 15.15"""
    fuzz(500, FUZZ_CASES)
