"""Configuration, secrets, namespaces and limits from words."""

from __future__ import annotations

import argparse
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from orchestrator.cli.terminal import CommandError
from orchestrator.cli.verb import pairs
from orchestrator.cli.verb.made_workloads import Maker

Object = dict[str, Any]


def namespace_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def namespace(options: argparse.Namespace) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": options.name}}


def data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from-literal", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--from-file", action="append", default=[], metavar="[KEY=]PATH", help="a file, or all files of a folder"
    )
    parser.add_argument(
        "--from-env-file", action="append", default=[], metavar="PATH", help="a file of KEY=VALUE lines"
    )


def configmap_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    data_arguments(parser)


def data(options: argparse.Namespace) -> dict[str, bytes]:
    """Raises ``CommandError`` for a key given twice or a file that cannot be read."""
    found: dict[str, bytes] = {}
    for word in options.from_file:
        key, equals, place = word.partition("=")
        path = Path(place if equals else key)
        for name, content in files(path, key if equals else ""):
            add(found, name, content)
    for place in options.from_env_file:
        for line in contents(Path(place)).decode().splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                key, _, value = line.strip().partition("=")
                add(found, key, value.encode())
    for word in options.from_literal:
        for key, value in pairs.parse([word]).items():
            add(found, key, value.encode())
    return found


def add(found: dict[str, bytes], key: str, value: bytes) -> None:
    if key in found:
        raise CommandError(f"the key {key!r} is given twice", code=2)
    found[key] = value


def files(path: Path, key: str) -> list[tuple[str, bytes]]:
    if path.is_dir():
        if key:
            raise CommandError(f"{path} is a folder: its files are keys, {key!r} cannot be one", code=2)
        return [(file.name, contents(file)) for file in sorted(path.iterdir()) if file.is_file()]
    return [(key or path.name, contents(path))]


def contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error


def configmap(options: argparse.Namespace) -> Object:
    made: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": options.name}}
    for key, value in data(options).items():
        try:
            made.setdefault("data", {})[key] = value.decode()
        except UnicodeDecodeError:
            made.setdefault("binaryData", {})[key] = b64encode(value).decode()
    return made


def secret_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("type_word", metavar="TYPE", choices=("generic", "tls", "docker-registry"))
    parser.add_argument("name")
    data_arguments(parser)
    parser.add_argument("--type", default="", help="generic: the type of the secret")
    parser.add_argument("--cert", type=Path, help="tls")
    parser.add_argument("--key", type=Path, help="tls")
    parser.add_argument("--docker-server", default="https://index.docker.io/v1/")
    parser.add_argument("--docker-username", default="")
    parser.add_argument("--docker-password", default="")
    parser.add_argument("--docker-email", default="")


def secret(options: argparse.Namespace) -> Object:
    kind, values = secret_values(options)
    encoded = {key: b64encode(value).decode() for key, value in values.items()}
    made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": options.name}, "type": kind}
    return {**made, **({"data": encoded} if encoded else {})}


def secret_values(options: argparse.Namespace) -> tuple[str, dict[str, bytes]]:
    if options.type_word == "generic":
        return options.type or "Opaque", data(options)
    if options.type_word == "tls":
        if options.cert is None or options.key is None:
            raise CommandError("create secret tls needs --cert and --key", code=2)
        return "kubernetes.io/tls", {"tls.crt": contents(options.cert), "tls.key": contents(options.key)}
    user, password = options.docker_username, options.docker_password
    entry = {"username": user, "password": password, "auth": b64encode(f"{user}:{password}".encode()).decode()}
    if options.docker_email:
        entry["email"] = options.docker_email
    document = json.dumps({"auths": {options.docker_server: entry}})
    return "kubernetes.io/dockerconfigjson", {".dockerconfigjson": document.encode()}


def quota_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--hard", default="", metavar="KEY=AMOUNT,...", help="cpu=1,memory=1Gi,pods=10")


def quota(options: argparse.Namespace) -> Object:
    hard = pairs.parse(options.hard.split(",")) if options.hard else {}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": options.name}, "spec": {"hard": hard}}


def budget_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--selector", required=True, metavar="KEY=VALUE,...")
    parser.add_argument("--min-available", default="")
    parser.add_argument("--max-unavailable", default="")


def budget(options: argparse.Namespace) -> Object:
    if bool(options.min_available) == bool(options.max_unavailable):
        raise CommandError("give --min-available or --max-unavailable", code=2)
    field, text = (
        ("minAvailable", options.min_available)
        if options.min_available
        else ("maxUnavailable", options.max_unavailable)
    )
    spec = {
        "selector": {"matchLabels": pairs.parse(options.selector.split(","))},
        field: int(text) if text.isdigit() else text,
    }
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": options.name}, "spec": spec}


def priority_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("--value", type=int, required=True)
    parser.add_argument("--global-default", action="store_true")
    parser.add_argument("--description", default="")


def priority(options: argparse.Namespace) -> Object:
    made: Object = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": options.name}}
    return {**made, "value": options.value, "globalDefault": options.global_default, "description": options.description}


MAKERS: dict[str, Maker] = {
    "namespace": (namespace_arguments, namespace),
    "configmap": (configmap_arguments, configmap),
    "secret": (secret_arguments, secret),
    "quota": (quota_arguments, quota),
    "poddisruptionbudget": (budget_arguments, budget),
    "priorityclass": (priority_arguments, priority),
}
