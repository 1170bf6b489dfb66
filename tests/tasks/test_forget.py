"""After somebody is forgotten, no byte of the root leads to them; training and serving go on."""

from __future__ import annotations

import html
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from charter import Charter, Refusal
from serving import releases, signing
from serving.home import place
from serving.journal import Journal
from serving.journaling.devices import Handed
from serving.journaling.stores import Record
from serving.journaling.tables import predictions
from serving.loaded import load
from serving.pseudonyms import Pseudonyms, pseudonyms
from serving.signature import Input
from tasks import lake
from tasks.collect import Collected
from tasks.compare import SAME, Comparison, Promotion, _replaced
from tasks.due import enough
from tasks.erasure.search import left
from tasks.forget import Forgotten, forget, forgotten
from tasks.ingest import ingest
from tasks.protection.suppressed import marked
from tasks.quarantine import QUARANTINE, Quarantine, quarantine
from tasks.rollback import _may
from tests.leftovers import everything
from tests.serving.handmade import SIGNATURE, bundle
from tests.tasks.persons import KEY, NEXT, write

WHO, OTHER = "ann.lindqvist@example.org", "bob@example.org"
NOTE = "keeps two snakes"
PEOPLE = 60


def row(number: int, who: str) -> dict[str, object]:
    """Rows of our person are those of the golden rows."""
    distance = 1089.0 if who == WHO else 300.0 + number
    return {
        "passenger": who, "distance": distance, "Wind (mph)": 9.2, "holiday": False, "time_hour": "",
        "carrier": "UA", "note": NOTE if who == WHO else f"window seat {number % 3}",
        "late": number % 2 == 0,
    }  # fmt: skip


def charter(folder: Path) -> Charter:
    return Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "data": {"source": {"kind": "csv", "path": str(folder / "flights.csv")}},
            "privacy": {"identifiers": ["passenger"]},
        }
    )


@pytest.fixture
def journal(journal_url: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    monkeypatch.setenv(signing.PRIVATE, signing.generate().private)
    with closing(Journal("flights", pool=True)) as opened:  # a service that is at work
        yield opened


def kept(names: Pseudonyms, who: str, number: int) -> str:
    """A row as the journal has it."""
    return json.dumps({**row(number, who), "passenger": names.of("passenger", who)})


def answered(journal: Journal, names: Pseudonyms, numbers: range) -> None:
    """Answers of a service, every third to our person, with what turned out true."""
    told = [
        {"project": "flights", "id": f"00000000-0000-7000-8000-{n:012x}", "at": float(n),
         "release": 1, "row": kept(names, WHO if n % 3 == 0 else OTHER, n), "answer": "{}"}
        for n in numbers
    ]  # fmt: skip
    with journal._database.writing("flights") as connection:
        connection.execute(sa.insert(predictions), told)
    journal.feedback([(str(one["id"]), True) for one in told], 1.0)


def _handed(journal: Journal, names: Pseudonyms) -> None:
    """What the device of our person, which it called by their name, answered without a network."""
    told = Record(
        "flights", f"00000000-0000-7000-8000-{99:012x}", 99.0, 1, kept(names, WHO, 99), "{}"
    )
    journal.receive(f"phone of {WHO}", [Handed(1, told), Handed(2, told=(told.id, True))], 1.0)
    journal.receive("another phone", [Handed(1, why="it was cut")], 1.0)


def everywhere(folder: Path, names: Pseudonyms, journal: Journal) -> Charter:
    """A project that has our person in every store."""
    words = charter(folder)
    write(
        folder / "flights.csv",
        [row(n, WHO if n % 20 == 0 else f"p{n}@example.org") for n in range(PEOPLE)],
    )
    first = ingest(words).table
    people = [row(n, WHO if n % 10 == 0 else f"p{n}@example.org") for n in range(PEOPLE)]
    write(folder / "flights.csv", people)
    landed = ingest(words).table
    rows = pa.Table.from_batches(lake.read(landed))
    for kind in ("table", "renewed", "protected"):
        lake.write(f"tables/flights/{kind}", "flights", rows.to_reader(), kind)
    for batch in range(3):
        some = rows.slice(batch * 20, 20)
        lake.append(
            "tables/flights/collected", "flights", some.to_reader(), f"b{batch}", {"labelled": 20}
        )
    refused = [kept(names, who, n) for n, who in enumerate((WHO, OTHER))]
    quarantine("flights", "validate", "q", [_refused(refused)])
    answered(journal, names, range(30))
    tables = {"tables/flights/landed": first.version, "tables/flights/collected": 1}
    _handed(journal, names)
    _release(folder, tables)
    _release(folder, {"tables/flights/none": 7}, bias=0.5)
    _papers(rows)
    return words


def _refused(records: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(range(len(records))), pa.array([["bad"]] * len(records)), pa.array(records)],
        schema=QUARANTINE,
    )


