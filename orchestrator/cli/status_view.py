"""``podium status`` as lines: one that sums up, one for each component, then the tree of actors. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from orchestrator.cli.terminal import duration

Object = dict[str, Any]
WELL, PARTLY, BADLY = "●", "◐", "○"
ALIVE = ("running", "starting", "idle", "working")
EQUAL_CHILDREN = 6
"""So many children without trouble under one parent are one line: a thousand kubelets are not a thousand lines."""
NAME_WIDTH = 15
COLUMNS = ("MAILBOX", "MSG/S", "HANDLED", "RESTARTS")
COLUMN_WIDTH = 10


def render(status: Object, width: int) -> list[str]:
    """At most ``width`` characters to a line."""
    lines = [summary(status), *components(status), "", *tree(status["tree"], width)]
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def summary(status: Object) -> str:
    store, nodes = status.get("store") or {}, status.get("nodes") or {}
    members = store.get("members", 1)
    parts = [
        f"podium {status['version']}",
        f"up {duration(status['uptimeSeconds'])}",
        f"{members} members, leader {store.get('leader', '?')}" if members > 1 else "1 member",
        f"revision {grouped(status['revision'])}",
        counted(nodes.get("total", 0), "node"),
        counted(status.get("pods", 0), "pod"),
    ]
    return " · ".join(parts)


def components(status: Object) -> Iterator[str]:
    """The server and the nodes by what they know; every other branch of the tree by its actors."""
    store, nodes = status.get("store") or {}, status.get("nodes") or {}
    keeps = [counted(store.get("keys", 0), "key"), f"log {size(store.get('log_bytes', 0))}"]
    serves = [
        f"{number(status.get('requestsPerSecond', 0))} req/s",
        counted(status.get("watches", 0), "watch", "es"),
    ]
    facts = {
        "store": keeps,
        "apiserver": serves,
        "server": [*keeps, *serves],
        "nodes": [f"{grouped(nodes.get('ready', 0))} of {grouped(nodes.get('total', 0))} ready"],
    }
    seen: set[str] = set()
    for branch in status["tree"].get("children") or ():
        name = component(branch["name"])
        seen.add(name)
        yield component_line(name, branch, facts.get(name), short_of_nodes=name == "nodes" and missing(nodes))
    if "nodes" not in seen:
        mark = PARTLY if missing(nodes) else WELL
        yield f"{'nodes'.ljust(NAME_WIDTH)}{mark}  {' · '.join(facts['nodes'])}"


def missing(nodes: Object) -> bool:
    return bool(nodes.get("ready", 0) < nodes.get("total", 0))


def component(name: str) -> str:
    """Some branches go by a shorter name."""
    return {"api": "apiserver", "kubelets": "nodes"}.get(name, name)


class Health(NamedTuple):
    alive: int
    total: int
    restarts: int
    waiting: int
    worst: Object | None
    """The actor that restarted most."""


def health(node: Object) -> Health:
    actors = [actor for actor in walk(node) if not actor.get("children")]
    alive = sum(is_alive(actor) for actor in actors)
    worst = max(walk(node), key=lambda actor: actor.get("restarts", 0), default=None)
    restarts = sum(actor.get("restarts", 0) for actor in walk(node))
    waiting = sum(actor.get("mailbox", 0) for actor in walk(node))
    return Health(alive, len(actors), restarts, waiting, worst if worst and worst.get("restarts") else None)


def walk(node: Object) -> Iterator[Object]:
    yield node
    for child in node.get("children") or ():
        yield from walk(child)


def is_alive(actor: Object) -> bool:
    return str(actor.get("state", "running")).lower() in ALIVE


def component_line(name: str, branch: Object, facts: Sequence[str] | None, *, short_of_nodes: bool = False) -> str:
    found = health(branch)
    parts = list(facts or ())
    if found.total > 1:
        parts.append(f"{found.alive} of {found.total} actors")
    if not facts:
        parts.append(f"{grouped(found.waiting)} waiting")
    if found.worst is not None:
        parts.append(restarted(found.worst))
    mark = BADLY if found.alive == 0 else PARTLY if found.alive < found.total or short_of_nodes or found.worst else WELL
    return f"{name.ljust(NAME_WIDTH)}{mark}  {' · '.join(parts)}"


def restarted(actor: Object) -> str:
    reason = " ".join(str(actor.get("lastRestartReason") or "").split())
    times = counted(actor["restarts"], "time")
    return f"{actor['name']} restarted {times}" + (f": {reason}" if reason else "")


def tree(root: Object, width: int) -> list[str]:
    """Names at the left, numbers in columns at the right."""
    rows = list(branches(root, "", ""))
    label = max((len(text) for text, _ in rows), default=0)
    label = max(len("ACTOR"), min(label, width - COLUMN_WIDTH * len(COLUMNS) - 1))
    head = "ACTOR".ljust(label) + "".join(column.rjust(COLUMN_WIDTH) for column in COLUMNS)
    lines = [head]
    for text, cells in rows:
        shown = text if len(text) <= label else text[: label - 1] + "…"
        lines.append(shown.ljust(label) + "".join(cell.rjust(COLUMN_WIDTH) for cell in cells))
    return lines


def branches(node: Object, first: str, rest: str) -> Iterator[tuple[str, list[str]]]:
    state = "" if is_alive(node) else f" ({node.get('state')})"
    yield f"{first}{node['name']}{state}", cells([node])
    groups = grouped_children(node.get("children") or ())
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        lead, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if len(group) == 1:
            yield from branches(group[0], rest + lead, rest + below)
        else:
            everyone = [actor for child in group for actor in walk(child)]
            yield f"{rest}{lead}{group[0]['name']} … {group[-1]['name']} ({grouped(len(group))})", cells(everyone)


def grouped_children(children: Sequence[Object]) -> list[list[Object]]:
    """Many calm neighbours of one kind together; whoever restarted or is down stands alone."""
    runs: list[list[Object]] = []
    for child in children:
        if runs and is_calm(child) and runs[-1][0].get("kind") == child.get("kind") and is_calm(runs[-1][0]):
            runs[-1].append(child)
        else:
            runs.append([child])
    found: list[list[Object]] = []
    for run in runs:
        found += [run] if len(run) >= EQUAL_CHILDREN else [[child] for child in run]
    return found


def is_calm(node: Object) -> bool:
    return not node.get("children") and is_alive(node) and not node.get("restarts")


def cells(actors: Sequence[Object]) -> list[str]:
    def total(field: str) -> float:
        return sum(actor.get(field) or 0 for actor in actors)

    restarts = int(total("restarts"))
    return [
        grouped(int(total("mailbox"))),
        number(total("perSecond")),
        grouped(int(total("handled"))),
        grouped(restarts) if restarts else "-",
    ]


def counted(count: int, noun: str, plural: str = "s") -> str:
    return f"{grouped(count)} {noun}{'' if count == 1 else plural}"


def grouped(value: int) -> str:
    """``8 812 441``"""
    return f"{value:,}".replace(",", " ")


def number(value: float) -> str:
    return grouped(round(value)) if value >= 10 or value == int(value) else f"{value:.1f}"


def size(count: int) -> str:
    amount = float(count)
    for unit in ("B", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
