"""Plots of what was measured: Ready pods over time of one cell, cost against size of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.bench.cell import GROWTH

Report = dict[str, Any]


def curve_of(report: Report, path: Path) -> None:
    """How many pods were Ready at each moment, a line for each phase of each round."""
    pyplot = _pyplot()
    cell = report["cell"]
    figure, panel = pyplot.subplots(figsize=(7, 4))
    for row in report["rounds"]:
        points = row.get("curve") or []
        label = f"{row['phase']} {row['round']}: {row['pods_per_second']:,.0f}/s"
        panel.plot([at for at, _ in points], [count for _, count in points], label=label)
    panel.set(xlabel="seconds", ylabel="Ready pods", title=f"{cell['nodes']} nodes, {cell['pods']} pods")
    panel.legend(fontsize=7)
    _save(pyplot, figure, path)


def growth(reports: dict[str, Report], path: Path) -> None:
    """What a pod costs against the number of pods (5,000 nodes) and of nodes (5,000 pods): CPU above, memory below."""
    pyplot = _pyplot()
    figure, rows = pyplot.subplots(2, 2, figsize=(10, 8))
    for column, (size, cells) in enumerate(GROWTH.items()):
        found = [reports[name] for name in cells if name in reports]
        for panel, cost, words in zip(rows[:, column], (_best, _kilobytes), COSTS, strict=True):
            points = sorted((report["cell"][size], cost(report)) for report in found)
            panel.plot([at for at, _ in points], [each for _, each in points], marker="o")
            panel.set(xlabel=size, ylabel=words, xscale="log", ylim=(0, None))
    _save(pyplot, figure, path)


COSTS = ("µs of CPU per pod to Ready", "KB per running pod: resident, less what the nodes took")


def _best(report: Report) -> float:
    """The least of the rounds: what other work on the machine adds is no cost of ours."""
    rows = [row for row in report["rounds"] if row["phase"] == "ready"]
    return min(float(row["cpu_microseconds_per_pod"]) for row in rows)


def _kilobytes(report: Report) -> float:
    """Of the first round, before which there were nodes only."""
    row = next(row for row in report["rounds"] if row["phase"] == "ready")
    taken = float(row["rss_mb"]) - float(row["rss_before_mb"])
    return taken * 1024 / int(report["cell"]["pods"])


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(pyplot: Any, figure: Any, path: Path) -> None:
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    pyplot.close(figure)
