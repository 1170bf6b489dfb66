"""The end of a training, as a person reads it in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group
from rich.table import Table
from rich.text import Text

from flows.summary import interval, number
from flows.terminal import console, say_end
from flows.train import Trained
from serving.home import home, place
from tasks.evaluate import Scorecard
from tasks.tune import Study


def say_trained(trained: Trained, charter: Path) -> None:
    """The ladder, the holdout, the release, and where to look."""
    console.print()
    console.print(_ladder(trained.study))
    console.print(_reasons(trained.study))
    console.print(_holdout(trained.scorecard))
    for verdict in trained.scorecard.verdicts:
        if not verdict.passed:
            console.print(Text(f"warning: {verdict.gate}: {verdict.message}", "yellow"))
    say_end(
        f"{trained.project}: release {trained.release.number} is live", _where(trained, charter)
    )


def _ladder(study: Study) -> Table:
    table = Table(
        title="The ladder, simplest first", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("rung")
    for name in (study.metric, "95 % interval", "ms", "MB", "trials"):
        table.add_column(name, justify="right")
    for rung in study.ladder:
        if not rung.trials:
            continue
        between = "" if rung.low is None else f"{rung.low:.4g} to {rung.high:.4g}"
        table.add_row(
            f"→ {rung.family}" if rung.taken else f"  {rung.family}",
            number(rung.score), between, number(rung.row_ms, 2), number(rung.model_mb, 2),
            str(rung.trials), style="bold" if rung.taken else "",
        )  # fmt: skip
    return table


def _reasons(study: Study) -> Group:
    """Why each rung was taken or not; of those without a trial, one line for each reason."""
    tried = Table.grid(padding=(0, 1))
    for rung in study.ladder:
        if rung.trials:
            tried.add_row(Text(f"  {rung.family}", "dim"), Text(rung.why, "dim"))
    others: dict[str, list[str]] = {}
    for rung in study.ladder:
        if not rung.trials:
            others.setdefault(rung.why, []).append(rung.family)
    lines = [Text(f"  {', '.join(names)}: {why}", "dim") for why, names in others.items()]
    return Group(tried, *lines)


def _holdout(scorecard: Scorecard) -> Table:
    table = Table(title="\nOn the holdout", title_justify="left", box=None, pad_edge=False)
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for measure in scorecard.measures:
        chosen = "bold" if measure.name == scorecard.metric else ""
        table.add_row(measure.name, number(measure.value), interval(measure), style=chosen)
    for baseline, gain in scorecard.gains.items():
        table.add_row(f"gain over {baseline}", number(gain.value), interval(gain))
    return table


def _where(trained: Trained, charter: Path) -> dict[str, str]:
    page = place(trained.scorecard.page)
    docs = trained.validated.docs if trained.validated else ""
    return {
        "scorecard": page.as_uri(),
        "enough data?": trained.study.appraised,
        **({"what was found": place(found.page).as_uri()} if (found := trained.found) else {}),
        "profile": place(trained.profile.page).as_uri(),
        **({"Data Docs": place(docs).as_uri()} if docs else {}),
        **({"privacy": place(private).as_uri()} if (private := trained.protected.page) else {}),
        "release": str(place(trained.release.where)),
        "serve it": f"perennial serve {charter}",
        "Prefect UI": f"perennial up {charter}",
        "experiments": f"mlflow ui --backend-store-uri sqlite:///{home()}/mlflow/mlflow.db",
    }
