"""The rows that a release was made and judged with, and its answers to those it did not learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from serving.home import place
from tasks.evaluate import out_of_fold
from tasks.monitoring.reference import Before, Judged, when
from tasks.packaging.parity import answers
from tasks.split import Rows, load_training
from tasks.splitting.searched import searched

if TYPE_CHECKING:
    from tasks.packaging.papers import Papers


def before(papers: Papers, pipeline: Any, holdout: Rows) -> Before:
    """Training rows and holdout, with what the pipeline says of the holdout."""
    signature = papers.recipe.signature
    training = load_training(papers.split.training)
    found = answers(pipeline, signature, holdout.table)
    found = found[:, 0] if signature.task == "regression" else found
    return Before(
        charter=papers.charter,
        recipe=papers.recipe,
        decision=papers.scorecard.decision,
        metric=papers.scorecard.metric,
        training=training,
        holdout=holdout,
        judged=Judged(holdout.truth, found, when(papers.charter, holdout)),
        out_of_fold=_out_of_fold(papers),
    )


def _out_of_fold(papers: Papers) -> Judged | None:
    """The search's answers to rows that were left out of the fit; None where it kept none."""
    path = place(papers.study.out_of_fold)
    if not path.is_file():
        return None
    truth, found = out_of_fold(papers.study, papers.split.training.task)
    learnt = load_training(searched(papers.charter, papers.split.training))
    seconds = when(papers.charter, learnt)
    rows = np.asarray(pq.read_table(path, columns=["row"])["row"])
    return Judged(truth, found, None if seconds is None else seconds[rows])
