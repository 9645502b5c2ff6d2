"""The curves of the store's measurements, from their JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def beside(result: dict[str, Any], path: Path) -> None:
    """Puts per second and the slowest hundredth over the number of clients, ours and etcd's."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, (rate, late) = pyplot.subplots(1, 2, figsize=(10, 4))
    clients = [row["clients"] for row in result["rows"]]
    for name, label in (("podium", "podium store serve"), ("etcd", f"etcd {result['etcd']}")):
        rate.plot(clients, [row[name]["puts_per_second"] for row in result["rows"]], marker="o", label=label)
        late.plot(clients, [row[name]["p99_ms"] for row in result["rows"]], marker="o", label=label)
    for axis, words in ((rate, "durable puts per second, 1 KiB"), (late, "p99, ms")):
        axis.set_xscale("log", base=2)
        axis.set_xlabel("clients")
        axis.set_ylabel(words)
        axis.set_ylim(bottom=0)
        axis.legend()
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def growth(result: dict[str, Any], path: Path) -> None:
    """CPU time of a put and memory over the number of keys."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, (cost, memory) = pyplot.subplots(1, 2, figsize=(10, 4))
    keys = [row["keys"] for row in result["rows"]]
    cost.plot(keys, [row["cpu_us_per_put"] for row in result["rows"]], marker="o")
    memory.plot(keys, [row["rss_bytes"] / 2**30 for row in result["rows"]], marker="o")
    for axis, words in ((cost, "CPU µs per put"), (memory, "resident GiB")):
        axis.set_xscale("log")
        axis.set_xlabel("keys of 1 KiB")
        axis.set_ylabel(words)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
