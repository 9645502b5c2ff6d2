"""What a cluster can be told: one frozen record, from the command line, a YAML file or an embedder."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.scheduler.configuration import SchedulerConfiguration

RUNTIMES = ("auto", "docker", "process", "simulated")
DEFAULT_PORT = 6443
ETCD = "etcd://"
MAX_NODES = 20_000
"""Simulated nodes in one process; far above what was measured."""


class ConfigError(Exception):
    """A setting is not usable. ``setting`` names it, the message says what was expected and found."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """``data_dir`` None keeps all state in memory. ``listen`` None opens no HTTPS door."""

    data_dir: Path | None = None
    listen: tuple[str, int] | None = None
    nodes: int = 1
    runtime: str = "auto"
    images: dict[str, list[str]] = field(default_factory=dict)
    """For the process runtime: image name to the program and arguments that it stands for."""
    service_cidr: str = "10.96.0.0/12"
    pod_cidr: str = ""
    """Where pods of the process runtime have their addresses. Empty: a network of their own where the kernel may be
    changed, else loopback; a range in 127.0.0.0/8 is loopback always."""
    cluster_domain: str = "cluster.local"
    scheduler: SchedulerConfiguration | None = None
    """None: the default profile, with the plugins that are installed."""
    member: int = 0
    """Which member of the store this is, from 1; 0: the only one."""
    members: dict[int, str] = field(default_factory=dict)
    """Where each founding member of the store is reached by the others (``tcp://host:port``), this one too."""
    store: str = ""
    """``etcd://HOST:PORT[,HOST:PORT...]``: an etcd in place of the store's own log. Empty: the log in ``data_dir``."""
    encryption_keys: Path | None = None
    """A file of keys, made when there is none: with the first, Secrets are encrypted in the log. None: they are not."""
    place: dict[str, str] = field(default_factory=dict)
    """Component to the worker process in which it runs; what is not named runs here (``orchestrator/placement.py``)."""
    joins: bool = False
    """Whether this member was added to a group that others founded: by itself it is nobody."""
    kernel: bool = False
    """Whether kernel state (routes) may be changed; only the daemon does."""

    def __post_init__(self) -> None:
        if self.place:
            object.__setattr__(self, "place", placement(self.place))
        if self.runtime not in RUNTIMES:
            raise ConfigError("runtime", f"expected one of {', '.join(RUNTIMES)}, found {self.runtime!r}")
        if self.store and not self.etcd_endpoints:
            raise ConfigError("store", f"expected etcd://HOST:PORT[,HOST:PORT...], found {self.store!r}")
        if self.store and self.member:
            raise ConfigError("store", f"expected no members beside an etcd, found member {self.member}")
        if not 0 <= self.nodes <= MAX_NODES:
            raise ConfigError("nodes", f"expected 0 to {MAX_NODES}, found {self.nodes}")
        if bool(self.member) != bool(self.members) or (self.member and self.member not in self.members):
            raise ConfigError("members", f"expected them to name member {self.member}, found {sorted(self.members)}")
        _network("serviceCIDR", self.service_cidr, "10.96.0.0/12")
        if self.pod_cidr:
            _network("podCIDR", self.pod_cidr, "10.244.0.0/16")

    @property
    def etcd_endpoints(self) -> list[str]:
        """Of the etcd that keeps the state; none when the store's own log does."""
        return self.store.removeprefix(ETCD).split(",") if self.store.startswith(ETCD) and self.store != ETCD else []


def _network(setting: str, text: str, example: str) -> None:
    try:
        ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ConfigError(setting, f"expected an IPv4 network such as {example}, found {text!r}") from error


NAMES = {
    "dataDir": "data_dir",
    "encryptionKeys": "encryption_keys",
    "serviceCIDR": "service_cidr",
    "podCIDR": "pod_cidr",
    "clusterDomain": "cluster_domain",
}
"""The file's spelling of a setting where it is not the record's."""


def parse_listen(text: str) -> tuple[str, int]:
    """``HOST:PORT``, ``:PORT`` or ``HOST`` (``[::1]:6443`` for IPv6)."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        host, port = text, str(DEFAULT_PORT)
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ConfigError("listen", f"expected HOST:PORT with a port from 0 to 65535, found {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def load(path: Path, base: ClusterConfig) -> ClusterConfig:
    """``base`` with the settings of the YAML file at ``path``. Raises ConfigError with one line that names the file."""
    document = _document("config", path)
    return replace(base, **settings(document, path.parent))


def _document(setting: str, path: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text()) or {}
    except OSError as error:
        raise ConfigError(setting, f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(setting, f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ConfigError(setting, f"{path}: expected a mapping of settings, found {type(document).__name__}")
    return document


def settings(document: dict[str, Any], folder: Path = Path()) -> dict[str, Any]:
    """The record's arguments that a document of settings stands for, each checked for its type.

    ``folder`` is where files lie that the document names.
    """
    known = {name: name for name in (f.name for f in fields(ClusterConfig)) if name not in NAMES.values()} | NAMES
    known.pop("kernel")
    found: dict[str, Any] = {}
    for name, value in document.items():
        if name not in known:
            raise ConfigError(str(name), f"no such setting; there are {', '.join(sorted(known))}")
        found[known[name]] = convert(name, value, folder)
    return found


def convert(name: str, value: Any, folder: Path) -> Any:
    if name == "scheduler":
        return scheduler(value, folder)
    if name == "listen":
        return parse_listen(str(value))
    if name in ("dataDir", "encryptionKeys"):
        return Path(expect(name, value, str)).expanduser()
    if name == "place":
        return placement(value)
    if name == "images":
        return {image: command(image, program) for image, program in expect(name, value, dict).items()}
    if name == "joins":
        return bool(value)
    if name == "members":
        return {int(number): expect(name, address, str) for number, address in expect(name, value, dict).items()}
    return expect(name, value, int if name in ("nodes", "member") else str)


def scheduler(value: Any, folder: Path) -> SchedulerConfiguration:
    """A KubeSchedulerConfiguration in place, or the path of a file of one, from where the settings lie."""
    from orchestrator.scheduler import configuration
    from orchestrator.scheduler.errors import ConfigurationError

    if isinstance(value, str):
        value = _document("scheduler", folder / Path(value).expanduser())
    try:
        return configuration.read(expect("scheduler", value, dict))
    except ConfigurationError as error:
        raise ConfigError(f"scheduler.{error.field}", str(error).removeprefix(f"{error.field}: ")) from error


def placement(value: Any) -> dict[str, str]:
    from orchestrator.placement import check, parse

    return parse(value) if isinstance(value, str) else check(expect("place", value, dict))


def document(config: ClusterConfig) -> dict[str, Any]:
    """The settings that make ``config`` again in another process; ``kernel`` is not one."""
    optional = {
        "dataDir": config.data_dir and str(config.data_dir),
        "listen": config.listen and f"{f'[{host}]' if ':' in (host := config.listen[0]) else host}:{config.listen[1]}",
        "podCIDR": config.pod_cidr,
        "scheduler": config.scheduler and config.scheduler.document,
        "store": config.store,
        "encryptionKeys": config.encryption_keys and str(config.encryption_keys.absolute()),
    }
    return {
        "nodes": config.nodes, "runtime": config.runtime, "images": config.images, "serviceCIDR": config.service_cidr,
        "clusterDomain": config.cluster_domain, "place": config.place,
        **({"member": config.member, "members": config.members, "joins": config.joins} if config.member else {}),
        **{name: value for name, value in optional.items() if value},
    }  # fmt: skip


def command(image: str, program: Any) -> list[str]:
    if isinstance(program, str):
        return [program]
    if isinstance(program, list) and program and all(isinstance(word, str) for word in program):
        return program
    raise ConfigError(f"images.{image}", f"expected a program or a list of words, found {program!r}")


def expect(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ConfigError(name, f"expected {kind.__name__}, found {value!r}")
    return value
