"""One release in memory: verified, proven on its golden rows, ready to answer requests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from charter import Refusal
from serving.form import Form, Row
from serving.golden import golden
from serving.journaling import ids
from serving.journaling.stores import Record
from serving.packing import Packed, pack_rows
from serving.predictor import Predictor
from serving.proof import prove
from serving.pseudonyms import Pseudonyms, pseudonyms, replaced
from serving.releases import Live, digest
from serving.signing import verify

USUAL = 32  # rows that say what is usual
HELD = "holdout row"
"""How the cases of golden rows begin that were held out."""


class Answer(NamedTuple):
    """What a request gets."""

    content: bytes
    """JSON, an object to a row and a list to a list."""
    records: list[Record]
    """What the journal has to keep before the answer is given."""


@dataclass(frozen=True)
class Loaded:
    """A release that answers; immutable, so a request that began with it ends with it."""

    live: Live
    folder: Path
    predictor: Predictor
    form: Form
    keeps: bool = True
    """Whether what it answers is stored."""
    hashes: Pseudonyms | None = None
    """For columns that name persons; None where there are none, or nothing is kept."""

    def answer(self, body: bytes, at: float) -> Answer:
        """The answer to one request; raises `Bad` for one that is refused."""
        packed, rows, many = self.form.read(body)
        return self._given([(rows, many, at)], packed)[0]

    def rows(self, rows: list[Row], at: float) -> Answer:
        """The answer to rows that were read already, a list; raises `Bad`."""
        return self._given([(rows, True, at)], self.form.packed(rows))[0]

    def answers(self, asked: Sequence[tuple[bytes, float]]) -> list[Answer | Exception]:
        """The answers to several requests (body and time) in one run of the model; each is what
        `answer` gives or raises for it alone."""
        if len(asked) > 1:
            with suppress(Exception):  # one that is refused must not hurt the others
                read = [(*self.form.rows(body), at) for body, at in asked]
                packed = self.form.pack([row for rows, _, _ in read for row in rows])
                return list(self._given(read, packed))
        return [self._alone(body, at) for body, at in asked]

    def _alone(self, body: bytes, at: float) -> Answer | Exception:
        try:
            return self.answer(body, at)
        except Exception as error:
            return error

    def _given(self, read: Sequence[tuple[list[Row], bool, float]], packed: Packed) -> list[Answer]:
        """One answer per request, whose rows follow each other in `packed`."""
        project, release = self.predictor.signature.project, self.live.release
        found = self._answers(packed) if len(packed) else iter(())
        names = iter(ids.several(len(packed)))
        given: list[Answer] = []
        for rows, many, at in read:
            answers: list[bytes] = []
            records: list[Record] = []
            for row in rows:
                name = next(names)
                said = orjson.dumps({"id": name, **next(found)})
                answers.append(said)
                if not self.keeps:
                    continue
                sent = orjson.dumps(self._kept(row)).decode()
                records.append(Record(project, name, at, release, sent, said.decode()))
            content = b"[" + b",".join(answers) + b"]" if many else answers[0]
            given.append(Answer(content, records))
        return given

    def _kept(self, row: Row) -> Row:
        """The row as it may be stored."""
        if self.hashes is None:
            return row
        return replaced(row, self.predictor.signature.hashed, self.hashes)

    def _answers(self, packed: Packed) -> Iterator[dict[str, Any]]:
        """One object per row: the prediction, for classes its words and probabilities."""
        found = self.predictor.predict(packed)
        release = self.live.release
        if found.values is not None:
            for value in found.values.tolist():
                yield {"prediction": value, "release": release}
        if found.probabilities is None or found.labels is None:
            return
        say, classes = self.predictor.signature.say, self.predictor.signature.classes
        for label, row in zip(found.labels, found.probabilities.tolist(), strict=True):
            yield {
                "prediction": label,
                "say": say.get(label, label),
                "probabilities": dict(zip(classes, row, strict=True)),
                "release": release,
            }

    @cached_property
    def example(self) -> Any:
        """The answer to the example row."""
        return orjson.loads(self.answer(orjson.dumps(self.form.example), time.time()).content)

    @cached_property
    def usual(self) -> Packed:
        """Golden rows that were held out, which say what is usual."""
        wanted = golden(self.folder)
        pairs = zip(wanted.rows, wanted.cases, strict=True)
        held = [row for row, case in pairs if case.startswith(HELD)]
        return pack_rows(self.predictor.signature, held[:USUAL])

    @cached_property
    def papers(self) -> dict[str, Any]:
        """Everything that stands beside the model, as `/model` gives it."""
        return {
            "project": self.predictor.signature.project,
            "question": self.charter.get("goal", {}).get("question", ""),
            "release": self.live.release,
            "previous": self.live.previous,
            "live_since": self.live.at,
            "metric": self.scorecard.get("metric"),
            "metrics": self.scorecard.get("measures", []),
            "signature": self.predictor.signature.model_dump(mode="json"),
            "decision": self.predictor.decision.model_dump(mode="json"),
            "manifest": self.predictor.manifest.model_dump(mode="json"),
            "card": self._text("card.md"),
        }

    @cached_property
    def charter(self) -> dict[str, Any]:
        """The charter that the release was made with; empty where the bundle has none."""
        return self._json("charter.json")

    @cached_property
    def scorecard(self) -> dict[str, Any]:
        """How the model was judged; empty where the bundle has none."""
        return self._json("scorecard.json")

    @cached_property
    def card(self) -> str:
        """The model card as an HTML page; empty where the bundle has none."""
        return self._text("card.html")

    def _json(self, name: str) -> dict[str, Any]:
        return dict(orjson.loads(self._text(name) or b"{}"))

    def _text(self, name: str) -> str:
        """A file of the bundle; empty where it has none."""
        listed = name in self.predictor.manifest.files
        return (self.folder / name).read_text("utf-8") if listed else ""


def load(folder: Path, live: Live, keeps: bool = True) -> Loaded:
    """Load the release that `live` names from its releases folder; a broken one is refused.

    `keeps`: rows that it answers are stored, so that persons in them need a key.
    """
    release = folder / str(live.release)
    if digest(release) != live.manifest:
        raise Refusal(
            str(release),
            "found another manifest than the one that went live",
            f"wanted SHA-256 {live.manifest[:12]}…",
            "Deploy the bundle again (`perennial train`), or put the release back from a copy.",
        )
    verify(release)
    predictor = Predictor(release)
    prove(predictor, golden(release), str(release))
    signature = predictor.signature
    hashes = pseudonyms(signature.project) if keeps and signature.hashed else None
    loaded = Loaded(live, release, predictor, Form(signature), keeps, hashes)
    _ = (
        loaded.example,
        loaded.papers,
        loaded.card,
        loaded.usual,
    )  # now, so that no request meets a fault or the disk
    return loaded
