"""Somebody is forgotten while a real service answers, and the next retrain replaces its model."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from pydantic import SecretStr

from serving import releases
from serving.home import home
from serving.pseudonyms import VARIABLE, pseudonyms
from tasks import history
from tasks.protection.suppressed import marked
from tasks.service import served
from tests.leftovers import everything
from tests.tasks.persons import KEY

CHARTER = Path("configs/berries.yaml")
PRIVATE = (
    "privacy.identifiers=[berry]", "tuning.families=[linear]", "evaluation.beat={}",
    "evaluation.minimum={}", "constraints.train_minutes=4",
)  # fmt: skip
WHO = "ann.lindqvist@example.org"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("prefect")
def test_nothing_is_left_while_the_service_answers(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.forget import forget
    from flows.retrain import retrain
    from flows.train import train

    monkeypatch.setenv(VARIABLE, KEY)
    with (project / "berries.csv").open("a") as file:
        file.write(f"{WHO},9.87,33.3,south,true\n")
    train(CHARTER, PRIVATE)
    hashed = pseudonyms("berries").of("berry", WHO)
    asked = {"berry": WHO, "sugar": 9.87, "weight": 33.3, "field": "south"}
    with (
        served(home() / "releases/berries", "the live release", ()) as service,
        service.client() as client,
    ):
        assert "prediction" in client.predict(asked)
        before = everything()
        assert before.count(hashed.encode()) > 3
        assert WHO.encode() not in before

        found = forget(CHARTER, SecretStr(WHO), PRIVATE)
        assert found.predictions == 1
        after = everything()
        for trace in (WHO, hashed, hashed.partition(":")[2]):
            assert trace.encode() not in after
        assert "prediction" in client.predict({**asked, "berry": "b1"})
    assert marked("berries") == {1}
    with get_client(sync_client=True) as prefect:
        runs = [run for run in prefect.read_flow_runs() if run.parameters.get("subject")]
    assert runs
    assert not any(WHO in str(run.parameters) for run in runs)

    renewed = retrain(CHARTER, "asked", PRIVATE)
    assert (renewed.outcome, renewed.live) == ("promoted", 2)
    assert "person who was erased" in renewed.reason
    live = releases.live(home() / "releases/berries")
    assert live is not None
    assert live.release == 2
    assert history.entries("berries")[-1].event == "promoted"
    assert hashed.encode() not in everything()
