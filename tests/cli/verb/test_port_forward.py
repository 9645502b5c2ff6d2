from __future__ import annotations

from typing import Any

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.port_forward import Forward, forward
from tests.cli.resources import PODS, SERVICES

POD: dict[str, Any] = {"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]}}
SERVICE: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {"ports": [{"name": "front", "port": 80, "targetPort": "http"}]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("80", Forward(80, 80)), ("8080:80", Forward(8080, 80)), (":80", Forward(0, 80)), ("9:http", Forward(9, 8080))],
)
def test_a_port_is_local_and_remote(text: str, expected: Forward) -> None:
    assert forward(text, PODS, POD, POD) == expected


@pytest.mark.parametrize("text", ["8000:80", "8000:front"])
def test_a_port_of_a_service_is_followed_to_the_pods(text: str) -> None:
    assert forward(text, SERVICES, SERVICE, POD) == Forward(8000, 8080)


def test_a_port_that_nobody_has_is_refused() -> None:
    with pytest.raises(CommandError, match="service/web has no port 81"):
        forward("81", SERVICES, SERVICE, POD)
    with pytest.raises(CommandError, match="found 'x:nope'"):
        forward("x:nope", PODS, POD, POD)
