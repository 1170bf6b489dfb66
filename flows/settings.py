"""What every process of ours is told about the orchestrator, and that nothing calls home."""

from __future__ import annotations

import os
from collections.abc import Mapping

from serving.home import home

SILENT: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""No library sends telemetry (law 12)."""

RUNS: Mapping[str, str] = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": "tasks",  # else the stages' own log lines vanish
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # a stage called as a function logs, too
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # a killed run is noticed
}
"""What a process that runs flows needs, a worker's included."""


def laptop() -> dict[str, str]:
    """Settings for one machine: Prefect's database and results stand in the root."""
    return {**SILENT, **RUNS, "PREFECT_HOME": str(home() / "prefect")}


def apply() -> None:
    """Put them into the environment, where it does not say otherwise; before Prefect is imported."""
    for name, value in laptop().items():
        os.environ.setdefault(name, value)
