"""From the charter to a live release."""

from __future__ import annotations

from prefect import flow

from charter import Charter, Frozen, gate
from charter.load import load
from flows import course, steps
from flows.artifacts import show
from flows.parameters import CharterFile, Overrides, TableVersion
from flows.unlock import unlocked
from tasks.cluster import Clustered
from tasks.deploy import Release, settle
from tasks.detect import Detected
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.ingest import Ingested
from tasks.lake import Table
from tasks.package import Bundle
from tasks.protect import Protected
from tasks.recall import Recalled
from tasks.rehearse import Blessing
from tasks.split import Split
from tasks.tune import Study
from tasks.tuning.reach import reach
from tasks.turn import turn
from tasks.validate import Validated


class Trained(Frozen):
    """Everything a training handed over, stage by stage."""

    project: str
    table: Table
    """What was learned from."""
    ingested: Ingested | None = None
    validated: Validated | None = None
    """None where an old version of the table was named."""
    protected: Protected
    found: Clustered | Detected | None = None
    """None where the charter names a truth."""
    profile: Profile
    split: Split
    recipe: Recipe
    study: Study
    scorecard: Scorecard
    bundle: Bundle
    blessing: Blessing
    release: Release


@flow(name="train", persist_result=True, result_serializer="json")
def train(
    charter: CharterFile, overrides: Overrides = (), table_version: TableVersion = None
) -> Trained:
    """Train, judge, package, rehearse and deploy what the charter asks for.

    Ends refused, with nothing deployed, where a gate of level fail does not pass. Run again after
    a kill, it goes on behind the last finished stage. It waits while another training or retrain
    of the project runs.
    """
    words = unlocked(load(charter, overrides))
    reach(words)
    with turn(words.name, "train"):
        settle(words.name)  # what a run that was killed left behind
        ingested, validated, rows = _rows(words, table_version)
        protected = (
            course.protected(words, rows.table, ingested.barred, finds=ingested.found, look=False)
            if ingested
            else course.protected(words, rows.table)
        )
        found = course.found(words, protected.table)
        gate("goal.target", found.verdicts if found else (), "Open the page of what was found.")
        made = course.model(words, protected.table, truth=found)
        scorecard = made.scorecard
        gate("evaluate", scorecard.verdicts, "Open the scorecard; nothing was deployed.")
        bundle = course.bundle(words, made, (protected.table, rows.table, *rows.sources))
        gate("package", bundle.verdicts, "The bundle is kept for inspection; nothing was deployed.")
        blessing = show(steps.rehearse(words, bundle))
        gate("rehearse", blessing.verdicts, "Nothing was deployed.")
        release = show(steps.deploy(words, bundle, blessing, scorecard))
    return Trained(
        project=words.name, table=rows.table, ingested=ingested, validated=validated,
        protected=protected, found=found, profile=made.profile, split=made.split,
        recipe=made.recipe, study=made.study, scorecard=scorecard, bundle=bundle, blessing=blessing,
        release=release,
    )  # fmt: skip


def _rows(
    words: Charter, version: str | None
) -> tuple[Ingested | None, Validated | None, Recalled]:
    """The rows to learn from: those of the source, or those that an old version has."""
    if version is not None:
        return None, None, show(steps.recall(words, version))
    ingested, validated = course.source(words)
    return ingested, validated, Recalled(table=validated.table)
