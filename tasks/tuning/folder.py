"""What a study leaves on disk, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from charter import Charter
from charter.runtime import Decay
from serving.home import place
from tasks.engineer import Recipe
from tasks.split import Training

if TYPE_CHECKING:
    from tasks.tune import Start

VERSION = 2
"""Raised when old trials can no longer be compared with new ones."""
AFTERWARDS = {"learning_curve", "generate"}
"""Clauses of `tuning` that the search does not depend on; nor does it on where trials are run."""
KEPT = 3
"""Trials per family whose out-of-fold predictions stay."""


def fingerprint(
    charter: Charter, training: Training, recipe: Recipe, start: Start | None = None
) -> str:
    """SHA-256 of everything that the search depends on."""
    clauses = (charter.evaluation, charter.goal.cost)
    parts = [VERSION, training.fingerprint, recipe.fingerprint]
    parts.append(charter.tuning.model_dump_json(exclude=AFTERWARDS))
    parts.append(charter.constraints.model_dump_json(exclude={"cluster"}))
    parts += [clause.model_dump_json() for clause in clauses]
    if isinstance(charter.runtime.window, Decay):  # other windows choose rows, not weights
        parts.append(charter.runtime.window.model_dump_json())
    if start is not None:
        parts.append(start.model_dump_json(exclude={"generated"}))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Folder:
    """`studies/<project>/<fingerprint>/`."""

    def __init__(self, project: str, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self.where = f"studies/{project}/{fingerprint[:16]}"
        self.path = place(self.where)
        self.path.mkdir(parents=True, exist_ok=True)

    @property
    def record(self) -> Path:
        """The finished study; written last."""
        return self.path / "study.json"

    @property
    def journal(self) -> Path:
        return self.path / "journal.log"

    @property
    def clock(self) -> Path:
        return self.path / "clock.json"

    def file(self, name: str) -> str:
        """A file of this folder, relative to the root."""
        return f"{self.where}/{name}"

    def keep_record(self, text: str) -> None:
        draft = self.record.with_name(".study.json")
        draft.write_text(text)
        draft.replace(self.record)

    @contextmanager
    def locked(self) -> Iterator[float]:
        """One process at a time; gives the seconds waited. The lock goes with its process."""
        began = time.monotonic()
        with (self.path / "lock").open("w") as file:
            while not _lock(file.fileno()):
                time.sleep(0.2)
            yield time.monotonic() - began

    def keep_answers(self, family: str, number: int, answers: np.ndarray) -> None:
        """A trial's predictions for the test rows of all folds, one fold after the other."""
        path = self._answers(family, number)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{path.name}")
        with draft.open("wb") as file:
            np.save(file, answers, allow_pickle=False)
        draft.replace(path)

    def answers(self, family: str, number: int) -> np.ndarray | None:
        """What `keep_answers` kept, if it still is there."""
        path = self._answers(family, number)
        return np.load(path, allow_pickle=False) if path.exists() else None

    def drop_answers(self, family: str, but: set[int]) -> None:
        """Forget the predictions of all other trials of the family."""
        keep = {self._answers(family, number).name for number in but}
        for path in self.path.glob(f"answers/{family}-*.npy"):
            if path.name not in keep:
                path.unlink()

    def _answers(self, family: str, number: int) -> Path:
        return self.path / "answers" / f"{family}-{number}.npy"


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
