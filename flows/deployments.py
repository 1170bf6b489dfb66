"""The deployments of each charter: `python -m flows.deployments` writes them into `prefect.yaml`.

`prefect deploy --all` brings that file to any Prefect server, and `perennial up` brings the same
dictionaries to its own (`flows/apply.py`). Then `prefect deployment run retrain/<name>` works,
schedules fire, and an alarm of the monitor starts a retrain.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from charter import Charter
from charter.load import load
from flows.settings import RUNS, SILENT

FILE = Path("prefect.yaml")
POOL = "local"
TAG = "perennial"
HEAD = "# Made from configs/*.yaml by `make deployments`; edit the charters instead.\n"
ALARM = "perennial.alarm"
"""The event that the monitor emits, with a `reason` in its payload."""
SERVICE = "perennial.alarm.service"
"""The same, where no new model helps: the service fails or is slow."""

FLOWS = {
    "train": "From the charter to a live release.",
    "score": "Predictions for a file.",
    "retrain": "Folds in what happened since, and lets the better model take over.",
    "monitor": "Looks at drift, performance, age and the service; an alarm starts a retrain.",
    "canary": "Looks at a release that is tried on a share of the traffic, and promotes or withdraws it.",
    "rollback": "Brings the previous release back.",
    "tidy": "Removes what nothing needs any more, and reports the room.",
}
"""Each flow of `flows/<name>.py` that is deployed, and what it does; `canary` where the charter has one."""


def resource(project: str) -> str:
    """What events of a project are about, as Prefect names it."""
    return f"perennial.project.{project}"


def of(path: Path, charter: Charter) -> list[dict[str, Any]]:
    """The deployments of one charter, as `prefect.yaml` has them."""
    question = charter.goal.question or f"What is {charter.goal.target.column}?"
    return [
        {
            "name": charter.name,
            "description": f"{does} {question}",
            "entrypoint": f"flows.{flow}.{flow}",
            "schedules": _schedules(flow, charter),
            "triggers": _triggers(charter) if flow == "retrain" else [],
            "tags": [TAG, charter.name],
            "parameters": {"charter": path.as_posix()},
            "work_pool": {"name": POOL, "job_variables": {"env": {**SILENT, **RUNS}}},
            # Two runs of one project would do the same twice; the second waits.
            "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
        }
        for flow, does in FLOWS.items()
        if flow != "canary" or charter.deployment.trial is not None
    ]


def _schedules(flow: str, charter: Charter) -> list[dict[str, Any]]:
    runtime = charter.runtime
    clocks = {"retrain": runtime.schedule, "monitor": runtime.monitor}
    trial = charter.deployment.trial
    others = {"tidy": charter.storage.schedule, "canary": trial.look if trial else None}
    cron = (clocks | others).get(flow)
    if cron is None:
        return []
    said = {"parameters": {"reason": "its schedule"}} if flow == "retrain" else {}
    when = {"cron": cron, "timezone": runtime.timezone}
    return [{**when, "slug": f"{charter.name}-{flow}", "active": True, **said}]


def _triggers(charter: Charter) -> list[dict[str, Any]]:
    return [
        {
            "type": "event",
            "name": f"{charter.name}: an alarm starts a retrain",
            "description": "What the monitor finds beyond the limits of the charter.",
            "enabled": True,
            "match": {"prefect.resource.id": resource(charter.name)},
            "expect": [ALARM],
            "posture": "Reactive",
            "threshold": 1,
            "within": 0,
            "parameters": {"reason": "{{ event.payload.reason }}"},
        }
    ]


def text(charters: Iterable[Path]) -> str:
    """The whole of `prefect.yaml` for these charters."""
    deployments = [made for path in sorted(charters) for made in of(path, load(path))]
    body = yaml.dump({"deployments": deployments}, Dumper=_Plain, sort_keys=False, width=100)
    return HEAD + str(body)


class _Plain(yaml.SafeDumper):
    """Writes what is shared where it is used, without anchors: people read this file."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


if __name__ == "__main__":
    FILE.write_text(text(Path("configs").glob("*.yaml")))
