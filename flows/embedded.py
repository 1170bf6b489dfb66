"""A flow run from the command line, with Prefect's API beside it."""

from __future__ import annotations

import os
import threading
from importlib import import_module
from typing import Any

from flows.server import api
from flows.terminal import stages
from serving.home import home


def run(module: str, flow: str, *parameters: Any) -> Any:
    """What the flow returns; its refusal or fault is raised.

    The flow is imported while the API starts: both take seconds.
    """
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    (home() / "prefect").mkdir(parents=True, exist_ok=True)
    importing = threading.Thread(target=import_module, args=(module,))
    importing.start()
    with api() as url:
        importing.join()
        from prefect.settings import PREFECT_API_URL, temporary_settings

        with temporary_settings({PREFECT_API_URL: url}), stages():
            return getattr(import_module(module), flow)(*parameters)
