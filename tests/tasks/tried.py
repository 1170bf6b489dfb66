"""A live release and a canary beside it, and traffic that a journal has of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa

from charter import Charter
from serving import canary, releases
from serving.home import home
from serving.journal import Journal
from serving.journaling import ids
from serving.journaling.tables import predictions
from serving.packing import pack_rows
from serving.predictor import Predictor
from tests.serving.handmade import SIGNATURE, bundle

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
CANARY = {"share": 0.2, "rows": 100, "most": "7d"}


def charter(metric: str = "log_loss", **deployment: Any) -> Charter:
    """A charter of the project `flights` that tries releases on a fifth of the traffic."""
    return Charter.model_validate(
        {
            "name": "flights",
            "goal": {"target": {"column": "late"}},
            "data": {"source": {"kind": "csv", "path": "flights.csv"}},
            "evaluation": {"metric": metric, "split": {"by": "random"}},
            "deployment": {"canary": CANARY | deployment},
        }
    )


def releases_of(folder: Path, *biases: float, slow: int = 0) -> Path:
    """Release 1 live and 2 tried; the truth of `traffic` is what bias 0 says."""
    where = home() / "releases" / "flights"
    for number, bias in enumerate(biases, 1):
        made = bundle(folder / f"bundle{number}", bias=bias, slow=slow if number == 2 else 0)
        releases.add(where, made)
    releases.publish(where, 1, None)
    canary.start(where, 2, 1, 0.2, {"why": "better on the holdout"}, SINCE.isoformat())
    return where


def traffic(count: int, labelled: float = 1.0, seed: int = 0, hours: float = 24) -> list[str]:
    """Rows that both answered from `SINCE` on, a fifth of them the canary; gives their ids."""
    rng = np.random.default_rng(seed)
    wind, distance = rng.uniform(-20, 20, count), rng.uniform(100, 4000, count)
    odds = 0.1 * wind - 1e-4 * distance
    truth = rng.random(count) < 1 / (1 + np.exp(-odds))
    rows: list[dict[str, Any]] = [
        {"distance": float(d), "Wind (mph)": float(w)} for d, w in zip(distance, wind, strict=True)
    ]
    arms = rng.random(count) < 0.2
    names = [ids.derived("traffic", str(seed), str(at)) for at in range(count)]
    where = home() / "releases" / "flights"
    found = [
        Predictor(where / str(number)).predict(pack_rows(SIGNATURE, rows)) for number in (1, 2)
    ]
    given = []
    for at, name in enumerate(names):
        release = 2 if arms[at] else 1
        shares, labels = found[release - 1].probabilities, found[release - 1].labels
        assert shares is not None
        assert labels is not None
        said = {"prediction": labels[at], "probabilities": dict(zip(SIGNATURE.classes, shares[at].tolist(), strict=True))}  # fmt: skip
        moment = SINCE + timedelta(hours=hours) * (at / count)
        given.append(
            {
                "project": "flights", "id": name, "at": moment.timestamp(), "release": release,
                "row": orjson.dumps(rows[at]).decode(), "answer": orjson.dumps(said).decode(),
            }
        )  # fmt: skip
    journal = Journal("flights")
    with journal._database.writing("flights") as connection:
        connection.execute(sa.insert(predictions), given)
    told = [at for at in range(count) if rng.random() < labelled]
    journal.feedback([(names[at], str(bool(truth[at])).lower()) for at in told], SINCE.timestamp())
    journal.close()
    return names
