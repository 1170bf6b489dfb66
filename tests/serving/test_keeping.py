"""The service and its journal over real HTTP: what is acknowledged is kept, whatever is killed."""

from __future__ import annotations

import http.client
import json
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import releases
from serving.journal import Journal
from serving.journaling import ids
from tasks.service import Service, served
from tests.postgres import database
from tests.serving.handmade import ROWS, SIGNATURE, bundle

CARRIED = SIGNATURE.model_copy(
    update={"carried": (SIGNATURE.inputs[3].model_copy(update={"name": "seen_at"}),)}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("keeping")
    releases.add(base / "flights", bundle(base / "bundle", signature=CARRIED))
    releases.publish(base / "flights", 1, None)
    return base / "flights"


@pytest.fixture(scope="module", params=["sqlite-process", "sqlite-power", "postgres-process"])
def kept(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, Journal]]:
    kind, durable = request.param.split("-")
    url = f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.db"
    if kind == "postgres":
        url = database(request.getfixturevalue("postgres_url"))
    options = ("--journal", url, "--durable", durable, "--simulated")
    with (
        served(folder, "test", options) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
        closing(Journal("flights", url)) as journal,
    ):
        yield client, journal


def _seen(journal: Journal) -> dict[str, Any]:
    return {one.id: one for chunk in journal.window(0, 1e12) for one in chunk}


def test_every_answer_stands_in_the_journal(kept: tuple[httpx.Client, Journal]) -> None:
    client, journal = kept
    row = {"distance": 7, "carrier": "Ä", "seen_at": "2013-04-01T00:00:00Z"}
    answers = [client.post("/predict", json=row).json(), *client.post("/predict", json=ROWS).json()]
    seen = _seen(journal)
    for sent, answer in zip([row, *ROWS], answers, strict=True):
        one = seen[answer["id"]]
        assert json.loads(one.row) == sent
        assert json.loads(one.answer) == answer
        assert (one.release, one.truth) == (1, None)
        assert abs(one.at - time.time()) < 60


def test_many_rows_are_kept_too(kept: tuple[httpx.Client, Journal]) -> None:
    client, journal = kept
    answers = client.post("/predict", json=[{"distance": i} for i in range(3_000)]).json()
    seen = _seen(journal)
    rows = [json.loads(seen[answer["id"]].row)["distance"] for answer in answers]
    assert rows == list(range(3_000))


def test_a_truth_is_acknowledged_and_counted(kept: tuple[httpx.Client, Journal]) -> None:
    client, journal = kept
    name = client.post("/predict", json=ROWS[0]).json()["id"]
    other = client.post("/predict", json=ROWS[0]).json()["id"]

    def tell(body: object) -> dict[str, int]:
        reply = client.post("/feedback", json=body)
        assert reply.status_code == 200, reply.text
        return {key: value for key, value in reply.json().items() if value}

    assert tell({"id": name, "truth": True}) == {"received": 1, "accepted": 1}
    assert tell({"id": name.upper(), "truth": "true"}) == {"received": 1, "duplicates": 1}
    many = [{"id": name, "truth": False}, {"id": other, "truth": "false"}]
    assert tell([*many, {"id": ids.new(), "truth": True}]) == {
        "received": 3, "accepted": 1, "contradictions": 1, "orphans": 1,
    }  # fmt: skip
    seen = _seen(journal)
    assert (seen[name].truth, seen[other].truth) == ("false", "false")
    assert tell([]) == {}


@pytest.mark.parametrize(
    ("body", "row", "field", "remedy"),
    [
        ({"id": "NAME", "truth": "maybe"}, 0, "truth", "Send the class as the model names it"),
        ({"id": "NAME", "truth": None}, 0, "truth", "Send"),
        ({"id": "17", "truth": True}, 0, "id", "Send the id that came with the answer"),
        ({"id": "NAME"}, 0, "truth", 'Send {"id"'),
        ({"id": "NAME", "truth": True, "why": 1}, 0, "why", 'Send {"id"'),
        ([{"id": "NAME", "truth": True}, 7], 1, None, 'Send {"id"'),
    ],
)
def test_bad_feedback_is_refused_and_changes_nothing(
    kept: tuple[httpx.Client, Journal], body: Any, row: int, field: str | None, remedy: str
) -> None:
    client, journal = kept
    name = client.post("/predict", json=ROWS[0]).json()["id"]
    before = journal.counts().labelled
    text = json.dumps(body).replace("NAME", name)
    reply = client.post("/feedback", content=text)
    assert reply.status_code == 422
    (problem,) = reply.json()["detail"]
    assert (problem["row"], problem["field"]) == (row, field)
    assert remedy in problem["remedy"]
    assert journal.counts().labelled == before


def test_a_simulated_service_takes_the_time_from_the_request(
    kept: tuple[httpx.Client, Journal],
) -> None:
    client, journal = kept
    clock = {"Perennial-Time": "2013-04-01T12:00:00Z"}
    name = client.post("/predict", json=ROWS[0], headers=clock).json()["id"]
    assert _seen(journal)[name].at == 1364817600.0


