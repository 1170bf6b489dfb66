"""`perennial up`: everything that a house of projects needs, on one machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path

from charter import Refusal
from flows import deployments, server
from flows.house import House
from flows.lifeline import beside
from flows.projects import Project, addresses, loaded
from flows.services import released, service
from flows.settings import laptop
from flows.terminal import console, say_end
from serving.home import home, place

STOP = "Choose another with --port, or stop that program."
EVERY = 1.0  # seconds between looks at what runs


def up(charters: Sequence[Path], port: int) -> None:
    """Prefect's server and UI, the deployments, a worker and the services, until Ctrl-C.

    With PREFECT_API_URL set, that server is used and none is started.
    """
    given = os.environ.get("PREFECT_API_URL")
    projects = loaded(charters or sorted(Path("configs").glob("*.yaml")))
    _refuse_what_cannot_be(projects, None if given else port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: in order
    with ExitStack() as stack:
        try:
            with console.status("starting; the first time takes half a minute"):
                url = stack.enter_context(_prefect(projects, None if given else port))
                house = stack.enter_context(House())
                _keep_worker(house, url)
                served = [one for one in projects if _serve(one, house)]
            pages = place("pages").as_uri() if given else f"{url.removesuffix('/api')}/pages"
            say_end("up; Ctrl-C ends it", addresses(projects, served, url, pages))
            _watch(house, [one for one in projects if one not in served], own=not given)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the second one would leave things behind
            console.print("stopping")


def _refuse_what_cannot_be(projects: Sequence[Project], port: int | None) -> None:
    if found := server.running():
        raise _busy(found)
    owners: dict[int, str] = {}
    if port is not None:
        server.refuse_taken(port, "the Prefect UI", STOP)
        owners[port] = "the Prefect UI"
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


def _busy(url: str) -> Refusal:
    return Refusal(
        f"PERENNIAL_HOME ({home()})", f"found that another `perennial` is at work there, with {url}",
        "wanted the root for itself",
        "Wait until that run has ended, or stop it. Runs started while this is up use its server.",
    )  # fmt: skip


@contextmanager
def _prefect(projects: Sequence[Project], port: int | None) -> Iterator[str]:
    """The address of the API, with our deployments in place; that given, where there is no port."""
    before = datetime.now(UTC)
    with ThreadPoolExecutor(1) as beside_it:
        beside_it.submit(import_module, "flows.apply")  # takes seconds, as the start does
        with server.shared(port) if port else nullcontext(os.environ["PREFECT_API_URL"]) as url:
            if port and url != server.address(port):
                raise _busy(url)  # a command that was started in the same moment was faster
            again = _deploy(projects, url, before if port else None)
            if again:
                console.print(f"runs that were cut off go on: {again}")
            yield url


def _deploy(projects: Sequence[Project], url: str, before: datetime | None) -> int:
    """Bring our deployments; the runs that go on, of those that were cut off `before`."""
    from prefect.client.orchestration import get_client

    from flows import leftovers
    from flows.apply import apply
    from flows.embedded import connected

    made = [one for path, words, _ in projects for one in deployments.of(path, words)]
    with connected(url), get_client(sync_client=True) as client:
        again = leftovers.settle(client, before) if before else 0
        apply(client, made, Path.cwd())
    return again


def _keep_worker(house: House, url: str) -> None:
    log = home() / "prefect" / "worker.log"
    environment = {**laptop(), "PREFECT_API_URL": url}
    start = partial(beside, "flows.worker", deployments.POOL, log=log, environment=environment)
    house.keep("the worker", start, log)


def _serve(project: Project, house: House) -> bool:
    """Start the service of a project that has a release; whether it has."""
    name, host = project.charter.name, project.charter.deployment.host
    if not released(project.charter):
        return False
    log = home() / "releases" / name / "service.log"
    start = partial(service, project.charter, host, project.port, log)
    process = house.keep(f"the service of {name}", start, log)
    while process.poll() is None and not _listens(host, project.port):
        time.sleep(0.1)
    return True


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _watch(house: House, waiting: list[Project], own: bool) -> None:
    """Until something ends for good that should not; a first release gets its service."""
    while True:
        house.look()
        if own and not server.alive():
            raise RuntimeError(f"the Prefect server ended by itself; see {server.log()}")
        for project in [one for one in waiting if _serve(one, house)]:
            waiting.remove(project)
            name = project.charter.name
            console.print(f"{name}: the first release is served at {project.address}")
        time.sleep(EVERY)
