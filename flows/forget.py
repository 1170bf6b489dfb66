"""One person is erased from every store."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field, SecretStr

from charter import gate
from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, Overrides
from flows.unlock import unlocked
from tasks.forget import Forgotten
from tasks.turn import turn

Subject = Annotated[
    SecretStr, Field(description="Who: the value of privacy.subject; Prefect never stores it")
]


@flow(name="forget", persist_result=True, result_serializer="json")
def forget(charter: CharterFile, subject: Subject, overrides: Overrides = ()) -> Forgotten:
    """Erase one person, prove it by a search, and mark the releases that learned from them.

    Waits while a training or retrain of the project runs; services serve on. It has no deployment:
    what is sent to Prefect's server as a parameter is stored there.
    """
    words = unlocked(load(charter, overrides))
    with turn(words.name, "forget"):
        found = show(steps.forget(words, subject))
    gate("forget", found.verdicts, "Look at the files that it names, and run it again.")
    return found
