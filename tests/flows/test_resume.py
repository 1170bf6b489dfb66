"""A record is taken again only for the same inputs and the same code, and only while it is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from charter import Frozen
from flows import resume
from flows.steps import step


class Note(Frozen):
    where: str


class Folded(Frozen):
    notes: tuple[Note, ...]


def test_code_that_a_stage_imports_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {path.name for path in resume._sources("tasks.deploy")}
    assert {"deploy.py", "package.py", "home.py", "frozen.py"} <= sources
    assert "train.py" not in sources


def test_an_edit_of_an_imported_module_changes_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = tmp_path / "home.py"
    edited.write_text("import os\n")
    before = resume.code_fingerprint("tasks.deploy")
    resume.code_fingerprint.cache_clear()
    real = resume._source

    def source(module: str) -> Path | None:
        return edited if module == "serving.home" else real(module)

    monkeypatch.setattr(resume, "_source", source)
    assert resume.code_fingerprint("tasks.deploy") != before
    resume.code_fingerprint.cache_clear()


def test_a_record_is_whole_while_what_it_names_is_there(root: Path) -> None:
    (root / "kept").mkdir(parents=True)
    record = Folded(notes=(Note(where="kept"),))
    assert resume.is_whole(record)
    (root / "kept").rmdir()
    assert not resume.is_whole(record)


@pytest.mark.usefixtures("prefect")
def test_a_finished_stage_is_taken_again_and_made_again_when_its_files_are_gone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import flow

    from flows import steps

    calls: list[str] = []

    def note(name: str) -> Note:
        calls.append(name)
        (root / name).mkdir(parents=True, exist_ok=True)
        return Note(where=name)

    monkeypatch.setattr(steps, "headline", lambda record: "a note")
    lifted = step(note)

    @flow
    def twice(name: str) -> Note:
        return lifted(name)

    assert twice("a") == twice("a") == Note(where="a")
    assert calls == ["a"]
    assert twice("b") == Note(where="b")
    (root / "a").rmdir()
    assert twice("a") == Note(where="a")
    assert calls == ["a", "b", "a"]
