"""The key for names of persons: the environment's, else that of Prefect's secret block."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.unlock import BLOCK, unlocked
from serving.pseudonyms import VARIABLE
from tests.tasks.persons import KEY, NEXT, charter


@pytest.mark.usefixtures("prefect")
def test_where_the_key_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.blocks.system import Secret

    monkeypatch.setenv(VARIABLE, "")
    named, nobody = charter(Path(), identifiers=["mail"]), charter(Path())
    unlocked(named)
    assert os.environ[VARIABLE] == ""  # there is no block
    Secret(value=KEY).save(BLOCK)
    unlocked(nobody)
    assert os.environ[VARIABLE] == ""  # nobody needs it
    assert unlocked(named) == named
    assert os.environ[VARIABLE] == KEY
    monkeypatch.setenv(VARIABLE, NEXT)
    unlocked(named)
    assert os.environ[VARIABLE] == NEXT
