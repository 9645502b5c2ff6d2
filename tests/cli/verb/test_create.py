from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.main import parsed
from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb import create


def made(*words: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser()
    create.arguments(parser)
    options = parsed(parser, list(words))
    return create.MAKERS[create._NAMES.get(options.what, options.what)][1](options)


def test_a_deployment_selects_its_pods_by_its_name() -> None:
    obj = made("deploy", "web", "--image", "reg.io/team/my_web:1", "-r", "3", "--port", "80", "--", "sleep", "1")
    assert obj["spec"]["replicas"] == 3
    assert obj["spec"]["selector"]["matchLabels"] == obj["spec"]["template"]["metadata"]["labels"] == {"app": "web"}
    assert obj["spec"]["template"]["spec"]["containers"] == [
        {"name": "my-web", "image": "reg.io/team/my_web:1", "command": ["sleep", "1"], "ports": [{"containerPort": 80}]}
    ]


def test_a_config_map_takes_literals_files_and_environment_files(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    (tmp_path / "env").write_text("# comment\nA=1\n\nB=x=y\n")
    sources = [f"--from-file={tmp_path / 'text'}", f"--from-file=b={tmp_path / 'binary'}"]
    obj = made("cm", "c", "--from-literal=k=v=w", *sources, f"--from-env-file={tmp_path / 'env'}")
    assert obj["data"] == {"k": "v=w", "text": "hello", "A": "1", "B": "x=y"}
    assert obj["binaryData"] == {"b": "/wA="}


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(CommandError, match="'k' is given twice"):
        made("cm", "c", "--from-literal=k=v", "--from-literal=k=w")


def test_a_secret_is_encoded() -> None:
    obj = made("secret", "generic", "s", "--from-literal=k=v")
    assert (obj["type"], obj["data"]) == ("Opaque", {"k": "dg=="})


def test_a_service_needs_a_port_unless_it_is_headless() -> None:
    assert made("svc", "clusterip", "s", "--tcp=80:web")["spec"]["ports"][0]["targetPort"] == "web"
    assert made("svc", "clusterip", "s", "--clusterip=None")["spec"]["clusterIP"] == "None"
    with pytest.raises(CommandError, match="needs --tcp"):
        made("svc", "nodeport", "s")


def test_a_role_has_a_rule_for_each_group() -> None:
    obj = made("role", "r", "--verb=get,list", "--resource=pods,deployments.apps/scale")
    assert obj["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "list"]},
    ]


def test_a_binding_names_accounts_with_their_namespace() -> None:
    obj = made("rolebinding", "b", "--clusterrole=view", "--serviceaccount=shop:web", "--user=jo")
    assert obj["roleRef"]["kind"] == "ClusterRole"
    assert {"kind": "ServiceAccount", "name": "web", "namespace": "shop"} in obj["subjects"]


def test_a_cron_job_holds_a_job() -> None:
    obj = made("cronjob", "c", "--image=b", "--schedule=* * * * *", "--", "date")
    pod = obj["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert (pod["restartPolicy"], pod["containers"][0]["command"]) == ("OnFailure", ["date"])


def test_an_ingress_rule_names_host_path_and_backend() -> None:
    rule = made("ingress", "i", "--rule=a.io/api*=web:80")["spec"]["rules"][0]
    path = rule["http"]["paths"][0]
    assert (rule["host"], path["path"], path["pathType"]) == ("a.io", "/api", "Prefix")
    assert path["backend"]["service"] == {"name": "web", "port": {"number": 80}}
