"""How the gateways of etcd's versions word a refusal."""

from __future__ import annotations

import pytest

from orchestrator.store.etcd.client import EtcdCompacted, EtcdRefused, _taken, _watched

WORDS = "etcdserver: requested lease not found"


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"%s","message":"%s","code":5}' % (WORDS.encode(), WORDS.encode()),
        b'{"code":5,"message":"%s","details":[]}' % WORDS.encode(),
        b'{"error":{"grpc_code":5,"http_code":404,"message":"%s"}}' % WORDS.encode(),
    ],
)
def test_a_refusal_is_its_message_in_every_version(body: bytes) -> None:
    with pytest.raises(EtcdRefused) as caught:
        _taken(body)
    assert caught.value.message == WORDS


def test_an_answer_is_taken_as_it_is() -> None:
    assert _taken(b'{"header":{"revision":"7"}}') == {"header": {"revision": "7"}}


def test_what_is_no_json_is_a_refusal() -> None:
    with pytest.raises(EtcdRefused, match="expected JSON"):
        _taken(b"404 page not found")


def test_a_compacted_watch_names_the_oldest_revision() -> None:
    with pytest.raises(EtcdCompacted) as caught:
        _watched(b'{"result":{"header":{},"canceled":true,"compact_revision":"12"}}')
    assert caught.value.revision == 12
