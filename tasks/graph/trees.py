"""Decision trees, forests and XGBoost as one TreeEnsemble node, in double.

Prepared values are float32 numbers held as double, so that `<=` against scikit-learn's double
thresholds and `<` against XGBoost's float32 thresholds are exactly what the libraries decide.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import numpy_helper
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

from tasks.graph.estimators import both, estimate
from tasks.graph.preparation import unwritable
from tasks.graph.writer import Block

LESS_OR_EQUAL, LESS = 0, 1


@dataclass
class Grove:
    """The attributes of a TreeEnsemble (ai.onnx.ml 5), filled tree by tree."""

    mode: int
    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    children: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    leafs: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def plant(self, tree: Tree, target: int) -> None:
        """Add one tree, whose leaves add to `target`."""
        start = len(self.features)
        inner = np.flatnonzero(tree.left >= 0)
        place = np.full(len(tree.left), -1)
        place[inner] = start + np.arange(len(inner))
        leaves = np.flatnonzero(tree.left < 0)
        place[leaves] = len(self.targets) + np.arange(len(leaves))
        self.roots.append(start)
        self.targets += [target] * len(leaves)
        self.weights += tree.values[leaves].tolist()
        if not len(inner):  # a tree of one leaf: a split with the leaf on both sides
            self._split(0, 0.0, 0, int(place[0]), True, int(place[0]), True)
        for node in inner.tolist():
            left, right = int(tree.left[node]), int(tree.right[node])
            self._split(
                int(tree.feature[node]), float(tree.threshold[node]), int(tree.missing[node]),
                int(place[left]), bool(tree.left[left] < 0),
                int(place[right]), bool(tree.left[right] < 0),
            )  # fmt: skip

    def _split(
        self, feature: int, split: float, missing: int,
        left: int, left_leaf: bool, right: int, right_leaf: bool,
    ) -> None:  # fmt: skip
        self.features.append(feature)
        self.splits.append(split)
        self.missing.append(missing)
        for side, place, leaf in ((0, left, left_leaf), (1, right, right_leaf)):
            self.children[side].append(place)
            self.leafs[side].append(int(leaf))

    def write(self, x: Block, targets: int) -> Block:
        """The sum over the trees, shape (rows, targets)."""
        modes = np.full(len(self.features), self.mode, dtype=np.uint8)
        return x.writer.add(
            "TreeEnsemble", x, width=targets, domain="ai.onnx.ml",
            tree_roots=self.roots, n_targets=targets, aggregate_function=1, post_transform=0,
            nodes_featureids=self.features, nodes_modes=numpy_helper.from_array(modes),
            nodes_splits=numpy_helper.from_array(np.asarray(self.splits, dtype=np.float64)),
            nodes_truenodeids=self.children[0], nodes_trueleafs=self.leafs[0],
            nodes_falsenodeids=self.children[1], nodes_falseleafs=self.leafs[1],
            nodes_missing_value_tracks_true=self.missing, leaf_targetids=self.targets,
            leaf_weights=numpy_helper.from_array(np.asarray(self.weights, dtype=np.float64)),
        )  # fmt: skip


@dataclass(frozen=True)
class Tree:
    """One tree; arrays of one entry per node, `left` is -1 at leaves."""

    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing: np.ndarray
    """1 where a missing value goes left."""
    values: np.ndarray
    """What a leaf adds."""


def _sklearn(tree: Any, values: np.ndarray) -> Tree:
    return Tree(
        tree.children_left, tree.children_right, tree.feature, tree.threshold,
        tree.missing_go_to_left, values,
    )  # fmt: skip


@estimate.register(DecisionTreeRegressor)
@estimate.register(RandomForestRegressor)
@estimate.register(ExtraTreesRegressor)
def _(model: Any, x: Block) -> Block:
    trees = _members(model)
    grove = Grove(LESS_OR_EQUAL)
    for tree in trees:
        grove.plant(_sklearn(tree, tree.value[:, 0, 0]), 0)
    return grove.write(x, 1) / float(len(trees))


@estimate.register(DecisionTreeClassifier)
@estimate.register(RandomForestClassifier)
@estimate.register(ExtraTreesClassifier)
def _(model: Any, x: Block) -> Block:
    trees = _members(model)
    if len(model.classes_) == 2:
        grove = Grove(LESS_OR_EQUAL)
        for tree in trees:
            grove.plant(_sklearn(tree, tree.value[:, 0, 1]), 0)
        return both(grove.write(x, 1) / float(len(trees)))
    return _shares(trees, len(model.classes_), x)


def _members(model: Any) -> list[Any]:
    return [member.tree_ for member in getattr(model, "estimators_", [model])]


def _shares(trees: list[Any], classes: int, x: Block) -> Block:
    """The mean class shares: each tree names its leaf, and a table holds the leaf's shares."""
    grove = Grove(LESS_OR_EQUAL)
    table: list[np.ndarray] = []
    for target, tree in enumerate(trees):
        leaves = tree.children_left < 0
        numbers = np.cumsum(leaves) - 1.0 + sum(len(shares) for shares in table)
        grove.plant(_sklearn(tree, numbers), target)
        table.append(tree.value[leaves, 0, :])
    named = grove.write(x, len(trees)).apply("Cast", to=7)  # int64
    shares = x.writer.constant(np.concatenate(table))
    found = x.writer.add("Gather", shares, named, width=classes, axis=0)
    axis = x.writer.constant([1], np.int64)
    return x.writer.add("ReduceMean", found, axis, width=classes, keepdims=0)