def _release(folder: Path, tables: dict[str, int], bias: float = 0.0) -> None:
    carried = (Input(name="passenger", kind="text"),)
    signature = SIGNATURE.model_copy(update={"carried": carried, "hashed": ("passenger",)})
    made = bundle(folder / f"bundle{bias}", bias=bias, signature=signature)
    manifest = json.loads((made / "manifest.json").read_text()) | {"tables": tables}
    (made / "manifest.json").write_text(json.dumps(manifest))
    place("bundles/flights").mkdir(parents=True, exist_ok=True)
    shutil.copytree(made, place(f"bundles/flights/{made.name}"))
    shutil.copytree(made, place(f"mlflow/artifacts/{made.name}"))
    live = releases.live(place("releases/flights"))
    number = releases.add(place("releases/flights"), made)
    releases.publish(place("releases/flights"), number, live.release if live else None)


def _papers(rows: pa.Table) -> None:
    for name in ("splits/flights/0a/training.parquet", "studies/flights/0b/rows.parquet"):
        place(name).parent.mkdir(parents=True)
        pq.write_table(rows if "splits" in name else rows.select(["distance"]), place(name))
    for name in (
        "pages/flights/profile.html",
        "prefect/storage/4f1c",
        "pages/flights/canary.html",
        "pages/others/profile.html",
    ):
        place(name).parent.mkdir(parents=True, exist_ok=True)
        place(name).write_text(f"<td>{NOTE}</td>")
    place("pages/flights/study.html").write_text("<td>window seat 1</td>")
    with closing(sqlite3.connect(place("prefect/prefect.db"))) as notes:
        notes.execute("CREATE TABLE artifact (data TEXT)")
        notes.execute("INSERT INTO artifact VALUES (?)", ("x" * 9_000 + NOTE,))
        notes.execute("INSERT INTO artifact VALUES ('window seat 2')")
        notes.commit()


def erased(words: Charter) -> Forgotten:
    return forget(words, SecretStr(WHO))


def test_nothing_is_left_and_everything_goes_on(journal: Journal, tmp_path: Path) -> None:
    names = pseudonyms("flights")
    words = everywhere(tmp_path, names, journal)
    hashed = names.of("passenger", WHO)
    for number in (1, 2):
        signing.sign(place(f"releases/flights/{number}"))
    before = everything(without="others")
    assert (WHO.encode() in before) == (b"another phone" in before)  # SQLite lies in the root
    assert before.count(hashed.encode()) > 10
    assert NOTE.encode() in before

    found = erased(words)
    after = everything(without="others")
    for trace in (WHO, hashed, hashed.partition(":")[2], NOTE):
        assert trace.encode() not in after
    assert names.of("passenger", "p7@example.org").encode() in after
    assert (found.predictions, found.left) == (11, ())
    assert found.golden >= 6  # the row and what was made of it, in four copies
    assert set(found.tables) == {f"tables/flights/{kind}" for kind in TABLES}
    assert found.verdicts[0].passed
    assert journal.counts().predictions == 20
    assert journal.left([hashed, WHO]) == 0
    assert journal.left(["another phone"]) == 1
    assert place("pages/flights/study.html").exists()
    assert b"window seat 2" in place("prefect/prefect.db").read_bytes()
    assert place("pages/others/profile.html").exists()
    assert not place("splits/flights/0a").exists()
    assert not place("studies/flights/0b").exists()

    live = releases.live(place("releases/flights"))
    assert live is not None
    loaded = load(place("releases/flights"), live)  # signature, hashes and golden answers fit
    asked = json.dumps({"distance": 5.0, "carrier": "UA"}).encode()
    assert b"prediction" in loaded.answer(asked, 1.0).content
    answered(journal, names, range(100, 102))  # the service's own connection writes on

    again = ingest(words)  # the source still has them
    assert again.barred == {"the person was erased": 6}
    assert hashed.encode() not in everything(without="others")
    log = lake.latest("tables/flights/collected", "flights")
    assert log is not None
    assert log.rows == PEOPLE - 6
    assert erased(words).tables == {}
    text = "".join(one.model_dump_json() for one in forgotten("flights"))
    assert "example" not in text
    assert "k1:" not in text


