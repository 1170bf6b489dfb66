"""A tidying that is killed on its way; in a module of its own, which a process imports quickly."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from typing import Any

from charter import Charter
from tasks.tidy import tidy

ACTS = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree"}


def tidy_until(act: int, root: str, charter: Charter, now: datetime) -> None:
    """Kill this process before so many acts on files in the root, if there are as many."""
    os.environ["PERENNIAL_HOME"] = root
    left = act

    def count(event: str, told: tuple[Any, ...]) -> None:
        nonlocal left
        written = event == "open" and len(told) > 1 and "w" in (told[1] or "")
        if (written or event in ACTS) and str(told[0]).startswith(root):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    tidy(charter, now)