@estimate.register(HistGradientBoostingClassifier)
@estimate.register(HistGradientBoostingRegressor)
def _(model: Any, x: Block) -> Block:
    start = np.ravel(model._baseline_prediction)
    grove = Grove(LESS_OR_EQUAL)
    for each in model._predictors:
        for target, predictor in enumerate(each):
            grove.plant(_grown(predictor.nodes), target)
    scores = grove.write(x, len(start)) + start
    if isinstance(model, HistGradientBoostingRegressor):
        return scores
    return both(scores.apply("Sigmoid")) if len(start) == 1 else scores.apply("Softmax", axis=1)


def _grown(nodes: np.ndarray) -> Tree:
    """One tree of scikit-learn's histogram boosting; its leaves hold the learning rate already."""
    if nodes["is_categorical"].any():
        raise unwritable("splits on categories", "numeric splits")
    leaf = nodes["is_leaf"].astype(bool)
    left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
    return Tree(
        left, right, nodes["feature_idx"], nodes["num_threshold"], nodes["missing_go_to_left"],
        nodes["value"],
    )  # fmt: skip


@estimate.register(XGBClassifier)
@estimate.register(XGBRegressor)
def _(model: XGBClassifier | XGBRegressor, x: Block) -> Block:
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    if learner["gradient_booster"]["name"] != "gbtree":
        raise unwritable(f"booster {learner['gradient_booster']['name']}", "gbtree")
    objective = learner["objective"]["name"]
    grown = learner["gradient_booster"]["model"]
    classes = max(1, int(learner["learner_model_param"]["num_class"]))
    grove = Grove(LESS)
    for tree, target in _until_best(model, grown, classes):
        grove.plant(_boosted(tree), target)
    scores = grove.write(x, classes) + _start(learner, objective, classes)
    if objective == "binary:logistic":
        return both(scores.apply("Sigmoid"))
    return scores.apply("Softmax", axis=1) if objective == "multi:softprob" else scores


def _until_best(model: Any, grown: dict[str, Any], classes: int) -> list[tuple[Any, int]]:
    """The trees that `predict` uses: those up to the best round, where early stopping found one."""
    trees = list(zip(grown["trees"], grown["tree_info"], strict=True))
    try:
        rounds = model.best_iteration + 1
    except AttributeError:
        return trees
    return trees[: int(grown["iteration_indptr"][rounds])]


def _boosted(tree: dict[str, Any]) -> Tree:
    if any(tree["split_type"]):
        raise unwritable("splits on categories", "numeric splits")
    # The condition of a leaf is its value; both were float32 before they were written as text.
    conditions = np.asarray(tree["split_conditions"], dtype=np.float32).astype(np.float64)
    return Tree(
        np.asarray(tree["left_children"]), np.asarray(tree["right_children"]),
        np.asarray(tree["split_indices"]), conditions, np.asarray(tree["default_left"]), conditions,
    )  # fmt: skip


def _start(learner: dict[str, Any], objective: str, classes: int) -> np.ndarray:
    """The margin before the first tree, shape (classes,)."""
    text = learner["learner_model_param"]["base_score"]
    scores = np.ravel(json.loads(text)).astype(np.float64)
    if objective == "binary:logistic":
        scores = np.asarray([math.log(p / (1.0 - p)) for p in scores])
    elif objective not in ("multi:softprob", "reg:squarederror"):
        raise unwritable(f"objective {objective}", "logistic, softmax or squared error")
    return np.broadcast_to(scores, (classes,)).copy()
