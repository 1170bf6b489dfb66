"""The only file that knows Optuna: what is tried next in one family, and what became of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState

from tasks.models.base import Choice, Real, Space, Value, Whole

Params = dict[str, Value]
State = Literal["complete", "pruned", "failed", "running"]
AHEAD = 25.0
"""A trial goes on to its further folds only among the best so many per cent of those that had them."""
REPEATS = 10
"""So many proposals that were tried before, one after the other, and the space counts as searched."""
REPEAT = "repeat"
INTERRUPTED = "interrupted"
STARTUP = 5
"""Trials before the next one is chosen by those before it: as many as begin a search."""
_STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}

optuna.logging.set_verbosity(optuna.logging.ERROR)


@dataclass(frozen=True)
class Entry:
    """One trial, as it ended."""

    number: int
    params: Params
    state: State
    score: float | None
    seconds: float
    why: str
    began: float
    """Seconds since 1970."""
    notes: Mapping[str, Any]


def journal(path: Path) -> BaseStorage:
    """The trials' journal. Whoever opens it holds the folder's lock; a half-written last line,
    which a killed run leaves behind, is cut off."""
    if path.exists():
        whole = path.read_bytes()
        end = whole.rfind(b"\n") + 1
        if end < len(whole):
            with path.open("r+b") as file:
                file.truncate(end)
    return JournalStorage(JournalFileBackend(str(path), lock_obj=_Held(str(path))))


class _Held(JournalFileOpenLock):
    """No lock: the folder's own lock dies with its process, Optuna's outlives it."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


