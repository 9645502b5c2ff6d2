"""A store that runs, by its gateway: ``--endpoint URL``, or the daemon's own socket in its data directory."""

from __future__ import annotations

import argparse
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestrator.cli.terminal import CommandError

TIMEOUT_SECONDS = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint", metavar="URL", help="of a gateway (default: the daemon of the data directory)")


def socket_path(data_dir: Path) -> Path:
    return data_dir / "store" / "gateway.sock"


def ask(options: argparse.Namespace, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer. Raises ``CommandError``."""
    for answer in stream(options, path, body):
        return answer
    raise CommandError(f"podium store: no answer to {path}")


def stream(options: argparse.Namespace, path: str, body: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The lines of an answer, one or many."""
    connection = _connection(options)
    try:
        connection.request("POST", f"/v3/{path}", json.dumps(body or {}))
        answer = connection.getresponse()
        for line in answer:
            found = json.loads(line)
            if answer.status != 200 or "error" in found:
                raise CommandError(f"podium store: {found.get('error', found)}")
            yield found
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CommandError(f"podium store: cannot ask {_named(options)}: {error}") from error
    finally:
        connection.close()


def _named(options: argparse.Namespace) -> str:
    return options.endpoint or str(socket_path(options.data_dir))


def _connection(options: argparse.Namespace) -> http.client.HTTPConnection:
    if options.endpoint:
        url = urlsplit(options.endpoint if "://" in options.endpoint else f"http://{options.endpoint}")
        return http.client.HTTPConnection(url.hostname or "127.0.0.1", url.port or 2379, timeout=TIMEOUT_SECONDS)
    return _Local(socket_path(options.data_dir))


class _Local(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        if not self._path.exists():
            raise CommandError(f"podium store: no store runs here, {self._path} is not there; --endpoint names another")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
