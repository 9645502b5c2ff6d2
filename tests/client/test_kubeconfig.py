"""Kubeconfigs: what is read, and what is said about a bad one."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from orchestrator.client.errors import KubeconfigError
from orchestrator.client.kubeconfig import in_cluster, load


def write(folder: Path, text: str) -> Path:
    path = folder / "config"
    path.write_text(text)
    return path


def document(user: str) -> str:
    authority = base64.b64encode(b"CA").decode()
    return f"""
current-context: here
contexts: [{{name: here, context: {{cluster: c, user: u, namespace: team}}}}]
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:6443/", certificate-authority-data: {authority}}}}}]
users: [{{name: u, user: {user}}}]
"""


def test_certificates_may_be_inline_or_in_files_beside(tmp_path: Path) -> None:
    (tmp_path / "tls.key").write_bytes(b"KEY")
    inline = base64.b64encode(b"CERT").decode()
    access = load(write(tmp_path, document(f"{{client-certificate-data: {inline}, client-key: tls.key}}")))
    assert (access.server, access.namespace) == ("https://127.0.0.1:6443", "team")
    assert (access.authority, access.certificate, access.key) == (b"CA", b"CERT", b"KEY")


def test_a_context_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = write(tmp_path, document("{token: t}"))
    with pytest.raises(KubeconfigError, match="expected a context named 'there', found here"):
        load(path, context="there")


def test_a_missing_file_is_said_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="nowhere: expected a readable file"):
        load(tmp_path / "nowhere")


def test_the_other_servers_of_a_cluster_are_in_an_extension_that_kubectl_leaves_alone(tmp_path: Path) -> None:
    servers = '["https://127.0.0.1:6443", "https://127.0.0.1:6444/", "https://127.0.0.1:6445"]'
    extension = f"extensions: [{{name: podium.dev/servers, extension: {servers}}}], certificate-authority-data"
    text = document("{token: t}").replace("certificate-authority-data", extension)
    access = load(write(tmp_path, text))
    assert access.others == ("https://127.0.0.1:6444", "https://127.0.0.1:6445")
    assert access.next().server == "https://127.0.0.1:6444"
    assert access.next().next().next() == access
    with pytest.raises(KubeconfigError, match=r"a list of servers in the extension podium\.dev/servers"):
        load(write(tmp_path, text.replace(servers, "7")))


def test_a_pod_finds_its_token_and_server(tmp_path: Path) -> None:
    for name in ("token", "ca.crt", "namespace"):
        (tmp_path / name).write_text(name)
    access = in_cluster(tmp_path, {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"})
    assert (access.server, access.token_file) == ("https://10.96.0.1:443", str(tmp_path / "token"))
