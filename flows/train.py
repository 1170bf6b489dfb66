"""From the charter to a live release."""

from __future__ import annotations

from prefect import flow

from charter import Frozen, gate
from charter.load import load
from flows import steps
from flows.artifacts import show
from flows.parameters import CharterFile, Overrides
from tasks.deploy import Release
from tasks.engineer import Recipe
from tasks.evaluate import Scorecard
from tasks.explore import Profile
from tasks.ingest import Ingested
from tasks.package import Bundle
from tasks.rehearse import Blessing
from tasks.split import Split
from tasks.tune import Study
from tasks.validate import Validated


class Trained(Frozen):
    """Everything a training handed over, stage by stage."""

    project: str
    ingested: Ingested
    validated: Validated
    profile: Profile
    split: Split
    recipe: Recipe
    study: Study
    scorecard: Scorecard
    bundle: Bundle
    blessing: Blessing
    release: Release


@flow(name="train", persist_result=True, result_serializer="json")
def train(charter: CharterFile, overrides: Overrides = ()) -> Trained:
    """Train, judge, package, rehearse and deploy what the charter asks for.

    Ends refused, with nothing deployed, where a gate of level fail does not pass. Run again after
    a kill, it goes on behind the last finished stage.
    """
    words = load(charter, overrides)
    ingested = show(steps.ingest(words))
    gate("ingest", ingested.verdicts, "Look at the source, or at data.joins in the charter.")
    validated = show(steps.validate(words, ingested))
    gate("validate", validated.verdicts, "Open the Data Docs and the quarantine.")
    profile = show(steps.explore(words, validated.table))
    split = show(steps.split(words, validated.table, profile))
    recipe = show(steps.engineer(words, split.training, profile))
    gate("engineer", recipe.verdicts, "Open the recipe page.")
    study = show(steps.tune(words, split.training, recipe))
    scorecard = show(steps.evaluate(words, split, recipe, study))
    gate("evaluate", scorecard.verdicts, "Open the scorecard; nothing was deployed.")
    bundle = show(steps.package(words, validated.table, profile, split, recipe, study, scorecard))
    gate("package", bundle.verdicts, "The bundle is kept for inspection; nothing was deployed.")
    blessing = show(steps.rehearse(words, bundle))
    gate("rehearse", blessing.verdicts, "Nothing was deployed.")
    release = show(steps.deploy(words, bundle, blessing, scorecard))
    return Trained(
        project=words.name, ingested=ingested, validated=validated, profile=profile, split=split,
        recipe=recipe, study=study, scorecard=scorecard, bundle=bundle, blessing=blessing,
        release=release,
    )  # fmt: skip
