"""A flow run from the command line, with Prefect's API beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from charter.load import load
from flows.server import api
from flows.terminal import stages
from serving.home import home


def run(name: str, charter: Path, overrides: tuple[str, ...] = (), **parameters: Any) -> Any:
    """What the flow `name` of the module of that name returns; its refusal or fault is raised.

    A typo in the charter is told before anything starts. The flow is imported while the API starts:
    both take seconds.
    """
    load(charter, overrides)
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    (home() / "prefect").mkdir(parents=True, exist_ok=True)
    module = f"flows.{name}"
    with ThreadPoolExecutor(1) as beside:
        importing = beside.submit(import_module, module)
        with api() as url:
            wait([importing])  # what it raised is raised again by the import below
            with connected(url), stages():
                flow = getattr(import_module(module), name)
                return flow(charter, overrides=overrides, **parameters)


@contextmanager
def connected(url: str) -> Iterator[None]:
    """Prefect talks to this API, and has sent its last log lines when the block ends."""
    from prefect.logging.handlers import APILogHandler
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: url}):
        try:
            yield
        finally:
            APILogHandler().flush()