def test_what_is_carried_is_read_and_not_required(kept: tuple[httpx.Client, Journal]) -> None:
    client, _ = kept
    assert client.post("/predict", json={"distance": 1, "seen_at": None}).status_code == 200
    reply = client.post("/predict", json={"distance": 1, "seen_at": "noon"})
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["field"] == "seen_at"
    schema = client.get("/openapi.json").json()["components"]["schemas"]
    assert "kept for the next training" in schema["Row"]["properties"]["seen_at"]["description"]
    assert schema["Truth"]["properties"]["truth"]["enum"] == ["false", "true"]
    assert client.get("/predict").status_code == 405


def test_a_folder_may_be_called_otherwise_than_its_project(folder: Path, tmp_path: Path) -> None:
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere")
    url = f"sqlite:///{tmp_path}/journal.db"
    with (
        served(elsewhere, "test", ("--journal", url)) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        name = client.post("/predict", json=ROWS[0]).json()["id"]
        receipt = client.post("/feedback", json={"id": name, "truth": True}).json()
        assert (receipt["accepted"], receipt["orphans"]) == (1, 0)
    with closing(Journal("flights", url)) as journal:
        assert (journal.counts().labelled, journal.counts().orphans) == (1, 0)


def test_without_a_journal_there_are_ids_and_no_feedback(folder: Path) -> None:
    with (
        served(folder, "test") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        name = client.post("/predict", json=ROWS[0]).json()["id"]
        assert ids.is_one(name)
        reply = client.post("/feedback", json={"id": name, "truth": True})
        assert reply.status_code == 404
        assert "without --journal off" in reply.text


def test_a_journal_that_cannot_be_written_is_no_acknowledgement(
    folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    with (
        served(folder, "test", ("--journal", f"sqlite:///{path}")) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=30) as client,
    ):
        clock = {"Perennial-Time": "2013-04-01T12:00:00Z"}  # says nothing to a real service
        assert client.post("/predict", json=ROWS[0], headers=clock).status_code == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            replies: list[int] = []
            thread = threading.Thread(
                target=lambda: replies.append(client.post("/predict", json=ROWS[0]).status_code)
            )
            thread.start()
            assert httpx.get(f"{client.base_url}/health").status_code == 200
            assert time.monotonic() - begun < 4, "nobody else waits for the journal"
            thread.join()
            assert replies == [503]
            other.execute("ROLLBACK")
        assert client.post("/predict", json=ROWS[0]).status_code == 200
    with closing(Journal("flights", f"sqlite:///{path}")) as journal:
        (seen,) = journal.window(time.time() - 120, time.time() + 1)
        assert len(seen) == 2


def _load(
    service: Service, acknowledged: list[str], told: list[str], stop: threading.Event
) -> None:
    """Ask, and now and then tell the truth, until the service is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    body = json.dumps(ROWS[0])
    try:
        while not stop.is_set():
            connection.request("POST", "/predict", body)
            name = json.loads(connection.getresponse().read())["id"]
            acknowledged.append(name)
            if len(acknowledged) % 7 == 0:
                connection.request("POST", "/feedback", json.dumps({"id": name, "truth": True}))
                if json.loads(connection.getresponse().read())["accepted"]:
                    told.append(name)
    except (OSError, http.client.HTTPException, ValueError):
        pass  # killed: what was not answered was not acknowledged
    finally:
        connection.close()


def _until_there_is_something_to_lose(told: list[str]) -> None:
    """A busy machine may need longer for the first answers than until the first kill."""
    deadline = time.monotonic() + 60
    while not told:
        assert time.monotonic() < deadline, "no truth was acknowledged"
        time.sleep(0.01)


def _kill_at_random(folder: Path, url: str, durable: str, times: int) -> None:
    chance = random.Random()
    acknowledged: list[str] = []
    told: list[str] = []
    for _ in range(times):
        with served(folder, "test", ("--journal", url, "--durable", durable)) as service:
            stop = threading.Event()
            threads = [
                threading.Thread(target=_load, args=(service, acknowledged, told, stop))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            _until_there_is_something_to_lose(told)
            time.sleep(chance.uniform(0.05, 0.8))
            service.process.kill()
            service.process.wait()
            stop.set()
            for thread in threads:
                thread.join()
    with closing(Journal("flights", url)) as journal:
        seen = _seen(journal)
        assert len(set(acknowledged)) == len(acknowledged) > times
        assert not set(acknowledged) - set(seen), "acknowledged and lost"
        assert told
        assert {seen[name].truth for name in told} == {"true"}
        counts = journal.counts()
        assert counts.predictions == len(seen) <= len(acknowledged) + 4 * times
        assert counts.orphans == 0


@pytest.mark.parametrize(("durable", "times"), [("process", 2), ("power", 1)])
def test_nothing_acknowledged_is_lost_when_the_service_is_killed(
    folder: Path, tmp_path: Path, durable: str, times: int
) -> None:
    _kill_at_random(folder, f"sqlite:///{tmp_path}/journal.db", durable, times)


def test_nothing_acknowledged_is_lost_on_postgres(folder: Path, postgres_url: str) -> None:
    _kill_at_random(folder, database(postgres_url), "process", 1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_acknowledged_is_lost_at_25_random_instants(
    folder: Path, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    if kind == "postgres":
        url = database(request.getfixturevalue("postgres_url"))
    _kill_at_random(folder, url, "process", 25)
