"""A refusal is an answer, not an accident: shown without a stack trace, never retried."""

from __future__ import annotations

import logging
from typing import Any

from prefect.client.schemas.objects import State

from charter import Refusal


class WithoutTrace(logging.Filter):
    """Turns the log record of a refusal into its words."""

    def filter(self, record: logging.LogRecord) -> bool:
        raised = record.exc_info[1] if record.exc_info else None
        if isinstance(raised, Refusal):
            record.msg, record.args = f"Refused: {raised}", ()
            record.exc_info = record.exc_text = None
        return True


for _name in ("prefect.task_runs", "prefect.flow_runs"):
    logging.getLogger(_name).addFilter(WithoutTrace())


def is_fault(task: Any, run: Any, state: State[Any]) -> bool:
    """Prefect's retry condition: everything but a refusal may be tried again."""
    try:
        state.result()
    except Refusal:
        return False
    except Exception:
        return True
    return True
