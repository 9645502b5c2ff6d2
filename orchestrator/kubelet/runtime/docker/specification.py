"""What the engine is asked to make for a sandbox and for a container, and the labels they are known by. Pure."""

from __future__ import annotations

from typing import Any

from orchestrator.kubelet.runtime.docker.pause import IMAGE
from orchestrator.kubelet.runtime.runtime import ContainerConfig, SandboxConfig

OWNER = "podium.dev/owner"
"""Data directory and node: what a kubelet may adopt or remove."""
POD_UID = "podium.dev/pod-uid"
POD_NAME = "podium.dev/pod-name"
POD_NAMESPACE = "podium.dev/pod-namespace"
CONTAINER = "podium.dev/container"
"""The container's name; a sandbox has none."""
ATTEMPT = "podium.dev/attempt"
IMAGE_NAME = "podium.dev/image"
MESSAGE_FILE = "podium.dev/termination-message-file"
MESSAGE_FROM_LOG = "podium.dev/termination-message-from-log"
SANDBOX_NAME = "POD"
CPU_PERIOD_MICROSECONDS = 100_000
MIN_SHARES = 2

Spec = dict[str, Any]


def engine_name(config_name: str, pod: SandboxConfig, attempt: int) -> str:
    """As kubelets name containers: the engine refuses a second one."""
    return f"k8s_{config_name}_{pod.name}_{pod.namespace}_{pod.pod_uid}_{attempt}"


def labels(owner: str, pod: SandboxConfig, attempt: int) -> dict[str, str]:
    return {
        OWNER: owner,
        POD_UID: pod.pod_uid,
        POD_NAME: pod.name,
        POD_NAMESPACE: pod.namespace,
        ATTEMPT: str(attempt),
    }


def sandbox_spec(owner: str, pod: SandboxConfig) -> Spec:
    host: Spec = {"RestartPolicy": {"Name": "no"}}
    spec: Spec = {"Image": IMAGE, "Labels": labels(owner, pod, pod.attempt), "HostConfig": host}
    if pod.host_network:
        host["NetworkMode"] = "host"
        return spec
    spec["Hostname"] = pod.hostname or pod.name
    host["Sysctls"] = pod.sysctls
    if pod.dns_servers:
        host["Dns"] = list(pod.dns_servers)
        host["DnsSearch"] = list(pod.dns_searches)
        host["DnsOptions"] = list(pod.dns_options)
    return spec


def container_spec(owner: str, pod: SandboxConfig, config: ContainerConfig, sandbox: str, message_file: str) -> Spec:
    """``sandbox`` is the engine's id of the pod's sandbox, whose network the container shares."""
    marks = labels(owner, pod, config.attempt) | {
        CONTAINER: config.name,
        IMAGE_NAME: config.image,
        MESSAGE_FILE: message_file,
        MESSAGE_FROM_LOG: "yes" if config.termination_message_policy == "FallbackToLogsOnError" else "",
    }
    spec: Spec = {
        "Image": config.image_id,
        "Labels": marks,
        "Env": [f"{name}={value}" for name, value in config.env],
        "Tty": config.tty,
        "OpenStdin": config.stdin,
        "HostConfig": _host(config, sandbox, message_file),
    }
    if config.command:
        spec["Entrypoint"] = list(config.command)
    if config.args:
        spec["Cmd"] = list(config.args)
    if config.working_dir:
        spec["WorkingDir"] = config.working_dir
    if config.user is not None:
        spec["User"] = f"{config.user}" if config.group is None else f"{config.user}:{config.group}"
    if config.stop_signal:
        spec["StopSignal"] = config.stop_signal
    return spec


def _host(config: ContainerConfig, sandbox: str, message_file: str) -> Spec:
    binds = [f"{one.source}:{one.target}{':ro' if one.read_only else ''}" for one in config.mounts]
    host: Spec = {
        "NetworkMode": f"container:{sandbox}",
        "IpcMode": "private",
        "RestartPolicy": {"Name": "no"},
        "Binds": [*binds, f"{message_file}:{config.termination_message_path}"],
        "ReadonlyRootfs": config.read_only_root,
        "Privileged": config.privileged,
        "CapAdd": list(config.add_capabilities),
        "CapDrop": list(config.drop_capabilities),
        "GroupAdd": [str(one) for one in config.supplemental_groups],
    }
    if config.no_new_privileges:
        host["SecurityOpt"] = ["no-new-privileges"]
    if config.memory_bytes:
        host["Memory"] = config.memory_bytes
    if config.cpu_millis:
        host["CpuPeriod"] = CPU_PERIOD_MICROSECONDS
        host["CpuQuota"] = config.cpu_millis * CPU_PERIOD_MICROSECONDS // 1000
    if config.cpu_request_millis:
        host["CpuShares"] = max(config.cpu_request_millis * 1024 // 1000, MIN_SHARES)
    return host
