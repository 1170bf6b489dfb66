"""`prefect.yaml`, made from the charters: `python -m flows.deployments` writes it.

One train and one score deployment per charter, so that `prefect deploy --all` and then
`prefect deployment run train/<name>` work, with the schedule that the charter names.
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
HEAD = "# Made from configs/*.yaml by `make deployments`; edit the charters instead.\n"


def text(charters: Iterable[Path]) -> str:
    """The whole of `prefect.yaml` for these charters."""
    deployments = [
        deployment for path in sorted(charters) for deployment in _deployments(path, load(path))
    ]
    body = yaml.dump({"deployments": deployments}, Dumper=_Plain, sort_keys=False, width=100)
    return HEAD + str(body)


class _Plain(yaml.SafeDumper):
    """Writes what is shared where it is used, without anchors: people read this file."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _deployments(path: Path, charter: Charter) -> list[dict[str, Any]]:
    shared = {
        "tags": [charter.name],
        "parameters": {"charter": path.as_posix()},
        "work_pool": {"name": POOL, "job_variables": {"env": {**SILENT, **RUNS}}},
        # Two runs of one project would train the same twice; the second waits.
        "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
    }
    return [
        {
            "name": charter.name,
            "description": charter.goal.question or f"The model of {charter.goal.target.column}",
            "entrypoint": f"flows/{flow}.py:{flow}",
            "schedules": _schedules(charter) if flow == "train" else [],
            **shared,
        }
        for flow in ("train", "score")
    ]


def _schedules(charter: Charter) -> list[dict[str, Any]]:
    runtime = charter.runtime
    if runtime.schedule is None:
        return []
    cron = {"cron": runtime.schedule, "timezone": runtime.timezone}
    return [{**cron, "slug": f"{charter.name}-season", "active": True}]


if __name__ == "__main__":
    FILE.write_text(text(Path("configs").glob("*.yaml")))
