"""What ``make up`` shows: a manifest applied, its Deployments ready, its NodePorts answering."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from orchestrator.apimachinery.encoded import Object
from orchestrator.apimachinery.errors import StatusError
from orchestrator.cli.terminal import CommandError, duration
from orchestrator.client.client import Client
from orchestrator.client.https import HttpTransport
from orchestrator.client.kinds import DEPLOYMENTS, Kind, kind_for
from orchestrator.client.kubeconfig import load

READY_SECONDS = 60.0
ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.02


def show(manifest: Path, kubeconfig: Path) -> None:
    """Print one line that says what runs and where it answers. Raises CommandError when it does not become ready."""
    documents = [document for document in yaml.safe_load_all(manifest.read_text()) if document]
    print(asyncio.run(_show(manifest, documents, kubeconfig)))


async def _show(manifest: Path, documents: list[Object], kubeconfig: Path) -> str:
    transport = HttpTransport(load(kubeconfig))
    try:
        client = Client(transport)
        began = time.monotonic()
        await _account(client)
        for document in documents:
            document.setdefault("metadata", {}).setdefault("namespace", "default")
            await client.apply(_kind(document), document)
        words = [f"applied {manifest}"]
        for document in documents:
            if document["kind"] == "Deployment":
                words.append(await _ready(client, document, began))
        for document in documents:
            words += [await _answers(port) for port in _node_ports(document)]
        return " · ".join(words)
    except StatusError as error:
        raise CommandError(f"{manifest}: {error}") from error
    finally:
        await transport.close()


async def _account(client: Client) -> None:
    """Pods of a fresh cluster need the default account, which its controller makes in the first moments."""
    from orchestrator.client.kinds import SERVICEACCOUNTS

    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        try:
            await client.get(SERVICEACCOUNTS, "default", "default")
        except StatusError:
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


def _kind(document: Object) -> Kind:
    kind = kind_for(document["apiVersion"], document["kind"])
    if kind is None:
        raise CommandError(f"{document['apiVersion']} {document['kind']}: no such kind")
    return kind


async def _ready(client: Client, document: Object, began: float) -> str:
    name, namespace = document["metadata"]["name"], document["metadata"]["namespace"]
    ready = wanted = 0
    while time.monotonic() < began + READY_SECONDS:
        live = await client.get(DEPLOYMENTS, name, namespace)
        wanted, ready = live["spec"]["replicas"], live.get("status", {}).get("readyReplicas", 0)
        if ready == wanted and live["status"].get("updatedReplicas") == wanted:
            return f"deployment/{name} {ready}/{wanted} ready in {duration(time.monotonic() - began)}"
        await asyncio.sleep(POLL_SECONDS)
    found = f"{ready} of {wanted} pods ready after {READY_SECONDS:.0f} s"
    raise CommandError(f"deployment/{name}: {found}; `podium describe deployment {name}` says why")


def _node_ports(document: Object) -> list[int]:
    if document["kind"] != "Service":
        return []
    return [port["nodePort"] for port in document["spec"].get("ports", ()) if "nodePort" in port]


async def _answers(port: int) -> str:
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if await asyncio.to_thread(_fetch, url) is not None:
            return f"{url} answers"
        await asyncio.sleep(POLL_SECONDS)
    raise CommandError(f"{url} does not answer: `podium describe service` says where it should lead")


def _fetch(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status
    except (urllib.error.URLError, OSError):
        return None
