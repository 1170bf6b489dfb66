"""`perennial up`: everything that a house of projects needs, on one machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from charter import Charter, Refusal
from charter.deployment import Deployment
from charter.load import load
from flows import deployments, server
from flows.lifeline import beside
from flows.services import released, service
from flows.settings import laptop
from flows.terminal import console, say_where
from serving.home import home

STOP = "Choose another with --port, or stop that program."
EVERY = 1.0  # seconds between looks at what runs


class Project(NamedTuple):
    """A charter, where it stands, and the port of its service."""

    path: Path
    charter: Charter
    port: int


def up(charters: Sequence[Path], port: int) -> None:
    """Prefect's server and UI, the deployments, a worker and the services, until Ctrl-C."""
    projects = _projects(charters or sorted(Path("configs").glob("*.yaml")))
    _refuse_what_cannot_be(projects, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: in order
    with ExitStack() as stack:
        try:
            url = stack.enter_context(_prefect(projects, port))
            running = {"the worker": stack.enter_context(_worker(url))}
            waiting = [one for one in projects if not _serve(one, stack, running)]
            say_where("up; Ctrl-C ends it", addresses(projects, waiting, url))
            _watch(stack, running, waiting)
        except KeyboardInterrupt:
            console.print("stopping")


def _projects(charters: Sequence[Path]) -> list[Project]:
    """The charters loaded; a port that they leave open is the next one that none of them names."""
    if not charters:
        raise Refusal(
            "configs", "found no charter", "wanted at least one",
            "Draft one: `perennial new NAME --data FILE`.",
        )  # fmt: skip
    loaded = {path: load(path) for path in charters}
    named = {words.deployment.port for words in loaded.values() if _names_port(words)}
    default = Deployment.model_fields["port"].default
    free = (port for port in range(default, 65_536) if port not in named)
    return [
        Project(path, words, words.deployment.port if _names_port(words) else next(free))
        for path, words in loaded.items()
    ]


def _names_port(charter: Charter) -> bool:
    return "port" in charter.deployment.model_fields_set


def _refuse_what_cannot_be(projects: Sequence[Project], port: int) -> None:
    if found := server.running():
        raise Refusal(
            "PERENNIAL_HOME", f"found that another `perennial` is at work there, with {found}",
            "wanted the root for itself",
            "Wait until that run has ended, or stop it. Runs started while this is up use its server.",
        )  # fmt: skip
    server.refuse_taken(port, "the Prefect UI", STOP)
    owners: dict[int, str] = {port: "the Prefect UI"}
    for project in projects:
        name = f"the service of {project.charter.name}"
        remedy = f"Set deployment.port in {project.path}, or stop that program."
        if project.port in owners:
            raise Refusal(
                f"port {project.port}", f"found it named for {owners[project.port]} as well",
                f"wanted it for {name} alone", f"Set another deployment.port in {project.path}.",
            )  # fmt: skip
        owners[project.port] = name
        server.refuse_taken(project.port, name, remedy, project.charter.deployment.host)


@contextmanager
def _prefect(projects: Sequence[Project], port: int) -> Iterator[str]:
    """The address of the API, with our deployments in place."""
    with ThreadPoolExecutor(1) as beside_it:
        beside_it.submit(import_module, "flows.apply")  # takes seconds, as the start does
        given = os.environ.get("PREFECT_API_URL")
        with _given(given) if given else server.shared(port) as url:
            again = _deploy(projects, url, own=not given)
            if again:
                console.print(f"runs that were cut off go on: {again}")
            yield url


@contextmanager
def _given(url: str) -> Iterator[str]:
    yield url


def _deploy(projects: Sequence[Project], url: str, own: bool) -> int:
    from prefect.client.orchestration import get_client

    from flows import leftovers
    from flows.apply import apply
    from flows.embedded import connected

    made = [one for path, words, _ in projects for one in deployments.of(path, words)]
    with connected(url), get_client(sync_client=True) as client:
        again = leftovers.settle(client) if own else 0
        apply(client, made, Path.cwd())
    return again


@contextmanager
def _worker(url: str) -> Iterator[subprocess.Popen[bytes]]:
    log = home() / "prefect" / "worker.log"
    environment = {**laptop(), "PREFECT_API_URL": url}
    with beside("flows.worker", deployments.POOL, log=log, environment=environment) as process:
        yield process


def _serve(project: Project, stack: ExitStack, running: dict[str, subprocess.Popen[bytes]]) -> bool:
    """Start the service of a project that has a release; whether it has."""
    name, host = project.charter.name, project.charter.deployment.host
    if released(project.charter):
        log = home() / "releases" / name / "service.log"
        process = stack.enter_context(service(project.charter, host, project.port, log))
        running[f"the service of {name}"] = process
    return released(project.charter)


def _watch(
    stack: ExitStack, running: dict[str, subprocess.Popen[bytes]], waiting: list[Project]
) -> None:
    """Until something ends that should not; a first release gets its service."""
    while True:
        for what, process in running.items():
            if process.poll() is not None:
                raise RuntimeError(f"{what} ended by itself with code {process.returncode}")
        for project in [one for one in waiting if _serve(one, stack, running)]:
            waiting.remove(project)
            console.print(f"{project.charter.name}: {_address(project)} serves the first release")
        time.sleep(EVERY)


def addresses(projects: Sequence[Project], waiting: Sequence[Project], url: str) -> dict[str, str]:
    """Where to look, by what one finds there."""
    ui = url.removesuffix("/api")
    found = {"Prefect UI": ui}
    for project in projects:
        name = project.charter.name
        if project in waiting:
            found[name] = f"no release yet: perennial train {project.path}"
            continue
        found[f"{name}: page"] = f"{ui}/pages/{name}/scorecard.html"
        found[f"{name}: service"] = _address(project)
    found["run one"] = (
        f"PREFECT_API_URL={url} prefect deployment run train/{projects[0].charter.name}"
    )
    return found


def _address(project: Project) -> str:
    return f"http://{project.charter.deployment.host}:{project.port}"