class Search:
    """The trials of one family, kept in the journal."""

    def __init__(
        self,
        storage: BaseStorage,
        name: str,
        space: Space,
        start: Mapping[str, Value],
        kind: Literal["bayesian", "random", "grid"],
        *,
        known: Mapping[str, Value] | None = None,
        more: Sequence[Mapping[str, Value]] = (),
        seed: int,
        greater: bool,
        prune: bool,
    ) -> None:
        self._space = space
        known = {**start, **_fitting(space, known or {})}
        starts = [_within(space, point) for point in (known, start, *more)]
        self._start = starts[0]
        self._kind = kind
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize" if greater else "minimize",
            load_if_exists=True,
            pruner=_pruner(prune),
        )
        self._mend()
        self._study.sampler = _sampler(kind, seed + len(self.entries()))
        if kind != "grid":
            self._begin_with(starts)

    def _mend(self) -> None:
        """What a killed run left running has failed."""
        for trial in self._running():
            self._study.tell(trial.number, state=TrialState.FAIL)

    def _begin_with(self, starts: Sequence[Params]) -> None:
        """Known parameters first, then the family's own and its portfolio; each once, unless a kill
        cut it off."""
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        done = {_key(trial.system_attrs["fixed_params"]) for trial in waiting}
        done |= {_key(entry.params) for entry in self.entries() if entry.why != INTERRUPTED}
        for params in starts:
            if _key(params) not in done:
                self._study.enqueue_trial(dict(params))
                done.add(_key(params))

    def _running(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    @property
    def running(self) -> int:
        """Trials that have not ended yet."""
        return len(self._running())

    def _enqueue(self, params: Params) -> None:
        if not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            self._study.enqueue_trial(dict(params))

    def entries(self) -> list[Entry]:
        """Every trial that ended, oldest first; what was only a repeat is left out."""
        trials = self._study.get_trials(deepcopy=False, states=tuple(_STATES))
        return [_entry(trial) for trial in trials if REPEAT not in trial.user_attrs]

    def next(self) -> Attempt | None:
        """What to try next; None once the space is searched."""
        tried = {_key(entry.params) for entry in self.entries() if entry.why != INTERRUPTED}
        tried |= {_key(trial.params) for trial in self._running()}
        if self._kind == "grid":
            point = next((point for point in self._grid() if _key(point) not in tried), None)
            if point is None:
                return None
            self._enqueue(point)
            return self._ask()
        if tried and not self._space:
            return None
        for _ in range(REPEATS):
            attempt = self._ask()
            if _key(attempt.params) not in tried:
                return attempt
            attempt.repeat(self.entries())
        return None

    def _ask(self) -> Attempt:
        trial = self._study.ask()
        params = {name: suggest(part, trial, name) for name, part in self._space.items()}
        return Attempt(self._study, trial, params)

    def _grid(self) -> Iterator[Params]:
        """Every point of the grid, the starting parameters first."""
        points = [
            dict(zip(self._space, values, strict=True))
            for values in itertools.product(*(part.grid for part in self._space.values()))
        ]
        return iter(sorted(points, key=lambda point: _distance(point, self._start)))


class Attempt:
    """A trial that is being run."""

    def __init__(self, study: optuna.Study, trial: Trial, params: Params) -> None:
        self._study = study
        self._trial = trial
        self.number: int = trial.number
        self.params = params
        self._reported: set[int] = set()

    def report(self, step: int, score: float) -> bool:
        """Note the mean score of the folds so far; whether to give up."""
        if step not in self._reported:  # a trial whose worker was lost begins anew
            self._reported.add(step)
            self._trial.report(score, step)
        return bool(self._trial.should_prune())

    def complete(self, score: float, seconds: float, **notes: object) -> None:
        self._end(TrialState.COMPLETE, seconds, score, notes)

    def prune(self, seconds: float, why: str, **notes: object) -> None:
        self._end(TrialState.PRUNED, seconds, None, {"why": why, **notes})

    def fail(self, seconds: float, why: str, **notes: object) -> None:
        self._end(TrialState.FAIL, seconds, None, {"why": why, **notes})

    def repeat(self, entries: Sequence[Entry]) -> None:
        """End with what the same parameters came to before, or are being tried to come to."""
        same = next((one for one in entries if _key(one.params) == _key(self.params)), None)
        if same is None:
            self.fail(0.0, "is being tried", **{REPEAT: True})
        elif same.score is not None:
            self.complete(same.score, 0.0, **{REPEAT: same.number})
        else:
            self.fail(0.0, same.why, **{REPEAT: same.number})

    def _end(
        self, state: TrialState, seconds: float, score: float | None, notes: Mapping[str, object]
    ) -> None:
        for key, value in {"seconds": round(seconds, 4), **notes}.items():
            self._trial.set_user_attr(key, value)
        self._study.tell(self.number, score, state=state)


@singledispatch
def suggest(part: object, trial: Trial, name: str) -> Value:
    """A value of one dimension of the space."""
    raise TypeError(type(part))


@suggest.register
def _(part: Whole, trial: Trial, name: str) -> Value:
    return trial.suggest_int(name, part.low, part.high, log=part.log)


@suggest.register
def _(part: Real, trial: Trial, name: str) -> Value:
    return trial.suggest_float(name, part.low, part.high, log=part.log)


@suggest.register
def _(part: Choice, trial: Trial, name: str) -> Value:
    value: Value = trial.suggest_categorical(name, part.grid)
    return value


def _sampler(kind: str, seed: int) -> optuna.samplers.BaseSampler:
    if kind == "bayesian":
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(prune: bool) -> optuna.pruners.BasePruner:
    if not prune:
        return optuna.pruners.NopPruner()
    return optuna.pruners.PercentilePruner(AHEAD, n_startup_trials=2)


def _fitting(space: Space, known: Mapping[str, Value]) -> Params:
    """What is known of the space's dimensions and can still be chosen there."""
    return {
        name: value
        for name, value in known.items()
        if name in space and (not isinstance(space[name], Choice) or value in space[name].grid)
    }


def _within(space: Space, start: Mapping[str, Value]) -> Params:
    """The starting parameters, moved into the space where they lie outside of it."""
    return {name: _nearest(part, start[name]) for name, part in space.items()}


@singledispatch
def _nearest(part: object, value: Value) -> Value:
    return value


@_nearest.register(Whole)
@_nearest.register(Real)
def _(part: Whole | Real, value: Value) -> Value:
    assert isinstance(value, int | float)
    return min(part.high, max(part.low, value))


def _distance(point: Params, start: Params) -> int:
    return sum(point[name] != start[name] for name in point)


def _key(params: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
    return tuple(sorted(params.items()))


def _entry(trial: FrozenTrial) -> Entry:
    notes = dict(trial.user_attrs)
    return Entry(
        number=trial.number,
        params=dict(trial.params),
        state=_STATES[trial.state],
        score=trial.value if trial.state == TrialState.COMPLETE else None,
        seconds=float(notes.pop("seconds", 0.0)),
        why=str(notes.pop("why", INTERRUPTED if trial.state == TrialState.FAIL else "")),
        began=trial.datetime_start.timestamp() if trial.datetime_start else 0.0,
        notes=notes,
    )


__all__ = ["Attempt", "BaseStorage", "Entry", "Search", "journal"]