TABLES = ("collected", "landed", "protected", "quarantine", "renewed", "table")


@pytest.fixture
def plain(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    monkeypatch.delenv("PERENNIAL_JOURNAL_URL", raising=False)
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    with closing(Journal("flights")) as opened:
        yield opened


def test_releases_that_learned_from_them_are_replaced(
    plain: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = everywhere(tmp_path, pseudonyms("flights"), plain)
    table = lake.latest("tables/flights/table", "flights")
    assert table is not None
    nothing = Quarantine(project="flights", where="", stage="collect", fingerprint="", rows=0)
    few = Collected(
        project="flights", table=None, batch=None, folded=0, unlabelled=0, corrected=0,
        quarantine=nothing, waiting=0, orphans=0, fresh=0,
    )  # fmt: skip
    promotion = Promotion(
        project="flights", outcome="kept", reason="a tie", champion=2, challenger="b", fingerprint="f",
        metric="roc_auc", page="p",
    )  # fmt: skip
    kept = Comparison(question="", promotion=promotion)
    assert "only 0 rows" in enough(words, table, few)
    assert _replaced(words, kept) == kept
    monkeypatch.setenv("PERENNIAL_KEY", NEXT)  # what was stored before has the older form
    assert set(erased(words).tables) >= {"tables/flights/landed", "tables/flights/collected"}
    assert marked("flights") == {1, 2}  # of the second nobody can say that it did not
    assert enough(words, table, few) == ""
    replaced = _replaced(words, kept).promotion
    assert replaced.outcome == "promoted"
    assert "person who was erased" in replaced.reason
    with pytest.raises(Refusal, match="release 1 learned from a person who was erased"):
        _may(words, 1)
    same = kept.model_copy(update={"promotion": promotion.model_copy(update={"reason": SAME})})
    assert _replaced(words, same) == same


def test_a_trace_that_cannot_go_is_told(plain: Journal, tmp_path: Path) -> None:
    words = everywhere(tmp_path, pseudonyms("flights"), plain)
    card = place("releases/flights/2/card.md")
    card.write_text(f"seen: {NOTE}")
    found = erased(words)
    assert found.left == ("releases/flights/2/card.md",)
    assert not found.verdicts[0].passed


def test_who_is_asked_for(tmp_path: Path, plain: Journal) -> None:
    nobody = charter(tmp_path).model_dump(mode="json") | {"privacy": {}}
    with pytest.raises(Refusal, match="wanted the column that names a person"):
        erased(Charter.model_validate(nobody))
    with pytest.raises(Refusal, match="called in the source"):
        forget(charter(tmp_path), SecretStr(f"k1:{0:032x}"))


@pytest.mark.parametrize("text", ["O'Brien & sons", "Jörg Müller", 'says "hello"', "a\\b\nstreet"])
def test_the_search_finds_a_text_however_it_is_written_down(tmp_path: Path, text: str) -> None:
    plain = json.dumps({"note": text}, ensure_ascii=False)
    written = {
        "page.html": html.escape(text), "row.json": plain, "escaped.json": json.dumps([text]),
        "record.json": json.dumps({"record": plain}, ensure_ascii=False),
    }  # fmt: skip
    for name, content in written.items():
        (tmp_path / name).write_text(f"<td>{content}</td>", encoding="utf-8")
    (tmp_path / "other.json").write_text("somebody else")
    found, _ = left(tmp_path, [text])
    assert {path.name for path in found} == set(written)
