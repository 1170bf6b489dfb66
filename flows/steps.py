"""Every stage, lifted: a reader who looks for `@task` finds it here, on one page.

The functions in `tasks/` are plain typed Python. Here each becomes a Prefect task by value: with
how often and how patiently it is tried again, and when its record is taken again. Retries are for
faults; a `Refusal` is never retried. What a stage writes is idempotent, so a retry or a second
worker does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

import tasks.appraise
import tasks.audit
import tasks.cluster
import tasks.collect
import tasks.compare
import tasks.decide
import tasks.deploy
import tasks.detect
import tasks.engineer
import tasks.evaluate
import tasks.explore
import tasks.feedback
import tasks.forget
import tasks.ingest
import tasks.keep
import tasks.mitigate
import tasks.monitor
import tasks.package
import tasks.protect
import tasks.recall
import tasks.refit
import tasks.rehearse
import tasks.renew
import tasks.replay
import tasks.rollback
import tasks.score
import tasks.split
import tasks.tidy
import tasks.tune
import tasks.validate
from flows.headlines import headline
from flows.refusals import is_fault
from flows.resume import SameCodeSameInputs, is_whole
from tasks.progress import finish, report
from tasks.room import in_room

P = ParamSpec("P")
R = TypeVar("R")

MINUTE = 60.0


def step(
    stage: Callable[P, R], *, retries: int = 0, seconds: float | None = None, resume: bool = True
) -> Callable[P, R]:
    """The stage as a Prefect task, its types, name and docstring kept.

    `retries` faults are forgiven, with exponential backoff and jitter, but for a full disk; `seconds` is the longest
    one try may take; `resume` lets a killed run go on behind the stage's last record. A record
    that names something which is gone is made again.
    """
    lifted = task(
        name=stage.__name__,
        retries=retries,
        retry_delay_seconds=exponential_backoff(backoff_factor=2),
        retry_jitter_factor=0.5,
        retry_condition_fn=is_fault,
        timeout_seconds=seconds,
        persist_result=resume,
        result_serializer="json",
        cache_policy=SameCodeSameInputs() if resume else NO_CACHE,
    )(in_room(stage))

    @wraps(stage)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        report(stage.__name__, 0, 1)
        record = lifted(*args, **kwargs)
        if not is_whole(record):
            record = lifted.with_options(refresh_cache=True)(*args, **kwargs)
        said = headline(record)
        finish(stage.__name__, said)
        get_run_logger().info("%s: %s", stage.__name__, said)
        return record

    return call


# What these read may change without the charter: the source's bytes, the suite that people edit.
# Both know by fingerprint what they did before, and do it only once.
ingest = step(tasks.ingest.ingest, retries=3, seconds=120 * MINUTE, resume=False)
validate = step(tasks.validate.validate, retries=2, seconds=120 * MINUTE, resume=False)
# A version that is whole today may be gone tomorrow.
recall = step(tasks.recall.recall, retries=2, seconds=5 * MINUTE, resume=False)
# The journal grows, and what is folded once is not folded again.
collect = step(tasks.collect.collect, retries=3, seconds=120 * MINUTE, resume=False)
# Consent may be withdrawn, and the key is no input.
protect = step(tasks.protect.protect, retries=2, seconds=60 * MINUTE, resume=False)
# Groups keep the names that the live release gives them.
cluster = step(tasks.cluster.cluster, retries=2, seconds=60 * MINUTE, resume=False)
detect = step(tasks.detect.detect, retries=2, seconds=60 * MINUTE, resume=False)
# These rest on records alone.
renew = step(tasks.renew.renew, retries=2, seconds=60 * MINUTE)
explore = step(tasks.explore.explore, retries=2, seconds=60 * MINUTE)
split = step(tasks.split.split, retries=2, seconds=30 * MINUTE)
engineer = step(tasks.engineer.engineer, retries=2, seconds=60 * MINUTE)
audit = step(tasks.audit.audit, retries=2, seconds=30 * MINUTE)
tune = step(tasks.tune.tune, retries=2)  # keeps its own minutes
appraise = step(tasks.appraise.appraise, retries=2)  # likewise
mitigate = step(tasks.mitigate.mitigate, retries=2)  # keeps its own minutes
evaluate = step(tasks.evaluate.evaluate, retries=2, seconds=30 * MINUTE)
package = step(tasks.package.package, retries=2, seconds=30 * MINUTE)
refit = step(tasks.refit.refit, retries=2)  # keeps its own minutes
# What follows is about what is live, and this machine, now: never taken again, and safe to repeat.
compare = step(tasks.compare.compare, retries=2, seconds=30 * MINUTE, resume=False)
rehearse = step(tasks.rehearse.rehearse, retries=2, seconds=15 * MINUTE, resume=False)
deploy = step(tasks.deploy.deploy, retries=3, seconds=15 * MINUTE, resume=False)
decide = step(tasks.decide.decide, retries=2, seconds=30 * MINUTE, resume=False)
keep = step(tasks.keep.keep, retries=3, seconds=15 * MINUTE, resume=False)
rollback = step(tasks.rollback.rollback, retries=2, seconds=5 * MINUTE, resume=False)
monitor = step(tasks.monitor.monitor, retries=2, seconds=30 * MINUTE, resume=False)
tidy = step(tasks.tidy.tidy, retries=2, seconds=120 * MINUTE, resume=False)
forget = step(tasks.forget.forget, retries=2, resume=False)
score = step(tasks.score.score, retries=2, resume=False)
feedback = step(tasks.feedback.feedback, retries=2, resume=False)
advance = step(tasks.replay.advance, resume=False)  # to ask again would count twice
