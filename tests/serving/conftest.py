"""One service for all tests that only ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from serving import releases
from tasks.service import served
from tests.serving.handmade import bundle


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
    with served(base / "flights", "test", ("--journal", journal)) as service:
        address = f"127.0.0.1:{service.port}"
        with httpx.Client(base_url=f"http://{address}") as client:
            yield Flights(address, journal, client)
