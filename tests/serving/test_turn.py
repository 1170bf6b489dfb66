"""Requests of one turn of the event loop: answered together, each as it would be alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from serving import releases
from serving.arms import Arms
from serving.form import Bad
from serving.journaling.stores import Record
from serving.journaling.writers import Unwritten
from serving.loaded import Loaded, load
from serving.trial import Trial
from serving.turn import Turns
from tests.serving.handmade import ROWS, bundle


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    base = tmp_path_factory.mktemp("turns")
    releases.add(base / "flights", bundle(base / "bundle"))
    live = releases.publish(base / "flights", 1, None)
    return load(base / "flights", live)


class Kept:
    """What the journal was given, group by group."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.groups: list[list[Record]] = []
        self._failure = failure

    async def write(self, records: Sequence[Record]) -> None:
        if self._failure is not None:
            raise self._failure
        self.groups.append(list(records))


def asked(loaded: Loaded, kept: Kept, bodies: Sequence[bytes]) -> list[Any]:
    """The answers, or what was raised, of requests that come in one turn."""

    async def ask() -> list[Any]:
        turns = Turns(Trial(lambda: Arms(loaded), None), kept.write)
        return await asyncio.gather(
            *(turns.ask(body, 7.0 + at) for at, body in enumerate(bodies)), return_exceptions=True
        )

    return asyncio.run(ask())


def _told(content: bytes) -> Any:
    """An answer without its id."""
    found = orjson.loads(content)
    for one in found if isinstance(found, list) else [found]:
        one.pop("id")
    return found


GOOD = [orjson.dumps(row) for row in ROWS]


def test_together_each_gets_what_it_gets_alone_and_the_journal_one_group(loaded: Loaded) -> None:
    bodies = [*GOOD, orjson.dumps(list(ROWS)), b"[]"]
    kept = Kept()
    answers = asked(loaded, kept, bodies)
    assert [_told(one) for one in answers] == [
        _told(loaded.answer(body, 0.0).content) for body in bodies
    ]
    (group,) = kept.groups
    assert len(group) == 2 * len(ROWS)
    assert [record.at for record in group] == [
        *(7.0 + at for at in range(len(ROWS))), *[7.0 + len(ROWS)] * len(ROWS)
    ]  # fmt: skip
    assert orjson.loads(answers[0])["id"] == group[0].id
    assert len({record.id for record in group}) == len(group)


def test_one_that_is_refused_does_not_hurt_the_others(loaded: Loaded) -> None:
    strange = orjson.dumps({**ROWS[0], "strange": 1})
    kept = Kept()
    first, broken, unknown, last = asked(loaded, kept, [GOOD[0], b"{", strange, GOOD[1]])
    assert isinstance(broken, Bad)
    assert [problem.field for problem in unknown.problems] == ["strange"]
    assert [_told(first), _told(last)] == [
        _told(loaded.answer(body, 0.0).content) for body in GOOD[:2]
    ]
    assert [record.at for group in kept.groups for record in group] == [7.0, 10.0]


def test_what_the_journal_does_not_take_is_not_given_out(loaded: Loaded) -> None:
    good, bad = asked(loaded, Kept(Unwritten("no room")), [GOOD[0], b"{"])
    assert isinstance(good, Unwritten)
    assert isinstance(bad, Bad)


def test_without_a_release_everybody_is_told(loaded: Loaded) -> None:
    async def ask() -> list[Any]:
        def none() -> Arms:
            raise Bad([], status=503)

        turns = Turns(Trial(none, None), None)
        return await asyncio.gather(
            *(turns.ask(body, 0.0) for body in GOOD), return_exceptions=True
        )

    assert [one.status for one in asyncio.run(ask())] == [503] * len(GOOD)
