"""`docker-compose.yml` is whole, and what it starts works together, started without containers."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest
import yaml

from flows.server import free_port
from tests.debian import installed
from tests.postgres import binaries

HOUSE = Path(__file__).parents[2]
ONCE = {"databases", "deployments"}
"""Services that do one thing and end."""


def services() -> dict[str, dict[str, Any]]:
    """The services as docker-compose itself reads the file."""
    command = [installed("docker-compose", "docker-compose"), "config"]
    environment = {**os.environ, "POSTGRES_PASSWORD": "a secret", "PERENNIAL_PROJECT": "berries"}
    done = subprocess.run(
        command, cwd=HOUSE, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return dict(yaml.safe_load(done.stdout)["services"])


def test_every_service_is_watched_and_started_again() -> None:
    for name, service in services().items():
        if name not in ONCE:
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name
        for port in service.get("ports", []):
            assert str(port).startswith("127.0.0.1:"), f"{name} is open to the network"


def test_without_a_password_nothing_starts() -> None:
    command = [installed("docker-compose", "docker-compose"), "config"]
    bare = {name: value for name, value in os.environ.items() if name != "POSTGRES_PASSWORD"}
    done = subprocess.run(command, cwd=HOUSE, env=bare, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "set it in .env" in done.stderr


def test_no_address_holds_the_password() -> None:
    for name, service in services().items():
        words = [json.dumps(service.get("command"))]
        words += [
            str(value) for key, value in service["environment"].items() if "://" in str(value)
        ]
        assert "a secret" not in "".join(words), name


@pytest.mark.parametrize("file", [".gitignore", ".dockerignore"])
def test_the_file_with_the_password_gets_into_no_commit_and_no_image(file: str) -> None:
    assert ".env" in (HOUSE / file).read_text().splitlines()


class House:
    """The services as processes of this machine: their commands, their environment, our ports."""

    def __init__(self, folder: Path, root: Path, postgres: str) -> None:
        self.folder, self.logs = folder, root.parent / "logs"
        self.logs.mkdir()
        self.services = services()
        host = re.fullmatch(r"postgresql://(\w+)@([\d.]+):(\d+)/\w+", postgres)
        assert host is not None
        database = host[3]
        ports = {old: str(free_port()) for old in ("4200", "5000", "8080", "8090")}
        self.swaps = [
            (r"@postgres:5432", f"@127.0.0.1:{database}"), (r"\b5432\b", database),
            (r"(?<=//)(prefect|mlflow)(?=:)|^postgres$|\bmlflow(?=:5000)", "127.0.0.1"),
            (r"0\.0\.0\.0", "127.0.0.1"), (r"/data\b", str(root)),
            *((rf"\b{old}\b", new) for old, new in ports.items()),
        ]  # fmt: skip
        self.ports = ports

    def swapped(self, text: str) -> str:
        """The text with what has another place on this machine."""
        for old, new in self.swaps:
            text = re.sub(old, new, text)
        return text.replace("$$", "$")

    def environment(self, name: str) -> dict[str, str]:
        """That of the service; of ours only where programs are."""
        said = self.services[name]["environment"]
        postgres = binaries()
        assert postgres is not None
        path = f"{HOUSE / '.venv' / 'bin'}:{postgres}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.logs), "OMP_NUM_THREADS": "1"} | {
            key: self.swapped(str(value)) for key, value in said.items()
        }

    def command(self, words: str | list[str]) -> list[str]:
        """The command line, whether written as one text or as a list."""
        said = shlex.split(words) if isinstance(words, str) else words
        return [self.swapped(word) for word in said]

    def once(self, name: str, command: list[str] | None = None) -> str:
        """Run a service that ends (or another command in its place); what it printed."""
        line = command or self.command(self.services[name]["command"])
        done = subprocess.run(
            line, cwd=self.folder, env=self.environment(name), capture_output=True, text=True,
            timeout=400,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """A service that stays, healthy by its own check."""
        log = self.logs / name
        with log.open("wb") as out:
            process = subprocess.Popen(
                self.command(self.services[name]["command"]),
                cwd=self.folder, env=self.environment(name), stdin=subprocess.DEVNULL,
                stdout=out, stderr=out,
            )  # fmt: skip
        try:
            self._await(name, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _await(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        check = self.command(self.services[name]["healthcheck"]["test"][1:])
        deadline = time.monotonic() + 240
        while subprocess.run(check, env=self.environment(name), capture_output=True).returncode:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)

    def ask(self, service: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """JSON from a service, by its port in the file."""
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_services_work_together_on_postgresql(
    project: Path, root: Path, postgres_url: str
) -> None:
    charter = project / "configs" / "berries.yaml"
    charter.write_text(charter.read_text().replace("train_minutes: 0.25", "train_minutes: 1"))
    house = House(project, root, postgres_url)
    house.once("databases")
    house.once("databases")  # again is no matter
    with ExitStack() as stack:
        for name in ("prefect", "mlflow"):
            stack.enter_context(house.running(name))
        assert "of 1 charters" in house.once("deployments")
        stack.enter_context(house.running("worker"))
        stack.enter_context(house.running("service"))  # before there is a release
        run = ["prefect", "--no-prompt", "deployment", "run", "train/berries", "--watch"]
        house.once("deployments", run)
        answer = _answered(house, {"sugar": 12.0, "weight": 21.0, "field": "south"})
        assert 0 <= answer["probabilities"]["true"] <= 1
        models = house.ask("5000", "/api/2.0/mlflow/registered-models/get?name=berries")
        assert models["registered_model"]["aliases"][0]["alias"] == "champion"
    journal = f"{postgres_url.rsplit('/', 1)[0]}/journal"
    with psycopg.connect(journal) as connection:
        rows = connection.execute("SELECT id FROM predictions").fetchall()
    assert rows == [(answer["id"],)]


def _answered(house: House, row: Mapping[str, Any]) -> Any:
    """The answer of the service, once it has taken the release."""
    deadline = time.monotonic() + 30
    while house.ask("8080", "/health") and time.monotonic() < deadline:
        try:
            return house.ask("8080", "/predict", row)
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the service never took the release")
