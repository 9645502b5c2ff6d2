"""Plots of what was measured: Ready pods over time of one cell, cost against size of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def growth(reports: list[Report], path: Path) -> None:
    """CPU per pod and memory against the number of pods; a point for each cell whose pods only become Ready."""
    pyplot = _pyplot()
    figure, panels = pyplot.subplots(1, 2, figsize=(10, 4))
    plain = [report for report in reports if report["cell"]["scenario"] == "ready"]
    for panel, size in zip(panels, ("pods", "nodes"), strict=True):
        points = sorted((report["cell"][size], _best(report)) for report in plain)
        panel.plot([at for at, _ in points], [cost for _, cost in points], marker="o")
        panel.set(xlabel=size, ylabel="µs of CPU per pod to Ready", xscale="log", ylim=(0, None))
    _save(pyplot, figure, path)


def _best(report: Report) -> float:
    """The least of the rounds: what other work on the machine adds is no cost of ours."""
    rows = [row for row in report["rounds"] if row["phase"] == "ready"]
    return min(float(row["cpu_microseconds_per_pod"]) for row in rows)


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
