"""The service over real HTTP, in a process of its own."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving import releases
from serving.asgi import MAX_BYTES
from serving.form import MAX_ROWS
from serving.journaling import ids
from serving.packing import pack_rows
from serving.predictor import Predictor
from serving.signature import Signature
from tasks.service import served
from tests.serving.handmade import ROWS, SIGNATURE, bundle


def _until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("service")
    releases.add(base / "releases", bundle(base / "bundle"))
    releases.publish(base / "releases", 1, None)
    return base / "releases"


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    with (
        served(folder, "test") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        yield client


def _problems(reply: httpx.Response, status: int = 422) -> list[dict[str, Any]]:
    assert reply.status_code == status, reply.text
    detail: list[dict[str, Any]] = reply.json()["detail"]
    return detail


def test_one_row_gets_an_object_and_many_a_list(client: httpx.Client, folder: Path) -> None:
    predictor = Predictor(folder / "1")
    wanted = predictor.predict(pack_rows(SIGNATURE, ROWS))
    assert wanted.probabilities is not None
    many = client.post("/predict", json=ROWS).json()
    assert len({answer["id"] for answer in many}) == len(ROWS)
    alone = [client.post("/predict", json=row).json() for row in ROWS]
    assert [{**answer, "id": ""} for answer in many] == [{**answer, "id": ""} for answer in alone]
    assert [answer["prediction"] for answer in many] == wanted.labels
    assert [answer["probabilities"]["true"] for answer in many] == pytest.approx(
        wanted.probabilities[:, 1].tolist(), abs=1e-12
    )
    assert {(answer["prediction"], answer["say"]) for answer in many} <= {
        ("true", "likely late"), ("false", "likely on time"),
    }  # fmt: skip
    assert many[0]["release"] == 1
    assert client.post("/predict", json=[]).json() == []


def test_many_rows_are_answered_in_their_order(client: httpx.Client) -> None:
    rows = [{"distance": float(i)} for i in range(MAX_ROWS)]
    shares = [
        answer["probabilities"]["true"] for answer in client.post("/predict", json=rows).json()
    ]
    assert len(shares) == MAX_ROWS
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("body", "row", "field", "found", "remedy"),
    [
        ({"distance": 1, "Cariers": "UA"}, 0, "Cariers", "does not know", "Did you mean carrier?"),
        ({"distance": 1, "qqqq": 1}, 0, "qqqq", "does not know", "Leave it out."),
        ([{"distance": 1}, {"carrier": "UA"}], 1, "distance", "no value", "Send distance"),
        ({"distance": "far"}, 0, "distance", '"far"', "Send a number"),
        ({"distance": None}, 0, "distance", "null", "Example: 1089.0"),
        ({"distance": 1, "holiday": "maybe"}, 0, "holiday", '"maybe"', "Send true or false"),
        ({"distance": 1, "time_hour": "noon"}, 0, "time_hour", '"noon"', "2013-01-01T05:00:00Z"),
        ({"distance": 1, "carrier": ["UA"]}, 0, "carrier", '["UA"]', "Send a text"),
        ([{"distance": 1}, 7], 1, None, "7", 'Send rows like {"distance": 1089.0'),
        ("late?", None, None, '"late?"', "Send rows like"),
    ],
)
def test_a_bad_request_names_row_field_and_remedy(
    client: httpx.Client, body: object, row: int, field: str, found: str, remedy: str
) -> None:
    (problem,) = _problems(client.post("/predict", json=body))
    assert (problem["row"], problem["field"]) == (row, field)
    assert found in problem["found"]
    assert remedy in problem["remedy"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"distance": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(client: httpx.Client, body: bytes) -> None:
    (problem,) = _problems(client.post("/predict", content=body))
    assert "Send rows like" in problem["remedy"]


def test_every_problem_of_a_request_is_listed_up_to_a_limit(client: httpx.Client) -> None:
    rows = [{"distance": "far", "holiday": 3}, {"wind": 1}]
    fields = [(p["row"], p["field"]) for p in _problems(client.post("/predict", json=rows))]
    assert fields == [(0, "distance"), (0, "holiday"), (1, "wind"), (1, "distance")]
    assert len(_problems(client.post("/predict", json=[{}] * 1000))) == 20


def test_too_much_at_once_is_refused(client: httpx.Client) -> None:
    (rows,) = _problems(client.post("/predict", json=[{"distance": 1}] * (MAX_ROWS + 1)), 413)
    assert rows["found"] == "10,001 rows"
    (size,) = _problems(client.post("/predict", content=b" " * (MAX_BYTES + 1)), 413)
    assert "perennial score" in size["remedy"]


def test_health_ready_and_model(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"alive": True}
    assert client.get("/ready").json() == {
        "ready": True,
        "release": 1,
        "canary": None,
        "refused": None,
    }
    model = client.get("/model").json()
    assert (model["project"], model["release"]) == ("flights", 1)
    assert model["metrics"] == [{"name": "roc_auc", "value": 0.7}]
    assert model["manifest"]["files"]["model.onnx"]
    assert model["card"].startswith("# Model card")
    assert [column["name"] for column in model["signature"]["inputs"]][:2] == [
        "distance", "Wind (mph)",
    ]  # fmt: skip


@pytest.mark.parametrize("page", ["/", "/docs", "/model/card"])
def test_pages_load_nothing_from_elsewhere(client: httpx.Client, page: str) -> None:
    reply = client.get(page)
    assert reply.status_code == 200
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", reply.text)


def test_the_card_is_shown_and_cannot_run_a_script(client: httpx.Client) -> None:
    reply = client.get("/model/card")
    assert "<h1>Model card</h1>" in reply.text
    assert "script-src 'none'" in reply.headers["content-security-policy"]


def test_the_words_of_the_charter_are_shown_as_text(client: httpx.Client) -> None:
    assert "Will it be &lt;late&gt;?" in client.get("/").text


def test_the_openapi_document_describes_the_live_model(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == ["distance"]
    assert row["properties"]["distance"]["type"] == "number"
    assert "17 to 4983" in row["properties"]["distance"]["description"]
    request = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    answers = document["components"]["schemas"]["Answer"]["required"]
    for example in request["examples"].values():
        reply = client.post("/predict", json=example["value"])
        assert reply.status_code == 200
        first = reply.json() if isinstance(reply.json(), dict) else reply.json()[0]
        assert list(first) == answers


def test_a_service_waits_for_its_first_release(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "serving", "--releases", str(folder)]
    command += ["--port", "0", "--port-file", str(port_file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        try:
            _until(port_file.exists, 60)
            with httpx.Client(base_url=f"http://127.0.0.1:{port_file.read_text()}") as client:
                _until(lambda: client.get("/ready").json()["refused"] is not None)
                assert client.get("/ready").status_code == 503
                assert client.get("/health").status_code == 200
                (problem,) = _problems(client.post("/predict", json={}), 503)
                assert "perennial train" in problem["found"]
                assert "No release answers yet" in client.get("/").text
                signature = Signature(**{**dict(SIGNATURE), "task": "regression", "classes": ()})
                number = releases.add(folder, bundle(tmp_path / "bundle", signature=signature))
                releases.publish(folder, number, None)
                _until(lambda: client.get("/ready").status_code == 200)
                answer = client.post("/predict", json=ROWS[0]).json()
                assert ids.is_one(answer.pop("id"))
                assert answer == {"prediction": pytest.approx(0.8111), "release": 1}
        finally:
            service.terminate()
        service.wait(timeout=15)


def test_a_broken_release_is_refused_and_the_old_one_serves_on(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    for bias in range(4):
        releases.add(folder, bundle(tmp_path / str(bias), bias=float(bias), golden_off=bias == 2))
    (folder / "2" / "model.onnx").write_bytes(b"changed")
    releases.publish(folder, 1, None)
    with (
        served(folder, "test") as service,
        httpx.Client(base_url=f"http://127.0.0.1:{service.port}") as client,
    ):
        for broken, why in ((2, "found model.onnx changed"), (3, "golden answers off by")):
            releases.publish(folder, broken, broken - 1)
            _until(lambda number=broken: _refused(client) == number)  # type: ignore[misc]
            ready = client.get("/ready")
            assert ready.status_code == 200
            assert why in ready.json()["refused"]["why"]
            assert client.post("/predict", json=ROWS[0]).json()["release"] == 1
            assert f"Release {broken} was not taken" in client.get("/").text
        (folder / "live.json").write_text("{")
        _until(
            lambda: "Deploy again" in (client.get("/ready").json()["refused"] or {"why": ""})["why"]
        )
        shutil.rmtree(folder / "1")
        (folder / "live.json").unlink()
        releases.publish(folder, 4, None)
        _until(lambda: client.get("/ready").json()["release"] == 4)
        assert client.get("/ready").json()["refused"] is None
        assert "release 2 refused (release 1 serves on)" in service.log.read_text()


def _refused(client: httpx.Client) -> int | None:
    refused = client.get("/ready").json()["refused"]
    return refused["release"] if refused else None


def test_a_new_release_is_taken_without_a_failed_request(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    for bias in range(6):
        releases.add(folder, bundle(tmp_path / str(bias), bias=bias / 10))
    releases.publish(folder, 1, None)
    shares = {
        number: Predictor(folder / str(number)).predict(pack_rows(SIGNATURE, ROWS)).probabilities
        for number in releases.numbers(folder)
    }
    stop = threading.Event()
    failed: list[str] = []
    seen: list[int] = []

    def ask(port: int, rows: list[dict[str, Any]]) -> None:
        body = json.dumps(rows)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while not stop.is_set():
            connection.request("POST", "/predict", body)
            reply = connection.getresponse()
            content = reply.read()
            if reply.status != 200:
                failed.append(content.decode())
                continue
            answers = json.loads(content)
            given = {answer["release"] for answer in answers}
            right = shares[min(given)]
            assert right is not None
            first = answers[0]["probabilities"]["true"]
            if len(given) != 1 or abs(first - right[0, 1]) > 1e-9:
                failed.append(f"{given}: {first}")
            seen.append(min(given))
        connection.close()

    def guarded(port: int, rows: list[dict[str, Any]]) -> None:
        try:
            ask(port, rows)
        except Exception as error:
            failed.append(repr(error))

    with served(folder, "test") as service:
        rows: list[dict[str, Any]] = [dict(row) for row in ROWS]
        threads = [
            threading.Thread(target=guarded, args=(service.port, rows * times))
            for times in (1, 1, 1, 200)  # the last one is answered beside the event loop
        ]
        for thread in threads:
            thread.start()
        try:
            for number in range(2, 7):
                releases.publish(folder, number, number - 1)
                _until(lambda wanted=number: wanted in seen)  # type: ignore[misc]
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert not failed
    assert set(seen) == set(range(1, 7))
    assert len(seen) > 100


def test_a_taken_port_is_refused_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "serving", "--releases", str(tmp_path)]
        ended = subprocess.run(
            [*command, "--port", str(port)], capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 2
    assert f"127.0.0.1:{port}: Address already in use" in ended.stderr
    assert "Choose another with --port" in ended.stderr
