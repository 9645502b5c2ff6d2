"""Send every case to a real kube-apiserver and write what it answers: ``make oracle KUBE_APISERVER=path ETCD=path``."""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any

from tests.oracle.cases import HERE, Case, setup
from tests.oracle.facts import decompressed, facts
from tests.oracle.groups import GROUPS

TOKEN = "oracle-token"
FACTS = HERE / "facts"
SETTLE_SECONDS = 0.4
"""From the request of a watch to the moment when it surely sees changes."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


class Server:
    """HTTPS without verification to a server on this machine, as a member of system:masters."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = url
        self.authorization = {"Authorization": f"Bearer {token}"} if token else {}
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

        self.continued, self.etag = "", ""

    def send(self, case: Case) -> dict[str, Any]:
        """The facts of the answer; those of a watch when everything that happens during it was sent."""
        if case.first:
            self.send(Case("", "GET", case.first))
        if not case.during:
            return self._send(case)
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(self._send, case)
            time.sleep(SETTLE_SECONDS)
            for one in case.during:
                self._send(one)
            return watching.result()

    def _send(self, case: Case) -> dict[str, Any]:
        headers = {**self.authorization, "Accept": "application/json", **case.headers}
        headers = {name: value.replace("{etag}", self.etag) for name, value in headers.items()}
        path = case.path.replace("{continue}", self.continued)
        if case.body is not None:
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data=case.payload(), method=case.method, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
                raw = decompressed(answer.headers, answer.read())
                self._remember(case, answer.headers, raw)
                return facts(answer.status, answer.headers, raw, watch=case.watch)
        except urllib.error.HTTPError as answer:
            return facts(answer.code, answer.headers, answer.read(), watch=case.watch)

    def _remember(self, case: Case, headers: Message, raw: bytes) -> None:
        self.etag = headers.get("ETag", self.etag)
        if "limit=" in case.path and raw:
            self.continued = json.loads(raw).get("metadata", {}).get("continue", "") or self.continued

    def wait_ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.send(Case("ready", "GET", "/readyz")).get("code") == 200:
                    return
            time.sleep(0.5)
        raise SystemExit(f"the API server at {self.url} was not ready within {seconds:.0f} s")


def apiserver_command(binary: str, directory: Path, port: int, etcd_port: int) -> list[str]:
    key = directory / "sa.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    (directory / "tokens.csv").write_text(f'{TOKEN},admin,admin-uid,"system:masters"\n')
    return [
        binary,
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={directory / 'pki'}",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/12",
        "--endpoint-reconciler-type=none",
        "--storage-media-type=application/json",
    ]


def record(server: Server) -> int:
    for case in setup():
        server.send(case)
    FACTS.mkdir(exist_ok=True)
    total = 0
    for group, cases in GROUPS.items():
        answers = {case.name: server.send(case) for case in cases()}
        total += len(answers)
        text = json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True)
        (FACTS / f"{group}.json").write_text(text + "\n")
        print(f"{group}: {len(answers)} answers")
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apiserver", required=True)
    parser.add_argument("--etcd", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        client, peer, secure = free_port(), free_port(), free_port()
        etcd = [
            options.etcd,
            f"--data-dir={directory / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{client}",
            f"--advertise-client-urls=http://127.0.0.1:{client}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        ]
        api = apiserver_command(options.apiserver, directory, secure, client)
        with running(etcd, directory / "etcd.log"), running(api, directory / "api.log"):
            server = Server(f"https://127.0.0.1:{secure}")
            server.wait_ready(60)
            print(f"{record(server)} answers recorded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
