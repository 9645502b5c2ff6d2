"""The curves of the store's measurements, from their JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def beside(result: dict[str, Any], path: Path) -> None:
    """Puts per second and the slowest hundredth over the number of clients, ours and etcd's; a row for each group."""
    pyplot = _pyplot()
    groups = sorted({row["members"] for row in result["rows"]})
    figure, axes = pyplot.subplots(len(groups), 2, figsize=(10, 4 * len(groups)), squeeze=False)
    for members, (rate, late) in zip(groups, axes, strict=True):
        rows = [row for row in result["rows"] if row["members"] == members]
        clients = [row["clients"] for row in rows]
        for name, label in (("podium", "podium store serve"), ("etcd", f"etcd {result['etcd']}")):
            rate.plot(clients, [row[name]["puts_per_second"] for row in rows], marker="o", label=label)
            late.plot(clients, [row[name]["p99_ms"] for row in rows], marker="o", label=label)
        what = "one member" if members == 1 else f"{members} members"
        for axis, words in ((rate, f"{what}: durable puts per second, 1 KiB"), (late, f"{what}: p99, ms")):
            axis.set_xscale("log", base=2)
            axis.set_xlabel("clients")
            _finish(axis, words)
            axis.legend()
    _save(figure, path)


def growth(result: dict[str, Any], path: Path) -> None:
    """CPU time of a put and memory over the number of keys."""
    pyplot = _pyplot()
    figure, (cost, memory) = pyplot.subplots(1, 2, figsize=(10, 4))
    keys = [row["keys"] for row in result["rows"]]
    cost.plot(keys, [row["cpu_us_per_put"] for row in result["rows"]], marker="o")
    memory.plot(keys, [row["rss_bytes"] / 2**30 for row in result["rows"]], marker="o")
    for axis, words in ((cost, "CPU µs per put"), (memory, "resident GiB")):
        axis.set_xscale("log")
        axis.set_xlabel("keys of 1 KiB")
        _finish(axis, words)
    _save(figure, path)


def _pyplot() -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    return pyplot


def _finish(axis: Any, words: str) -> None:
    axis.set_ylabel(words)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    # The same figures give the same file.
    figure.savefig(path, metadata={"Date": None})
    _pyplot().close(figure)
