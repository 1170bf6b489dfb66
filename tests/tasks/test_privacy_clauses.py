"""Every clause of `privacy` changes something: flipped one at a time, its gate or action flips.

The test walks the schema, so that a clause without a case here, or one that nobody reads, fails.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from charter import Charter, Refusal
from charter.privacy import Privacy
from serving.home import place
from serving.journal import Journal
from serving.journaling.tables import predictions
from tasks import lake
from tasks.engineering.choice import _objections
from tasks.ingest import ingest
from tasks.judgement.membership import Attack, Membership, verdict
from tasks.protect import protect
from tasks.tidy import tidy
from tests.tasks.persons import KEY, charter, person, rows, write

DAY = 86_400.0
Seen = Callable[[Charter], object]


def stored(words: Charter) -> object:
    """What is stored, who was kept out, and how the gates were decided; or the refusal."""
    try:
        ingested = ingest(words)
        found = protect(words, ingested.table, ingested.barred, ingested.found)
    except Refusal as refusal:
        return str(refusal)
    decided = [(one.gate, one.passed, one.message) for one in found.verdicts]
    return rows(found.table)[:5], found.barred, decided, found.purpose


def refused_inputs(words: Charter) -> object:
    """Why each column is no input."""
    training: Any = SimpleNamespace(group=None)  # what else it has is not asked here
    names = ("age", "amount", "mail", "customer")
    told: list[Any] = [SimpleNamespace(name=name, role="number", distinct=9) for name in names]
    return [list(_objections(words, training, one)) for one in told]


def betrayed(words: Charter) -> object:
    """The gate over a model that remembers a little."""
    attack = Attack(by="loss", auc=0.6, low=0.58, high=0.62)
    return verdict(words, Membership(attacks=(attack,), members=500, others=500)).stops


def kept(words: Charter) -> object:
    """What tidy leaves of an answer and a report of 40 days ago."""
    then = time.time() - 40 * DAY
    name = f"{time.time_ns()}"
    told = {"project": "persons", "id": name, "at": then, "release": 1, "row": "{}", "answer": "{}"}
    page = place("pages/persons/profile.html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("old")
    os.utime(page, (then, then))
    os.utime(page.parent, (then, then))
    with closing(Journal("persons")) as journal:
        with journal._database.writing("persons") as connection:
            connection.execute(sa.insert(predictions), [told])
        ingest(words)
        tidied = tidy(words)
        gates = [one.gate for one in tidied.verdicts if one.gate.startswith("privacy")]
        return journal.counts().predictions, page.exists(), gates


@dataclass(frozen=True)
class Flip:
    """The clause as it was and as it is then, everything else being equal."""

    before: Any
    after: Any
    seen: Seen = stored
    beside: dict[str, Any] = field(default_factory=dict)


CONSENT: dict[str, Any] = {"purpose": "research", "cleared": ["mail", "customer"]}
LISTED: dict[str, Any] = {
    "purpose": "scoring", "identifiers": ["customer", "mail"],
    "consent": {"table": "consents.csv", "subject": "who", "purpose": "use"},
}  # fmt: skip
OPEN: dict[str, Any] = {"cleared": ["mail"]}
FLIPS = {
    "purpose": Flip("research", "yes", beside=CONSENT | {"consent": {"column": "use"}}),
    "identifiers": Flip(["mail"], ["mail", "customer"]),
    "subject": Flip("customer", "mail", beside=LISTED),
    "quasi_identifiers": Flip(["age"], ["age", "agreed"], beside=OPEN),
    "sensitive": Flip(["age"], ["age", "good"], beside=OPEN | {"quasi_identifiers": ["agreed"]}),
    "k": Flip(None, 30, beside=OPEN | {"quasi_identifiers": ["age"]}),
    "never_input": Flip([], ["age"], refused_inputs),
    "consent.column": Flip("agreed", "use", beside=CONSENT),
    "consent.given": Flip([], ["no"], beside=CONSENT | {"consent": {"column": "agreed"}}),
    "consent.table": Flip("consents.csv", "others.csv", beside=LISTED),
    "consent.subject": Flip("who", "friend", beside=LISTED),
    "consent.purpose": Flip("use", None, beside=LISTED),
    "consent.withdrawn": Flip(None, "ended", beside=LISTED),
    "found.action": Flip("refuse", "mask"),
    "found.share": Flip(0.2, 0.9, beside={"identifiers": ["mail"]}),
    "cleared": Flip([], ["mail"], beside={"found": {"share": 0.9}}),
    "membership": Flip(None, 0.55, betrayed, OPEN),
    "retention": Flip(None, "30d", kept, OPEN),
}


def clauses(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Every key of the section and of those inside of it; a source is one."""
    for name, one in model.model_fields.items():
        inner = [
            kind
            for kind in (one.annotation, *get_args(one.annotation))
            if isinstance(kind, type) and issubclass(kind, BaseModel)
        ]
        if len(inner) == 1:
            yield from clauses(inner[0], f"{at}{name}.")
        else:
            yield f"{at}{name}"


def test_every_clause_has_a_case() -> None:
    assert set(FLIPS) == set(clauses(Privacy))


@pytest.fixture(autouse=True)
def _own(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    uses = ("research", "advertising", "yes")
    people = [
        person(n, use=uses[n % 3], note=f"mail x{n}@example.org" if n % 2 else "nothing said")
        for n in range(1, 121)
    ]
    write(tmp_path / "persons.csv", people)
    for name, step in (("consents", 1), ("others", 2)):
        agreed = [
            {"who": f"C{n:04}", "friend": f"C{n + 9:04}", "use": ("scoring", "else")[n % 4 == 0],
             "ended": "2026-01-01" if n % 5 == 0 else ""}
            for n in range(1, 100, step)
        ]  # fmt: skip
        agreed += [{"who": "person7@example.org", "friend": "", "use": "scoring", "ended": ""}]
        write(tmp_path / f"{name}.csv", agreed)


def words(folder: Path, clause: str, value: Any) -> Charter:
    """The charter of the case with this value of the clause."""
    said: dict[str, Any] = (
        {"cleared": ["note"]} if not clause.startswith(("found", "cleared")) else {}
    )
    for key, beside in FLIPS[clause].beside.items():
        said[key] = [*said["cleared"], *beside] if key == "cleared" and said else beside
    at, _, inner = clause.partition(".")
    if value is not None:
        said[at] = (said.get(at, {}) | {inner: value}) if inner else value
    elif inner:
        said[at] = {key: one for key, one in said[at].items() if key != inner}
    if "consent" in said and "table" in said["consent"]:
        path = str(folder / said["consent"]["table"])
        said["consent"] = said["consent"] | {"table": {"kind": "csv", "path": path}}
    return charter(folder, **said)


@pytest.mark.parametrize("clause", FLIPS)
def test_a_clause_that_flips_flips_what_it_names(clause: str, tmp_path: Path) -> None:
    flip = FLIPS[clause]
    before, again, after = (
        flip.seen(words(tmp_path, clause, value))
        for value in (flip.before, flip.before, flip.after)
    )
    if flip.seen is not kept:  # which changes what it looks at
        assert before == again
    assert before != after
    assert lake.latest("tables/persons/landed", "persons") is not None or flip.seen is not stored
