"""The tables of the journal, alike on SQLite and PostgreSQL; one database for all projects.

What has been claimed carries its batch; what has not is found by partial indexes, never by a
watermark over `seq`, since on PostgreSQL a smaller `seq` may commit later.
"""

from __future__ import annotations

import sqlalchemy as sa

META = sa.MetaData()
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT: sa.Double[float] = sa.Double()

predictions = sa.Table(
    "predictions",
    META,
    sa.Column("seq", SEQ, primary_key=True, autoincrement=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("at", AT, nullable=False),  # seconds since 1970, UTC
    sa.Column("release", sa.Integer, nullable=False),  # 0: came without the service
    sa.Column("row", sa.Text, nullable=False),  # JSON object, as it was sent
    sa.Column("answer", sa.Text),  # JSON object
    sa.Column("batch", sa.Integer),
)
feedback = sa.Table(
    "feedback",
    META,
    sa.Column("seq", SEQ, primary_key=True, autoincrement=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("prediction_id", sa.Text, nullable=False),
    sa.Column("truth", sa.Text, nullable=False),  # JSON
    sa.Column("at", AT, nullable=False),
    sa.Column("kind", sa.Integer, nullable=False),  # FIRST, DUPLICATE or CONTRADICTION
    sa.Column("batch", sa.Integer),
)
batches = sa.Table(
    "batches",
    META,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", AT, nullable=False),
    sa.Column("folded_at", AT),
    # What it holds, so that counting costs what is not claimed yet, and not the whole journal.
    sa.Column("predictions", sa.Integer, nullable=False),
    sa.Column("firsts", sa.Integer, nullable=False),
    sa.Column("duplicates", sa.Integer, nullable=False),
    sa.Column("contradictions", sa.Integer, nullable=False),
)
devices = sa.Table(
    "devices",
    META,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),  # what it called itself
    sa.Column("taken", SEQ, nullable=False),  # the highest number that it handed over
)


def _minutes(name: str) -> sa.Table:
    return sa.Table(
        name,
        META,
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("minute", SEQ, primary_key=True, autoincrement=False),  # minutes since 1970
        sa.Column("instance", sa.Text, primary_key=True),  # one run of one service process
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),  # 4xx
        sa.Column("failed", sa.Integer, nullable=False),  # 5xx
        sa.Column("latency", sa.Text, nullable=False),  # JSON list of counts, see minutes.EDGES
    )


minutes = _minutes("service_minutes")
arms = _minutes("arm_minutes")  # while a canary is tried; the instance begins with the release

FIRST, DUPLICATE, CONTRADICTION = 0, 1, 2


def _partial(name: str, condition: sa.ColumnElement[bool], *columns: sa.Column[object]) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


_p, _f = predictions.c, feedback.c
sa.Index("predictions_id", _p.id, unique=True)
_partial("predictions_unclaimed", _p.batch.is_(None), _p.project, _p.at)
_partial("predictions_folded", _p.batch.is_not(None), _p.project, _p.at)
_partial("predictions_claimed", _p.batch.is_not(None), _p.project, _p.batch, _p.seq)
sa.Index("feedback_of", _f.project, _f.prediction_id, _f.seq)
_partial("feedback_unclaimed", _f.batch.is_(None), _f.project, _f.prediction_id)
_partial("feedback_claimed", _f.batch.is_not(None), _f.project, _f.batch, _f.prediction_id)
