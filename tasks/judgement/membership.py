"""Whether the model betrays whom it learned from: membership inference without shadow models.

Two attacks guess that a row was learned: the smaller the loss on it (Yeom et al., Privacy risk in
machine learning, 2018), and the surer the answer (Salem et al., ML-Leaks, 2019). Each is told as the
area under its ROC curve over training rows and held-out ones; 0.5 is chance. Where later rows are held
out, a world that has changed looks like memory too, so the figure errs on the safe side.
"""

from __future__ import annotations

import numpy as np

from charter import Charter, Frozen, Verdict
from tasks import metrics

MOST = 10_000
"""Rows of each side."""
LEAST = 1e-12


class Attack(Frozen):
    """How well one attack tells members from others."""

    by: str
    """`loss` or `confidence`."""
    auc: float
    low: float
    high: float
    """95 % bootstrap interval."""


class Membership(Frozen):
    """Both attacks on the same rows."""

    attacks: tuple[Attack, ...]
    members: int
    others: int

    @property
    def worst(self) -> Attack:
        return max(self.attacks, key=lambda one: one.auc)


def membership(
    inside: tuple[np.ndarray, np.ndarray], outside: tuple[np.ndarray, np.ndarray], seed: int
) -> Membership:
    """`inside` are truth and predictions of rows that the model was fitted on, `outside` of others;
    probabilities of shape (rows, classes), or values of shape (rows,)."""
    draw = np.random.default_rng(seed)
    some = [_some(truth, said, draw) for truth, said in (inside, outside)]
    member = np.repeat([1, 0], [len(truth) for truth, _ in some])
    scores = {"loss": [-_loss(truth, said) for truth, said in some]}
    if some[0][1].ndim == 2:
        scores["confidence"] = [said.max(axis=1) for _, said in some]
    return Membership(
        attacks=tuple(
            _attack(by, member, np.concatenate(score), seed) for by, score in scores.items()
        ),
        members=len(some[0][0]),
        others=len(some[1][0]),
    )


def _some(
    truth: np.ndarray, said: np.ndarray, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    if len(truth) <= MOST:
        return truth, said
    chosen = draw.choice(len(truth), MOST, replace=False)
    return truth[chosen], said[chosen]


def _loss(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
    if said.ndim == 1:
        return np.asarray((truth - said) ** 2)
    hit = said[np.arange(len(truth)), truth.astype(np.int64)]
    return np.asarray(-np.log(np.maximum(hit, LEAST)))


def _attack(by: str, member: np.ndarray, score: np.ndarray, seed: int) -> Attack:
    """The scores as ranks, since only their order counts."""
    rank = np.unique(score, return_inverse=True)[1] / len(score)
    found = metrics.interval("roc_auc", member, np.column_stack([1 - rank, rank]), seed=seed)
    return Attack(by=by, auc=found.value, low=found.low, high=found.high)


def verdict(charter: Charter, found: Membership) -> Verdict:
    """Judged by the better attack; told and not judged where the charter sets no limit."""
    limit, worst = charter.privacy.membership, found.worst
    told = " and ".join(
        f"by {one.by} {one.auc:.3f} ({one.low:.3f} to {one.high:.3f})" for one in found.attacks
    )
    wanted = "no limit is set" if limit is None else f"at most {limit:g} is allowed"
    return Verdict(
        gate="privacy.membership",
        passed=limit is None or worst.auc <= limit,
        message=f"who was learned from is told with an area under the curve of {told}; 0.5 is chance, {wanted}.",
        numbers={f"{one.by}_auc": one.auc for one in found.attacks},
    )
