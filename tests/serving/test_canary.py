"""A canary in a real service under load: its share, no failed request, out at once where it is bad."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import sqrt
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import canary, releases
from serving.journal import Journal
from tasks.service import served
from tests.serving.handmade import SIGNATURE, bundle

SHARE = 0.25


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Release 1 is live."""
    where = tmp_path / "flights"
    releases.add(where, bundle(tmp_path / "1"))
    releases.publish(where, 1, None)
    return where


def _start(folder: Path, **different: Any) -> int:
    """The next release takes its share."""
    number = releases.add(folder, bundle(folder.parent / "new", **different))
    live = releases.live(folder)
    assert live is not None
    canary.start(folder, number, live.release, SHARE, {})
    return number


class Load:
    """What several clients are answered, each with rows of its own."""

    def __init__(self, service: httpx.Client, wind: float) -> None:
        self.service = service
        self.wind = wind
        self.statuses: Counter[int] = Counter()
        self.answered: list[int] = []
        self.over = threading.Event()

    def run(self, client: int) -> None:
        at = 0
        with httpx.Client(base_url=self.service.base_url, timeout=30) as own:
            while not self.over.is_set():
                row = {"distance": at + client / 8, "Wind (mph)": self.wind}
                reply = own.post("/predict", json=row)
                self.statuses[reply.status_code] += 1
                self.answered.append(reply.json()["release"])
                at += 1

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"it did not happen in time: {self.ready()}"
            time.sleep(0.02)

    def ready(self) -> dict[str, Any]:
        return dict(self.service.get("/ready").json())

    def taken(self, release: int, tried: int | None) -> None:
        """Until the service has followed."""
        self.until(lambda: (self.ready()["release"], self.ready()["canary"]) == (release, tried))

    def more(self, count: int) -> list[int]:
        """So many more answers."""
        begin = len(self.answered)
        self.until(lambda: len(self.answered) >= begin + count)
        return self.answered[begin:]


