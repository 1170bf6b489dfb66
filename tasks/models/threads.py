"""How many threads a fit takes."""

from __future__ import annotations

from typing import Any

THREADS = 2
"""Most threads that one fit takes."""
ROWS = 20_000
"""With fewer rows a second thread saves nothing, and waits for the first where the machine is busy."""


def spread(model: Any, rows: int, most: int = THREADS) -> None:
    """Let the unfitted model use as many threads as pay for so many rows, at most `most`."""
    count = most if rows >= ROWS else 1
    asked = {name: value for name, value in model.get_params().items() if value is not None}
    names = [name for name in asked if name.split("__")[-1] == "n_jobs"]
    model.set_params(**dict.fromkeys(names, count))
