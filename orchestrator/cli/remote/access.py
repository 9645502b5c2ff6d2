"""Which cluster a verb speaks to: options, ``$KUBECONFIG``, ``~/.kube/config``, or the cluster on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestrator.cli import datadir
from orchestrator.cli.terminal import CommandError
from orchestrator.client import kubeconfig
from orchestrator.client.errors import KubeconfigError
from orchestrator.client.kubeconfig import Access

SECTIONS = ("clusters", "users", "contexts")
PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
"""Values that are paths relative to the file they stand in."""


def find(path: str | None, context: str | None, environment: Mapping[str, str], home: Path) -> Access:
    """Raises ``CommandError`` that says where was looked."""
    files = candidates(path, environment, home)
    found = [file for file in files if file.exists()]
    if not found:
        places = ", ".join(str(file) for file in files)
        raise CommandError(f"there is no kubeconfig at {places}; `podium up` makes one, --kubeconfig names another")
    try:
        if len(found) == 1:
            return kubeconfig.load(found[0], context=context or "")
        return kubeconfig.parse(merged([read(file) for file in found]), str(found[0]), context=context or "")
    except KubeconfigError as error:
        raise CommandError(str(error)) from error


def candidates(path: str | None, environment: Mapping[str, str], home: Path) -> list[Path]:
    """The files that are read, as kubectl would; the cluster on this machine when there is none."""
    if path:
        return [Path(path).expanduser()]
    if named := [part for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]:
        return [Path(part).expanduser() for part in named]
    usual = home / ".kube" / "config"
    return [usual] if usual.exists() else [datadir.default() / "kubeconfig"]


def read(file: Path) -> dict[str, Any]:
    """One file of several, its relative paths made absolute."""
    try:
        document = yaml.load(file.read_text(), Loader=kubeconfig.LOADER) or {}
    except (OSError, yaml.YAMLError) as error:
        raise KubeconfigError(str(file), "a readable kubeconfig", str(error).replace("\n", " ")) from error
    for section in ("clusters", "users"):
        for entry in document.get(section) or ():
            values = entry.get(section[:-1]) or {}
            for name in PATHS:
                if name in values:
                    values[name] = str(file.parent / values[name])
    result: dict[str, Any] = document
    return result


def merged(documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Several kubeconfigs as one: of two entries with one name, and of two current contexts, the first counts."""
    result: dict[str, Any] = {"current-context": ""}
    for document in documents:
        result["current-context"] = result["current-context"] or document.get("current-context", "")
        for section in SECTIONS:
            held = result.setdefault(section, [])
            names = {entry.get("name") for entry in held}
            held.extend(entry for entry in document.get(section) or () if entry.get("name") not in names)
    return result