@contextmanager
def under_load(folder: Path, journal: str, wind: float = 10.0) -> Iterator[Load]:
    with (
        served(folder, "canary under load", ("--journal", journal)) as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=30) as client,
    ):
        load = Load(client, wind)
        threads = [threading.Thread(target=load.run, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield load
        finally:
            load.over.set()
            for thread in threads:
                thread.join()
        service.process.terminate()  # so that it enters what it has counted
        service.process.wait(30)


@pytest.mark.timeout(180)
def test_it_takes_its_share_and_no_request_fails_from_start_to_end(folder: Path) -> None:
    journal = f"sqlite:///{folder.parent}/journal.db"
    with under_load(folder, journal) as load:
        load.more(50)
        assert set(load.answered) == {1}
        assert _start(folder, bias=0.5) == 2
        load.taken(1, 2)
        some = load.more(1_000)
        spread = sqrt(SHARE * (1 - SHARE) * len(some))
        assert abs(some.count(2) - SHARE * len(some)) < 4 * spread
        canary.withdraw(folder, 2, {})
        load.taken(1, None)
        assert set(load.more(50)[10:]) == {1}
        canary.start(folder, 2, 1, SHARE, {})
        load.taken(1, 2)
        canary.promote(folder, 2, 1, {})
        load.taken(2, None)
        assert set(load.more(50)[10:]) == {2}
    assert set(load.statuses) == {200}
    kept = Journal("flights", journal)
    seen = Counter(one.release for some in kept.window(0, 2e10) for one in some)
    assert seen == Counter(load.answered), "each is journalled under the release that answered"
    arms = [sum(minute.requests for minute in kept.arm(number, 0, 2e10)) for number in (1, 2)]
    assert 0 < arms[1] <= seen[2]
    assert 0 < arms[0] <= seen[1]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("different", "wind", "why"),
    [
        ({"fragile": True}, 40.0, "answers failed"),
        pytest.param({"slow": 150}, 10.0, "too late|took longer", marks=pytest.mark.slow),
    ],
)
def test_one_that_crashes_or_is_slow_is_out_at_once_and_nobody_meets_it(
    folder: Path, different: dict[str, Any], wind: float, why: str
) -> None:
    with under_load(folder, "off", wind) as load:
        load.more(50)
        number = _start(folder, bias=0.5, **different)
        load.until(lambda: _live(folder).withdrawn is not None)
        load.taken(1, None)
        load.more(10)
    gone = _live(folder).withdrawn
    assert gone is not None
    assert gone.canary.release == number
    assert re.search(why, str(gone.note["why"]))
    assert gone.note["asked"] == "the service"
    assert set(load.statuses) == {200}
    if "fragile" in different:
        assert set(load.answered) == {1}


def _live(folder: Path) -> releases.Live:
    live = releases.live(folder)
    assert live is not None
    return live


def test_a_question_keeps_its_release_and_so_does_a_named_client(folder: Path) -> None:
    _start(folder, bias=0.5)
    rows = [{"distance": float(at)} for at in range(60)]
    with (
        served(folder, "canary") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        assert client.get("/ready").json()["canary"] == 2
        first = [client.post("/predict", json=row).json()["release"] for row in rows]
        assert [client.post("/predict", json=row).json()["release"] for row in rows] == first
        assert set(first) == {1, 2}
        for name in ("ann", "bob", "eve", "joe"):
            named = {client.post("/predict", json=row, headers={"perennial-key": name}).json()["release"] for row in rows}  # fmt: skip
            assert len(named) == 1
        many = client.post("/predict", json=rows * 40).json()  # beside the event loop
        assert len({one["release"] for one in many}) == 1
        theirs = rows[first.index(2)]
        body = json.dumps(theirs).encode()
        moved = client.post("/reasons", content=body)
        assert moved.status_code == 200
        metrics = client.get("/metrics").text
        assert "perennial_canary_release 2" in metrics
        assert f"perennial_canary_share {SHARE}" in metrics

        def asked(version: str, distance: float) -> str:
            one = {"name": "distance", "shape": [1], "datatype": "FP64", "data": [distance]}
            reply = client.post(f"/v2/models/flights{version}/infer", json={"inputs": [one]})
            assert reply.status_code == 200, reply.text
            return str(reply.json()["model_version"])

        assert {asked("/versions/1", at) for at in range(20)} == {"1"}
        assert {asked("/versions/2", at) for at in range(20)} == {"2"}
        assert {asked("", at) for at in range(40)} == {"1", "2"}
        assert client.get("/v2/models/flights/versions/3/ready").status_code == 404


def test_what_only_the_canary_refuses_the_champion_answers(folder: Path) -> None:
    """A request that the old release took is not refused because of a new one."""
    distance, wind, *others = SIGNATURE.inputs
    renamed = wind.model_copy(update={"name": "breeze"})
    other = SIGNATURE.model_copy(update={"inputs": (distance, renamed, *others)})
    number = releases.add(folder, bundle(folder.parent / "other", signature=other))
    canary.start(folder, number, 1, 0.9, {})
    with (
        served(folder, "canary") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        replies = [
            client.post("/predict", json={"distance": at, "Wind (mph)": 3}) for at in range(40)
        ]
        assert {reply.status_code for reply in replies} == {200}
        assert {reply.json()["release"] for reply in replies} == {1}
        both = client.post("/predict", json={"distance": "far"})
        assert both.status_code == 422, "what both refuse is the client's"
        assert "answers failed" in str((_until_out(folder)).note["why"])


def _until_out(folder: Path) -> releases.Withdrawn:
    deadline = time.monotonic() + 30
    while (gone := _live(folder).withdrawn) is None:
        assert time.monotonic() < deadline, "it was not withdrawn"
        time.sleep(0.02)
    return gone


@pytest.mark.slow
def test_a_canary_that_does_not_load_is_told_and_the_champion_answers_alone(folder: Path) -> None:
    number = _start(folder, bias=0.5)
    (folder / str(number) / "model.onnx").write_bytes(b"changed")
    with (
        served(folder, "canary") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        ready = client.get("/ready").json()
        deadline = time.monotonic() + 30
        while ready["refused"] is None:
            assert time.monotonic() < deadline, ready
            ready = client.get("/ready").json()
        assert (ready["release"], ready["canary"], ready["refused"]["release"]) == (1, None, 2)
        found = {
            client.post("/predict", json={"distance": at}).json()["release"] for at in range(20)
        }
        assert found == {1}
