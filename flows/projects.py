"""The projects that `perennial up` runs: a port for each, where to look, what happens by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from charter import Charter, Refusal
from charter.deployment import Deployment
from charter.load import load
from serving.home import home
from tasks.replaying.ticks import ticks

LOOK_AHEAD = (1, 32, 400, 1500)  # days in which a schedule may be due next: few, if it is often


class Project(NamedTuple):
    """A charter, where it stands, and the port of its service."""

    path: Path
    charter: Charter
    port: int

    @property
    def address(self) -> str:
        """Of its service."""
        host = self.charter.deployment.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def loaded(charters: Sequence[Path]) -> list[Project]:
    """The charters loaded; a port that they leave open is the next one that none of them names."""
    if not charters:
        raise Refusal(
            "configs", "found no charter", "wanted at least one",
            "Draft one: `perennial new NAME --data FILE`.",
        )  # fmt: skip
    found = {path: load(path) for path in charters}
    named = {words.deployment.port for words in found.values() if _names_port(words)}
    default = Deployment.model_fields["port"].default
    free = (port for port in range(default, 65_536) if port not in named)
    return [
        Project(path, words, words.deployment.port if _names_port(words) else next(free))
        for path, words in found.items()
    ]


def _names_port(charter: Charter) -> bool:
    return "port" in charter.deployment.model_fields_set


def addresses(
    projects: Sequence[Project], served: Sequence[Project], url: str, pages: str
) -> dict[str, str]:
    """Where to look and what happens by itself; `url` is that of the API."""
    found = {"Prefect UI": url.removesuffix("/api")}
    for project in projects:
        name, runtime = project.charter.name, project.charter.runtime
        lines = [f"no release yet: perennial train {project.path}"]
        if project in served:
            lines = [
                f"service  {project.address}/docs",
                f"page     {pages}/{name}/scorecard.html",
            ]
        lines += [
            f"{what:<8} {when}"
            for what, cron in (("retrain", runtime.schedule), ("monitor", runtime.monitor))
            if (when := _next(cron, runtime.timezone))
        ]
        found[name] = "\n".join(lines)
    found["logs"] = f"{home() / 'prefect'}, {home() / 'releases' / '*' / 'service.log'}"
    found["run one"] = (
        f"PREFECT_API_URL={url} prefect deployment run train/{projects[0].charter.name}"
    )
    return found


def _next(cron: str | None, timezone: str) -> str:
    """When a schedule is due next; empty without a schedule."""
    if cron is None:
        return ""
    now = datetime.now(UTC)
    for days in LOOK_AHEAD:
        if found := ticks(cron, timezone, now, now + timedelta(days=days)):
            return f"{found[0].astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M} {timezone} ({cron})"
    return ""
