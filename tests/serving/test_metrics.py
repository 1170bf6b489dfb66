"""What Prometheus reads of a service."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families

from serving.journaling.stores import Record, Store
from serving.journaling.writers import Writer
from tests.serving.conftest import Flights
from tests.serving.handmade import ROWS


def _samples(text: str) -> dict[tuple[str, ...], float]:
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation for family in families)
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in families
        for one in family.samples
    }


def test_requests_latency_journal_and_release_are_told(flights: Flights) -> None:
    client = flights.client
    before = defaultdict(float, _samples(client.get("/metrics").text))
    for _ in range(3):
        client.post("/predict", json=ROWS[0])
    client.post("/predict", json={})
    client.get("/nowhere/7")
    client.get("/v2/models/flights/ready")
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = _samples(reply.text)
    more = {name: value - before[name] for name, value in found.items()}
    count = ("perennial_requests_total", "/predict")
    assert more[*count, "200"] == 3
    assert more[*count, "422"] == 1
    assert more["perennial_requests_total", "/v2/models/{name}/ready", "200"] == 1
    assert more["perennial_requests_total", "other", "404"] == 1
    answered = sum(value for name, value in found.items() if name[:2] == count)
    assert found["perennial_request_seconds_bucket", "+Inf", "/predict"] == answered
    assert found["perennial_request_seconds_count", "/predict"] == answered
    assert 0 < found["perennial_request_seconds_sum", "/predict"] < 60 * answered
    assert found[("perennial_release",)] == 2
    assert time.time() - found[("perennial_release_live_timestamp_seconds",)] < 3_600
    assert found[("perennial_release_refused",)] == 0
    assert found[("perennial_journal_waiting_predictions",)] == 0
    assert 0 < found[("perennial_journal_unfolded_seconds",)] < 3_600
    assert found[("process_resident_memory_bytes",)] > 1e7


class Slow(Store):
    """A journal that takes its time, or is held by another writer for so long."""

    def insert(self, records: Sequence[Record]) -> None:
        time.sleep(0.05)

    def close(self) -> None:
        pass


RECORD = Record("toy", "id", 0.0, 1, "{}", "{}")


def test_the_lag_of_the_journal_is_that_of_the_oldest_prediction() -> None:
    async def lags(writer: Writer) -> list[tuple[int, float]]:
        first = writer.add([RECORD, RECORD])
        found = [writer.waiting]
        await asyncio.sleep(0.01)
        second = writer.add([RECORD])
        found.append(writer.waiting)
        await asyncio.gather(first, second)
        found.append(writer.waiting)
        await writer.close()
        return found

    held = asyncio.run(lags(Writer(Slow(), far=True)))
    assert [waiting for waiting, _ in held] == [2, 3, 0]
    assert held[1][1] >= 0.01
    assert held[2][1] == 0
