"""What a load costs, as an operator reads it in the terminal."""

from __future__ import annotations

from rich.table import Table

from flows.terminal import console, say_end
from tasks.size import Sized
from tasks.sizing.points import Point


def say_sized(sized: Sized) -> None:
    """What was measured, and what the load needs."""
    console.print()
    console.print(_measured(sized))
    each = sized.memory_mb / max(sized.replicas, 1)
    lines = {
        "replicas": _replicas(sized),
        "cores": f"{sized.cores:.2f} busy; give each service one",
        "memory": f"{sized.memory_mb:,.0f} MB resident ({each:,.0f} MB each)",
        "price": f"{sized.core_hours:.3g} core-hours per million predictions",
        "one service": f"up to {sized.most_rps:,.0f} requests/s; from there on a second is needed",
        "journal": f"on, safe against {'a loss of power' if sized.durable == 'power' else 'a killed process'}",
        **{verdict.gate: verdict.message for verdict in sized.verdicts if not verdict.passed},
    }
    style = "green" if all(verdict.passed for verdict in sized.verdicts) else "yellow"
    title = f"{sized.project}: {sized.rps:,.0f} requests/s by release {sized.release}"
    say_end(title, lines, style)


def _replicas(sized: Sized) -> str:
    if not sized.replicas:
        return (
            f"none keeps p99 {sized.limit_ms:g} ms here; take a cheaper model or a faster machine"
        )
    return f"{sized.replicas}, within p99 {sized.limit_ms:g} ms (constraints.latency_p99_ms)"


def _measured(sized: Sized) -> Table:
    title = f"Measured in {sized.seconds:.0f} s, one service, one-row requests"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("requests/s", "p50 ms", "p99 ms", "cores"):
        table.add_column(name, justify="right")
    for point in sized.points:
        late = point.p99_ms is not None and point.p99_ms > sized.limit_ms
        table.add_row(*_cells(point), style="yellow" if late else "")
    return table


def _cells(point: Point) -> tuple[str, str, str, str]:
    times = ["" if one is None else f"{one:,.1f}" for one in (point.p50_ms, point.p99_ms)]
    return f"{point.rate:,.0f}", times[0], times[1], f"{point.cores:.2f}"
