from __future__ import annotations

from argparse import Namespace
from typing import Any

import pytest

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb.expose import service

POD = {"containers": [{"ports": [{"containerPort": 8080}, {"containerPort": 53, "protocol": "UDP"}]}]}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"team": "shop"}},
    "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": POD}},
}


def options(**given: Any) -> Namespace:
    empty = {
        "port": 0,
        "target_port": "",
        "protocol": "",
        "name": "",
        "type": "",
        "selector": "",
        "labels": "",
        "cluster_ip": "",
    }
    return Namespace(**{**empty, **given})


def test_the_containers_ports_are_taken_and_named_when_several() -> None:
    made = service(DEPLOYMENT, "deployment.apps/web", options())
    assert made["spec"]["selector"] == {"app": "web"}
    assert made["spec"]["ports"] == [
        {"name": "port-1", "port": 8080, "protocol": "TCP", "targetPort": 8080},
        {"name": "port-2", "port": 53, "protocol": "UDP", "targetPort": 53},
    ]


def test_a_port_of_our_own_may_lead_to_a_named_one() -> None:
    made = service(DEPLOYMENT, "deployment.apps/web", options(port=80, target_port="http", name="front"))
    assert made["metadata"] == {"name": "front", "labels": {"team": "shop"}}
    assert made["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": "http"}]


def test_what_has_no_labels_or_no_port_says_which_option_helps() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": []}}
    with pytest.raises(CommandError, match="--selector"):
        service(pod, "pod/a", options())
    with pytest.raises(CommandError, match="--port"):
        service(pod, "pod/a", options(selector="a=b"))
