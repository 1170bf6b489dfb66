"""What the service keeps of rows that name persons, and what its keys are."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import orjson
import pytest

from charter import Refusal
from serving import releases
from serving.form import Bad
from serving.loaded import Loaded, load
from serving.pseudonyms import pseudonyms
from serving.signature import Input
from tests.serving.handmade import ROWS, SIGNATURE, bundle

KEY = "k1:" + "0123456789abcdef" * 4
CARRIED = (Input(name="passenger", kind="text"), Input(name="booking", kind="text"))
NAMED = SIGNATURE.model_copy(update={"carried": CARRIED, "hashed": ("passenger",)})


def answering(folder: Path) -> Loaded:
    releases.add(folder / "flights", bundle(folder / "bundle", signature=NAMED))
    return load(folder / "flights", releases.publish(folder / "flights", 1, None))


def kept(loaded: Loaded, **more: object) -> dict[str, Any]:
    """What the journal is given for a row."""
    answer = loaded.answer(orjson.dumps(ROWS[0] | more), 7.0)
    assert b"passenger" not in answer.content
    found: dict[str, Any] = orjson.loads(answer.records[0].row)
    return found


def test_the_journal_gets_hashes_for_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    loaded = answering(tmp_path)
    row = kept(loaded, passenger="ann@example.org", booking="X1")
    secret = KEY.removeprefix("k1:").encode()
    said = b"flights\0passenger\0ann@example.org"
    assert row["passenger"] == "k1:" + hmac.new(secret, said, "sha256").hexdigest()[:32]
    assert row["booking"] == "X1"
    assert kept(loaded, passenger=row["passenger"])["passenger"] == row["passenger"]
    assert kept(loaded, passenger=17)["passenger"] == pseudonyms("flights").of("passenger", "17")
    assert kept(loaded, passenger=None)["passenger"] is None
    assert "passenger" not in kept(loaded)


def test_a_service_that_would_keep_names_does_not_start_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PERENNIAL_KEY", raising=False)
    with pytest.raises(Refusal, match="PERENNIAL_KEY: found none"):
        answering(tmp_path)
    live = releases.live(tmp_path / "flights")
    assert live is not None
    assert load(tmp_path / "flights", live, keeps=False).hashes is None  # scoring a file


def test_keys_do_not_show_and_old_hashes_follow_new_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    first = pseudonyms("flights")
    monkeypatch.setenv("PERENNIAL_KEY", f"{KEY}, k2:{'ab' * 32}")
    second = pseudonyms("flights")
    old, new = first.of("passenger", "Ann"), second.of("passenger", "Ann")
    assert second.of("passenger", old) == new != old
    assert second.all("passenger", "Ann") == (old, new)
    assert first.seal != second.seal
    assert KEY[3:] not in f"{second!r} {second.keys}"
    assert len({first.of(column, "Ann") for column in ("passenger", "guardian")}) == 2


def test_a_number_that_may_be_two_persons_is_turned_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_KEY", KEY)
    loaded = answering(tmp_path)
    with pytest.raises(Bad) as found:
        kept(loaded, passenger=1e20)
    (problem,) = found.value.problems
    assert (problem.field, problem.wanted) == ("passenger", "an identifier with every digit")
    assert problem.remedy.startswith("Send it as a text, in quotes.")
    assert (
        kept(loaded, passenger=2**60)["passenger"]
        == kept(loaded, passenger=str(2**60))["passenger"]
    )
