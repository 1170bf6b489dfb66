"""The project's one file."""

from __future__ import annotations

import hashlib

from pydantic import Field, model_validator

from charter import agreement
from charter.conflict import agree
from charter.constraints import Constraints
from charter.data import Data
from charter.deployment import Deployment
from charter.evaluation import AtRandom, ByGroup, ByTime, ByValue, Evaluation
from charter.experience import Experience
from charter.fairness import Fairness, of_fairness
from charter.features import Features
from charter.frozen import Frozen
from charter.goal import Goal
from charter.privacy import Privacy, of_privacy
from charter.runtime import Runtime
from charter.storage import Storage
from charter.tuning import Tuning


class Charter(Frozen):
    """What a model is for, what it may cost and how it is judged."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Names the tables, releases and deployments: small letters, digits and _, a letter first."""
    goal: Goal
    experience: Experience = Experience()
    constraints: Constraints = Constraints()
    evaluation: Evaluation = Evaluation()
    data: Data
    privacy: Privacy = Privacy()
    fairness: Fairness = Fairness()
    features: Features = Features()
    tuning: Tuning = Tuning()
    deployment: Deployment = Deployment()
    runtime: Runtime = Runtime()
    storage: Storage = Storage()

    @model_validator(mode="after")
    def _agrees(self) -> Charter:
        columns = agreement.between(self.goal, self.data, self.evaluation, self.features)
        search = agreement.of_search(self.goal, self.constraints, self.evaluation, self.tuning)
        later = [
            *agreement.of_window(self.data, self.runtime),
            *agreement.of_sought(self.goal, self.deployment),
        ]
        private = of_privacy(self.goal.target.column, self.data, self.privacy)
        fair = of_fairness(self.goal.target.column, self.goal.target.task, self.fairness)
        agree([*columns, *search, *later, *private, *fair, *agreement.of_growth(self.data)])
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole charter, defaults included."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def split(self) -> ByTime | AtRandom | ByGroup | ByValue:
        """How the holdout is made, the default filled in."""
        if self.evaluation.split is not None:
            return self.evaluation.split
        return ByTime(by="time") if self.data.time else AtRandom(by="random")
