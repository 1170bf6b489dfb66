"""The charters of `configs/sources/`: one for each kind of source, the same rows from each."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from charter.data import Source as Clause
from charter.load import load
from tasks import lake
from tasks.ingest import ingest
from tasks.validate import validate
from tests import parcels
from tests.storage import Storage

CHARTERS = sorted((Path(__file__).parents[3] / "configs" / "sources").glob("*.yaml"))


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    parcels.write(folder / "data" / "parcels")
    return folder


def test_every_kind_has_a_charter_and_so_has_object_storage() -> None:
    sources = [load(path).data.source for path in CHARTERS]
    assert {type(source) for source in sources} == set(get_args(get_args(Clause)[0]))
    assert any(getattr(source, "path", "").startswith("s3://") for source in sources)


@pytest.mark.parametrize("path", CHARTERS, ids=lambda path: path.stem)
def test_the_rows_arrive_and_are_judged(
    path: Path,
    forms: Path,
    root: Path,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(forms)
    monkeypatch.setenv("AWS_ENDPOINT_URL", storage.direct)
    storage.put("parcels.csv.gz", (forms / "data/parcels/parcels.csv.gz").read_bytes())
    charter = load(path)
    ingested = ingest(charter)
    assert (ingested.quarantine.rows, ingested.source_rows) == (0, parcels.ROWS)
    landed = lake.dataset(ingested.table).to_table()
    wanted = parcels.table()
    assert landed.select(wanted.schema.names).equals(wanted)
    validated = validate(charter, ingested)
    assert validated.quarantine.reasons == {
        "weight is not between 0 and 1,000": len(parcels.IMPOSSIBLE)
    }
    assert validated.table.rows == parcels.ROWS - len(parcels.IMPOSSIBLE)
    assert [one.message for one in validated.verdicts if one.stops] == []
    assert ingest(charter).table == ingested.table
