"""The figures of the cells as a table and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Record = dict[str, Any]


def table(records: list[Record]) -> str:
    head = f"{'cell':<68}{'pods/s':>9}{'target':>9}{'times':>8}{'kube':>7}{'us CPU/pod':>12}{'max MB':>9}  recount"
    lines = [head]
    for record in records:
        kubernetes = record["kubernetes_pods_per_second"]
        times = f"{record['pods_per_second'] / kubernetes:.1f}" if kubernetes else "-"
        lines.append(
            f"{record['cell']:<68}{record['pods_per_second']:>9,.0f}{record['target_pods_per_second']:>9,.0f}"
            f"{times:>8}{kubernetes or '-':>7}{record['cpu_microseconds_per_pod']:>12,.0f}"
            f"{record['memory_max_mb']:>9,.0f}  {record['recount_errors'] or 'clean'}"
        )
    return "\n".join(lines)


def plot(records: list[Record], path: Path) -> None:
    """Bars of pods/s with the target as a mark and kube-scheduler's figure below, and how each cell came along."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (bars, lines) = pyplot.subplots(1, 2, figsize=(16, 8))
    names = [record["cell"].split("/")[0] + "\n" + record["cell"].split("/")[1] for record in records]
    places = range(len(records))
    bars.barh(places, [record["pods_per_second"] for record in records], color="#3366aa", label="Podium")
    bars.barh(places, [record["kubernetes_pods_per_second"] or 0 for record in records], color="#cc4444", label="kube")
    bars.plot([record["target_pods_per_second"] for record in records], places, "k|", markersize=14, label="target")
    bars.set_yticks(places, names, fontsize=6)
    bars.invert_yaxis()
    bars.set_xlabel("pods/s, created through the API and bound")
    bars.legend()
    for record in records:
        times, counts = zip(*record["series"], strict=True)
        share = [count / max(counts) for count in counts]
        lines.plot(times, share, linewidth=1, label=record["cell"].split("/")[0])
    lines.set_xlabel("seconds since the first create")
    lines.set_ylabel("share of the pods bound")
    lines.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
