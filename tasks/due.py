"""Whether there is enough that is new for a retrain."""

from __future__ import annotations

from charter import Charter
from serving import releases
from serving.bundle import load
from serving.home import home
from tasks.collect import Collected
from tasks.lake import Table
from tasks.protection.suppressed import marked


def enough(charter: Charter, table: Table, collected: Collected) -> str:
    """Why a retrain would bring nothing; empty where it may.

    It may where nothing is live, where enough rows with their truth were collected since the live
    release was trained, where the source itself has changed (`table` is its validated
    rows), and where the live release learned from a person who was erased since.
    """
    folder = home() / "releases" / charter.name
    live = releases.live(folder)
    if live is not None and live.release in marked(charter.name):
        return ""
    if live is None or collected.fresh >= charter.runtime.minimum_rows:
        return ""
    seen = load(folder / str(live.release)).manifest.tables
    if table.where in seen and seen[table.where] != table.version:
        return ""
    rows = "rows" if charter.goal.target.sought else "rows with their truth"
    return (
        f"only {collected.fresh:,} {rows} came since release {live.release} was "
        f"trained, wanted at least {charter.runtime.minimum_rows:,} (runtime.minimum_rows)"
    )
