"""The measured as medians and ranges: a record for JSON, a table in Markdown, a plot."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.actors.libraries import BYTES, CASES, LOCAL, Library

HEADINGS = {
    "tell": "tell/s",
    "tell_typed": "tell/s, typed",
    "tell_small": "tell/s, small",
    "tell_encoded": "tell/s, `Encoded`",
    "ask": "ask/s",
    "ask_typed": "ask/s, typed",
    "spawn": "spawn/s",
    "remote_tell": "remote tell/s",
    "remote_ask": "remote ask/s",
    "remote_ask_64": "remote ask/s, 64 in flight",
    "idle": "KiB an idle actor",
    "million": "KiB an actor, a million",
}
TARGETS = {
    "tell": 300_000,
    "tell_small": 600_000,
    "tell_encoded": 1_000_000,
    "ask": 90_000,
    "spawn": 60_000,
    "remote_tell": 80_000,
    "remote_ask": 8_000,
    "remote_ask_64": 40_000,
    "idle": 4.0,
}
"""What this library promises on two quiet cores; on uvloop 140,000 asks. The idle actor's is an upper bound."""
PLOTTED = ("tell", "ask", "spawn", "remote_tell", "remote_ask")

Samples = Mapping[str, Sequence[Mapping[str, float]]]


def summarize(library: Library, version: str, failure: str, samples: Samples) -> dict[str, Any]:
    cases = {}
    for case, runs in samples.items():
        if case in BYTES:
            cases[case] = _spread([run["bytes"] / run["count"] / 1024 for run in runs if "bytes" in run])
        else:
            cases[case] = _spread([run["count"] / run["seconds"] for run in runs])
            cpu = [run["count"] / run["cpu_seconds"] for run in runs if run.get("cpu_seconds")]
            if cpu:
                cases[case]["per_cpu_second"] = statistics.median(cpu)
    return {
        "name": library.name,
        "version": version,
        "loop": library.loop,
        "remark": library.remark,
        "failure": failure,
        "cases": cases,
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "runs": len(values)}


def table(results: Sequence[Mapping[str, Any]], machine: Mapping[str, Any], runs: int) -> str:
    """Two tables, in one process and between processes, and what could not be measured."""
    here = [case for case in CASES if not case.startswith("remote") and case not in ("million",)]
    there = [case for case in CASES if case.startswith("remote")]
    facts = (
        f"{machine['cpus']} x {machine['cpu']}, Python {machine['python']}, load {machine['load'][0]:.1f} at the start"
    )
    lines = [f"Median (lowest to highest) of {runs} runs by the wall clock; {facts}; {machine['at']}.", ""]
    lines += [*_rows(results, here), "", "By a second of CPU time instead (medians):", "", *_by_cpu(results)]
    if any(case in result["cases"] for case in there for result in results):
        lines += ["", "Between processes, by the wall clock:", "", *_rows(results, there)]
    for result in results:
        million = result["cases"].get("million")
        if million:
            lines += ["", f"A million idle actors in one process ({result['name']}): {million['median']:.2f} KiB each."]
    failed = [result for result in results if result["failure"]]
    if failed:
        lines += ["", "Not measured, or not to the end:", ""]
        lines += [f"- {result['name']}: {result['failure']}" for result in failed]
    return "\n".join(lines) + "\n"


def _by_cpu(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rates by the CPU time of the measuring process: what a busy machine hardly changes."""
    shown = [case for case in LOCAL if any("per_cpu_second" in result["cases"].get(case, {}) for result in results)]
    lines = ["| library | " + " | ".join(HEADINGS[case] for case in shown) + " |", "|---|" + "---|" * len(shown)]
    for result in results:
        rates = [result["cases"].get(case, {}).get("per_cpu_second") for case in shown]
        if any(rates):
            lines.append(f"| {result['name']} | " + " | ".join(_short(rate) if rate else "-" for rate in rates) + " |")
    return lines


def _rows(results: Sequence[Mapping[str, Any]], cases: Sequence[str]) -> list[str]:
    shown = [case for case in cases if any(case in result["cases"] for result in results)]
    lines = [
        "| library | version | " + " | ".join(HEADINGS[case] for case in shown) + " | |",
        "|---|---|" + "---|" * len(shown) + "---|",
    ]
    for result in results:
        if any(case in result["cases"] for case in shown):
            cells = [_cell(case, result["cases"].get(case)) for case in shown]
            lines.append(
                f"| {result['name']} | {result['version']} | " + " | ".join(cells) + f" | {result['remark']} |"
            )
    return lines


def _cell(case: str, spread: Mapping[str, float] | None) -> str:
    if spread is None:
        return "-"
    if case in BYTES:
        return f"{spread['median']:,.1f}"
    return f"{_short(spread['median'])} ({_short(spread['low'])} to {_short(spread['high'])})"


def _short(rate: float) -> str:
    if rate >= 1_000_000:
        return f"{rate / 1_000_000:.2f} M"
    return f"{rate / 1_000:.1f} k" if rate >= 1_000 else f"{rate:.0f}"


def plot(results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """A panel for each case, the rates on a logarithmic scale with their ranges."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    cases = [case for case in PLOTTED if any(case in result["cases"] for result in results)]
    if not cases:
        return
    figure, panels = pyplot.subplots(1, len(cases), figsize=(3.4 * len(cases), 4.2), squeeze=False)
    for panel, case in zip(panels[0], cases, strict=True):
        shown = [result for result in reversed(results) if case in result["cases"]]
        spreads = [result["cases"][case] for result in shown]
        names = [result["name"] for result in shown]
        medians = [spread["median"] for spread in spreads]
        below = [spread["median"] - spread["low"] for spread in spreads]
        above = [spread["high"] - spread["median"] for spread in spreads]
        colours = ["#1f77b4" if name.startswith("podium") else "#b0b0b0" for name in names]
        panel.barh(names, medians, xerr=[below, above], color=colours, ecolor="#404040", capsize=2)
        panel.set_xscale("log")
        panel.set_title(HEADINGS[case])
        panel.tick_params(labelsize=7)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
