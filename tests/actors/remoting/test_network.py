"""Real sockets: TCP, Unix, TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors import System
from actors.remoting.errors import PeerRefused, Unreachable
from actors.remoting.network import split
from actors.remoting.security import Secret, Security, Tls
from tests.actors.cast import Counter, Total
from tests.actors.remoting.certificates import Authority
from tests.actors.remoting.nodes import SECRET

pytestmark = pytest.mark.real_loop


async def connect_and_ask(address: str, left: Security, right: Security, seconds: float = 3.0) -> None:
    async with System("a") as a, System("b") as b:
        where = await b.listen(address, left)
        await b.spawn(Counter, name="counter")
        await a.connect(where, right, timeout=seconds)
        assert await a.ref("counter", "b").ask(Total()) == 0


async def test_nodes_connect_over_tcp() -> None:
    await connect_and_ask("tcp://127.0.0.1:0", SECRET, SECRET)


async def test_nodes_connect_over_a_unix_socket(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/node.sock"
    await connect_and_ask(address, SECRET, SECRET)
    await connect_and_ask(address, SECRET, SECRET)  # a socket that was left behind is in nobody's way


async def test_nodes_connect_over_tls_by_certificates(tmp_path: Path) -> None:
    """SEMANTICS 15.10"""
    authority = Authority(tmp_path)
    await connect_and_ask("tcp://127.0.0.1:0", authority.node("b"), authority.node("a"))


async def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    """SEMANTICS 15.10"""
    authority = Authority(tmp_path)
    with pytest.raises(PeerRefused) as refused:
        await connect_and_ask("tcp://127.0.0.1:0", authority.node("b"), authority.node("mallory"))
    assert refused.value.code == "certificate"


async def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    """SEMANTICS 15.10"""
    ours, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    with pytest.raises(PeerRefused) as refused:
        await connect_and_ask("tcp://127.0.0.1:0", ours.node("b"), stranger.node("a"))
    assert refused.value.code == "certificate"
    half = stranger.node("a")
    with pytest.raises((PeerRefused, Unreachable)):  # whether TLS says why depends on its version
        await connect_and_ask("tcp://127.0.0.1:0", ours.node("b"), Tls(half.certificate, half.key, ours.path), 0.2)


def test_addresses_say_where() -> None:
    assert split("tcp://[::1]:80") == ("::1", 80)
    assert split("unix:///run/a.sock") == "/run/a.sock"
    for wrong in ("http://a:1", "tcp://a", "a:1", "unix://a/b"):
        with pytest.raises(ValueError, match="expected tcp"):
            split(wrong)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Secret(b"short")
