"""One service for all tests that only ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from serving import releases
from tasks.history import Entry
from tasks.service import served
from tests.serving.handmade import bundle

HISTORY = (
    Entry(project="flights", event="trained", why="deployed", at="2026-01-01T04:00:00Z", release=1),
    Entry(project="flights", event="skipped", why="too few rows", at="2026-01-02T04:00:00Z", release=1),
    Entry(
        project="flights", event="promoted", why="roc_auc is better by 0.05",
        at="2026-02-01T04:00:00Z", release=2, previous=1,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Flights:
    """The service of the project flights, and its journal."""

    address: str
    """Host and port."""
    journal: str
    client: httpx.Client


@pytest.fixture(scope="session")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flights]:
    base = tmp_path_factory.mktemp("flights")
    journal = f"sqlite:///{base}/journal.db"
    for number in (1, 2):
        releases.add(base / "flights", bundle(base / str(number), bias=(2 - number) / 10))
        releases.publish(base / "flights", number, number - 1 or None)
    lines = [entry.model_dump_json() + "\n" for entry in HISTORY]
    (base / "flights" / "history.jsonl").write_text("".join(lines))
    with served(base / "flights", "test", ("--journal", journal)) as service:
        address = f"127.0.0.1:{service.port}"
        with httpx.Client(base_url=f"http://{address}") as client:
            yield Flights(address, journal, client)
