"""What nothing needs any more goes."""

from __future__ import annotations

from prefect import flow

from charter import gate
from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, Overrides
from tasks.tidy import Tidied
from tasks.turn import turn


@flow(name="tidy", persist_result=True, result_serializer="json")
def tidy(charter: CharterFile, overrides: Overrides = ()) -> Tidied:
    """Compact tables, remove what `storage` of the charter gives no more time, report the room.

    Waits while a training or retrain of the project runs, and they wait for it; the service serves
    on. The live release, the one before it and rows that are not folded yet lose nothing.
    """
    words = load(charter, overrides)
    with turn(words.name, "tidy"):
        tidied = show(steps.tidy(words))
    gate("tidy", tidied.verdicts, "Raise storage.most_gb, or keep fewer storage.releases.")
    return tidied
