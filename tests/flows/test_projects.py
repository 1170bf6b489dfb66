"""What `perennial up` says of its projects."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flows.projects import addresses, loaded

API = "http://127.0.0.1:4200/api"
PAGES = "http://127.0.0.1:4200/pages"


def _said(charter: Path, runtime: str = "", host: str = "127.0.0.1", live: bool = True) -> str:
    text = charter.read_text().replace("deployment: {", f"deployment: {{host: '{host}', ")
    charter.write_text(text + runtime)
    projects = loaded([charter])
    return addresses(projects, projects if live else [], API, PAGES)["berries"]


def test_a_project_with_a_release_has_its_service_and_page(project: Path) -> None:
    said = _said(project / "configs" / "berries.yaml", host="::1")
    assert "http://[::1]:8080/docs" in said
    assert f"{PAGES}/berries/scorecard.html" in said


def test_a_project_without_a_release_has_the_command_that_makes_one(project: Path) -> None:
    charter = project / "configs" / "berries.yaml"
    assert f"perennial train {charter}" in _said(charter, live=False)


def test_a_schedule_is_said_with_the_time_when_it_is_due_next(project: Path) -> None:
    clocks = "runtime: {schedule: '30 4 29 2 *', monitor: '0 0 1 1 *', timezone: Asia/Tokyo}\n"
    said = _said(project / "configs" / "berries.yaml", clocks)
    year = datetime.now(UTC).astimezone(ZoneInfo("Asia/Tokyo")).year + 1
    leap = next(found for found in range(year - 1, year + 9) if _is_to_come(found))
    assert f"retrain  {leap}-02-29 04:30 Asia/Tokyo (30 4 29 2 *)" in said
    assert f"monitor  {year}-01-01 00:00 Asia/Tokyo (0 0 1 1 *)" in said


def _is_to_come(year: int) -> bool:
    """Whether the leap day of that year is one, and has not been."""
    try:
        day = datetime(year, 2, 29, 4, 30, tzinfo=ZoneInfo("Asia/Tokyo"))
    except ValueError:
        return False
    return day > datetime.now(UTC)
