"""The table of verbs that speak to any cluster."""

from __future__ import annotations

from orchestrator.cli.main import OBJECTS, Command

VERBS: tuple[Command, ...] = (
    Command("get", "verb.get", "objects as tables, or whole", OBJECTS),
    Command("describe", "verb.describe", "an object with its events, for people", OBJECTS),
    Command("apply", "verb.apply", "make objects be as manifests say", OBJECTS),
    Command("create", "verb.create", "new objects, from manifests or words", OBJECTS),
    Command("delete", "verb.delete", "objects by name, selector or manifest", OBJECTS),
    Command("edit", "verb.edit", "an object in your editor", OBJECTS),
    Command("patch", "verb.patch", "change fields of an object", OBJECTS),
    Command("label", "verb.label", "set or remove labels", OBJECTS),
    Command("annotate", "verb.annotate", "set or remove annotations", OBJECTS),
    Command("scale", "verb.scale", "how many replicas", OBJECTS),
    Command("autoscale", "verb.autoscale", "replicas by CPU load", OBJECTS),
    Command("rollout", "verb.rollout", "status, history, undo, restart, pause, resume", OBJECTS),
    Command("run", "verb.run", "one pod from an image", OBJECTS),
    Command("expose", "verb.expose", "a Service for what runs", OBJECTS),
    Command("logs", "verb.logs", "what containers wrote", OBJECTS),
    Command("exec", "verb.exec", "a command in a container", OBJECTS),
    Command("port-forward", "verb.port_forward", "a local port to a pod", OBJECTS),
    Command("events", "verb.events", "what happened, newest last", OBJECTS),
    Command("top", "verb.top", "CPU and memory of pods or nodes", OBJECTS),
    Command("wait", "verb.wait", "until a condition holds", OBJECTS),
    Command("cordon", "verb.cordon", "no new pods on a node", OBJECTS),
    Command("uncordon", "verb.uncordon", "pods on it again", OBJECTS),
    Command("drain", "verb.drain", "move the pods off a node", OBJECTS),
    Command("taint", "verb.taint", "keep pods off a node by a taint", OBJECTS),
    Command("api-resources", "verb.api_resources", "what the server serves", OBJECTS),
    Command("explain", "verb.explain", "the fields of a kind", OBJECTS),
)
