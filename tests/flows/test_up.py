"""`perennial up`: what it refuses, what it runs, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import pytest

from charter import Refusal
from flows import server
from flows.projects import loaded
from flows.up import up
from tasks import history
from tests.flows.arrivals import arrive

SERVER = "http://127.0.0.1:{}/api"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def _second(project: Path, deployment: str = "") -> None:
    first = (project / "configs" / "berries.yaml").read_text()
    text = first.replace("name: berries", "name: cherries") + deployment
    (project / "configs" / "cherries.yaml").write_text(text)


def _with_port(project: Path, port: int) -> None:
    charter = project / "configs" / "berries.yaml"
    deployment = f"deployment: {{port: {port}, "
    charter.write_text(charter.read_text().replace("deployment: {", deployment))


def test_a_port_that_is_taken_is_refused_with_what_it_is_for(project: Path, taken: int) -> None:
    with pytest.raises(Refusal, match=r"free for the Prefect UI.*Choose another with --port"):
        up((), taken)
    _with_port(project, taken)
    with pytest.raises(Refusal, match=r"the service of berries.*Set deployment.port in configs"):
        up((), server.free_port())


def test_a_port_that_two_charters_name_is_refused(project: Path) -> None:
    _with_port(project, server.free_port())
    _second(project)
    with pytest.raises(Refusal, match=r"the service of berries as well.*another deployment.port"):
        up((), server.free_port())


def test_ports_that_charters_leave_open_are_counted_on(project: Path) -> None:
    _second(project)
    found = loaded([Path("configs/berries.yaml"), Path("configs/cherries.yaml")])
    assert [one.port for one in found] == [8080, 8081]


def test_a_folder_without_charters_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refusal, match="perennial new"):
        up((), server.free_port())


def test_a_second_one_on_the_same_root_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "running", lambda: "http://127.0.0.1:1/api")
    with pytest.raises(Refusal, match=r"another `perennial` is at work.*Wait until"):
        up((), server.free_port())


class Running:
    """`perennial up` in a process of its own, and the API of its server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.log = process, log
        self.url = SERVER.format(port)

    def said(self, words: str, seconds: float = 120) -> None:
        """Wait until it has printed the words."""
        _until(lambda: words in self.log.read_text(), seconds, self.log.read_text)

    def ask(self, path: str, body: Any) -> Any:
        request = Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def start(self, deployment: str, *more: str) -> str:
        """Ask for a run as the command line of Prefect does; its id."""
        command = [sys.executable, "-m", "prefect", "--no-prompt", "deployment", "run"]
        environment = {**os.environ, "PREFECT_API_URL": self.url}
        done = subprocess.run(
            [*command, deployment, *more],
            env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return next(line.split()[-1] for line in done.stdout.splitlines() if "UUID" in line)

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """The runs of a flow that are not merely planned, oldest first."""
        wanted = {
            "flows": {"name": {"any_": [flow]}},
            "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}},
            "sort": "START_TIME_ASC",
        }
        return list(self.ask("/flow_runs/filter", wanted))

    def run(self, id: str) -> dict[str, Any]:
        return dict(self.ask("/flow_runs/filter", {"flow_runs": {"id": {"any_": [id]}}})[0])

    def completed(self, id: str, seconds: float = 240) -> None:
        """Wait until the run is over and has gone well."""
        ends = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        _until(lambda: self.run(id)["state_type"] in ends, seconds, lambda: str(self.run(id)))
        assert self.run(id)["state_type"] == "COMPLETED", self.run(id)["state"]


def _until(true: Callable[[], bool], seconds: float, tell: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, tell()
        time.sleep(0.3)


@contextmanager
def _up(project: Path) -> Iterator[Running]:
    port, log = server.free_port(), project / "up.log"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", "up", "--port", str(port)],
            cwd=project, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    house = Running(process, port, log)
    below: list[psutil.Process] = []
    try:
        house.said("Ctrl-C ends it", 180)
        yield house
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0, log.read_text()
    finally:
        with suppress(psutil.NoSuchProcess):
            below += psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(below, timeout=30)
        assert alive == []


@pytest.fixture
def patient(project: Path) -> Path:
    """The project with a port of its own, and few rows that are enough for a retrain."""
    charter = project / "configs" / "berries.yaml"
    charter.write_text(charter.read_text() + "runtime: {minimum_rows: 200}\n")
    _with_port(project, server.free_port())
    return project


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_house_trains_serves_and_retrains_when_asked_alarmed_or_due(patient: Path) -> None:
    with _up(patient) as house:
        house.said("no release yet: perennial train configs/berries.yaml")
        house.completed(house.start("train/berries"))
        house.said("the first release is served at")
        arrive(300, first=900, at=time.time() - 3600, sweeter=8.0)
        house.completed(house.start("monitor/berries", "--watch"))
        _until(lambda: bool(house.runs("retrain")), 60, lambda: "the alarm started nothing")
        asked = [house.start("retrain/berries") for _ in range(2)]
        for run in asked:
            house.completed(run)
        [alarmed] = [run for run in house.runs("retrain") if run["id"] not in asked]
        house.completed(alarmed["id"])
        assert alarmed["parameters"]["charter"] == "configs/berries.yaml"
        assert "sugar (effect" in alarmed["parameters"]["reason"]
        _in_turn(house.runs("retrain"), 3)
    _due_every_minute(patient)
    with _up(patient) as house:
        _until(lambda: len(house.runs("retrain")) > 3, 150, lambda: str(house.runs("retrain")))
        due = house.runs("retrain")[3]
        assert due["parameters"]["reason"] == "its schedule"
        house.completed(due["id"])
        house.completed(house.start("retrain/berries", "--watch"))
    told = {one.asked: one.event for one in history.entries("berries")}
    assert told[alarmed["parameters"]["reason"]] in ("promoted", "kept")


def _in_turn(runs: list[dict[str, Any]], wanted: int) -> None:
    """So many, and each began when the one before had ended."""
    spans = sorted((run["start_time"], run["end_time"]) for run in runs)
    assert len(spans) == wanted
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def _due_every_minute(project: Path) -> None:
    charter = project / "configs" / "berries.yaml"
    charter.write_text(
        charter.read_text().replace("runtime: {", 'runtime: {schedule: "* * * * *", ')
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_house_leaves_nothing_behind_and_goes_on_when_started_again(
    patient: Path,
) -> None:
    with suppress(psutil.NoSuchProcess), _up(patient) as house:
        run = house.start("train/berries")
        _until(lambda: bool(house.run(run)["start_time"]), 60, lambda: str(house.run(run)))
        below = psutil.Process(house.process.pid).children(recursive=True)
        house.process.kill()
        house.process.wait()
        _, alive = psutil.wait_procs(below, timeout=20)
        assert alive == []
    with _up(patient) as house:
        house.said("runs that were cut off go on: 1")
        house.completed(run)
        house.said("the first release is served at")
