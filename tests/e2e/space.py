"""A namespace of a daemon under test, and the few things that tests do in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from typing import Any

import yaml

from tests.e2e.daemon import Daemon

SECONDS = 60.0


class Space:
    """kubectl in one namespace, and what the objects in it say."""

    def __init__(self, daemon: Daemon, namespace: str) -> None:
        self.daemon = daemon
        self.runtime = daemon.runtime
        self.namespace = namespace
        daemon.kubectl("create", "namespace", namespace)
        self.wait("the default account", lambda: self("get", "serviceaccount", "default"))

    def __call__(self, *words: str, stdin: str | None = None, timeout: float = 90) -> str:
        return self.daemon.kubectl("-n", self.namespace, *words, stdin=stdin, timeout=timeout)

    def remove(self) -> None:
        self.daemon.kubectl("delete", "namespace", self.namespace, "--wait=false")

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))

    def apply(self, *manifests: dict[str, Any]) -> str:
        return self("apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))

    def wait(self, what: str, check: Any, seconds: float = SECONDS) -> Any:
        return self.daemon.wait(what, check, seconds)

    def ready(self, pod: str) -> None:
        self("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=60s")

    def rolled_out(self, name: str, kind: str = "deployment") -> None:
        self("rollout", "status", f"{kind}/{name}", "--timeout=90s")

    def pods(self, app: str) -> list[Any]:
        found: list[Any] = self.json("get", "pods", "-l", f"app={app}")["items"]
        return found

    def restarts(self, pod: str) -> int:
        count: int = self.json("get", "pod", pod)["status"]["containerStatuses"][0]["restartCount"]
        return count

    def exec(self, pod: str, script: str, *, container: str = "") -> str:
        chosen = ["-c", container] if container else []
        return self("exec", pod, *chosen, "--", "sh", "-c", script)

    def endpoints(self, service: str) -> set[str]:
        """The pods that are ready behind a Service."""
        slices = self.json("get", "endpointslices", "-l", f"kubernetes.io/service-name={service}")["items"]
        listed = [one for piece in slices for one in piece.get("endpoints") or []]
        return {one["targetRef"]["name"] for one in listed if one["conditions"].get("ready")}

    def events(self, reason: str) -> list[str]:
        """The messages of the events with this reason."""
        listed = self.json("get", "events", f"--field-selector=reason={reason}")["items"]
        return [one["message"] for one in listed]

    def told(self, reason: str, part: str = "") -> None:
        """Wait for an event of ``reason`` whose message holds ``part``: events are written a moment after what they
        tell of."""
        self.wait(f"an event {reason}", lambda: any(part in message for message in self.events(reason)), 10)

    def kill_container(self, pod: str) -> None:
        """End the first container's program past Podium: through the engine, or by a signal to the process, which
        has written its number to ``pid``."""
        identifier = self.json("get", "pod", pod)["status"]["containerStatuses"][0]["containerID"]
        if self.runtime == "docker":
            subprocess.run(["docker", "kill", identifier.removeprefix("docker://")], check=True, capture_output=True)
        else:
            os.kill(int(self.exec(pod, "cat pid")), signal.SIGKILL)

    def node_port(self, service: str) -> int:
        number: int = self.json("get", "service", service)["spec"]["ports"][0]["nodePort"]
        return number


def fetch(url: str, seconds: float = 5) -> str:
    """The body of one GET on a connection of its own."""
    with urllib.request.urlopen(url, timeout=seconds) as answer:
        content: bytes = answer.read()
    return content.decode()
