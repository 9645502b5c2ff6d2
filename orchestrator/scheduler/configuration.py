"""``KubeSchedulerConfiguration`` (kubescheduler.config.k8s.io/v1), read strictly. No numpy here: it is read at start.

Without effect, since they tune what is not there: ``parallelism``, ``percentageOfNodesToScore`` (every node is
scored), ``leaderElection``, ``clientConnection``, profiling. Extenders are refused: a plugin is a Python class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from orchestrator.apimachinery.encoded import Object
from orchestrator.scheduler.errors import ConfigurationError
from orchestrator.scheduler.offers import Offers, installed
from orchestrator.scheduler.plugin_args import ARGS, Args
from orchestrator.scheduler.plugin_points import KNOWN, Chosen, Plugins, choose
from orchestrator.scheduler.shape import DEFAULT_SCHEDULER

T = TypeVar("T")

API_VERSION = "kubescheduler.config.k8s.io/v1"
KIND = "KubeSchedulerConfiguration"


class _PluginConfig(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    name: str
    args: Object = {}


class _Profile(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    scheduler_name: str | None = None
    percentage_of_nodes_to_score: int | None = None
    plugins: Plugins = Plugins()
    plugin_config: tuple[_PluginConfig, ...] = ()


class _Document(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str = ""
    kind: str = ""
    parallelism: int = 16
    leader_election: Object = {}
    client_connection: Object = {}
    enable_profiling: bool = True
    enable_contention_profiling: bool = True
    percentage_of_nodes_to_score: int | None = None
    pod_initial_backoff_seconds: int = 1
    pod_max_backoff_seconds: int = 10
    profiles: tuple[_Profile, ...] = (_Profile(),)
    extenders: tuple[Any, ...] = ()
    delay_cache_until_active: bool = False


class ProfileConfiguration(msgspec.Struct, frozen=True):
    """One ``schedulerName``: the plugins by name, and their arguments."""

    scheduler: str
    plugins: Plugins = Plugins()
    args: Mapping[str, Args] = {}
    """Of built-in plugins, by name; all of them are there."""
    user_args: Mapping[str, Object] = {}
    """Of installed plugins, by name: what their class is called with."""

    def chosen(self, offers: Mapping[str, frozenset[str]]) -> Chosen:
        """``offers``: the points that each installed plugin implements."""
        return choose(self.plugins, offers)


class SchedulerConfiguration(msgspec.Struct, frozen=True):
    profiles: tuple[ProfileConfiguration, ...]
    backoff_seconds: float = 1.0
    """The first wait of a pod that found no node; it doubles."""
    backoff_max_seconds: float = 10.0
    offers: Offers = {}
    document: Object = {}
    """What it was read from."""


def default_configuration(offers: Offers | None = None) -> SchedulerConfiguration:
    """The default profile, with whatever plugins are installed."""
    return read({"apiVersion": API_VERSION, "kind": KIND}, offers)


def read(document: Object, offers: Offers | None = None) -> SchedulerConfiguration:
    """``offers`` None: the installed plugins. Raises ConfigurationError, which names the field."""
    offers = installed() if offers is None else offers
    found = _convert(document, _Document, "")
    if (found.api_version, found.kind) != (API_VERSION, KIND):
        was = f"{found.api_version or 'no apiVersion'}, {found.kind or 'no kind'}"
        raise ConfigurationError("kind", f"expected {API_VERSION}, {KIND}, found {was}")
    if found.extenders:
        raise ConfigurationError("extenders", "not supported: expected none; a filter or score is a Python class here")
    _check_numbers(found)
    profiles = tuple(_profile(found, index, offers) for index in range(len(found.profiles)))
    names = [profile.scheduler for profile in profiles]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigurationError(f"profiles[{index}].schedulerName", f"duplicate value: {name!r}")
    first, longest = float(found.pod_initial_backoff_seconds), float(found.pod_max_backoff_seconds)
    return SchedulerConfiguration(profiles, first, longest, offers, document)


def _check_numbers(found: _Document) -> None:
    percentages = {"percentageOfNodesToScore": found.percentage_of_nodes_to_score}
    for index, profile in enumerate(found.profiles):
        percentages[f"profiles[{index}].percentageOfNodesToScore"] = profile.percentage_of_nodes_to_score
    for field, percentage in percentages.items():
        if percentage is not None and not 0 <= percentage <= 100:
            raise ConfigurationError(field, f"not in valid range [0-100]: {percentage}")
    if found.parallelism <= 0:
        raise ConfigurationError("parallelism", f"should be an integer value greater than zero: {found.parallelism}")
    if found.pod_initial_backoff_seconds <= 0:
        raise ConfigurationError(
            "podInitialBackoffSeconds", f"must be greater than 0: {found.pod_initial_backoff_seconds}"
        )
    if found.pod_max_backoff_seconds < found.pod_initial_backoff_seconds:
        text = f"must be greater than or equal to PodInitialBackoffSeconds: {found.pod_max_backoff_seconds}"
        raise ConfigurationError("podMaxBackoffSeconds", text)
    if not found.profiles:
        raise ConfigurationError("profiles", "expected at least one")


def _profile(found: _Document, index: int, offers: Offers) -> ProfileConfiguration:
    profile, path = found.profiles[index], f"profiles[{index}]"
    name = profile.scheduler_name
    if name is None and len(found.profiles) == 1:
        name = DEFAULT_SCHEDULER
    if not name:
        raise ConfigurationError(f"{path}.schedulerName", "required when there are several profiles")
    profile.plugins.check(f"{path}.plugins", frozenset(offers))
    args = {name: kind() for name, kind in ARGS.items()}
    user_args: dict[str, Object] = {}
    seen: set[str] = set()
    for number, item in enumerate(profile.plugin_config):
        at = f"{path}.pluginConfig[{number}]"
        if item.name in seen:
            raise ConfigurationError(at, f"duplicate value: {item.name!r}")
        seen.add(item.name)
        if item.name in ARGS:
            args[item.name] = _args(item, at)
        elif item.name in offers:
            user_args[item.name] = item.args
        elif item.name in KNOWN:
            raise ConfigurationError(f"{at}.args", f"expected none: {item.name} takes no arguments")
        else:
            known = ", ".join(sorted([*ARGS, *offers]))
            raise ConfigurationError(f"{at}.name", f"expected one of {known}, found {item.name!r}")
    return ProfileConfiguration(name, profile.plugins, args, user_args)


def _args(item: _PluginConfig, at: str) -> Args:
    kind = f"{item.name}Args"
    args = _convert(item.args, ARGS[item.name], f"{at}.args")
    if (args.kind or kind) != kind:
        raise ConfigurationError(f"{at}.args.kind", f"expected {kind}, found {args.kind}")
    for field, message in args.problems():
        raise ConfigurationError(f"{at}.args.{field}", message)
    return args


_WHERE = re.compile(r" - at `\$\.?(.*)`$")


def _convert(document: Object, kind: type[T], path: str) -> T:
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        where = _WHERE.search(text)
        below = where.group(1) if where else ""
        field = f"{path}{'.' if path and below and not below.startswith('[') else ''}{below}" or "document"
        raise ConfigurationError(field, _WHERE.sub("", text).replace("`", "'")) from error
