"""Fitted preparation steps as nodes, in double, with the arithmetic that the steps use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from charter import Refusal
from tasks.graph.writer import Block, Writer
from tasks.recipe.calendar import Calendar
from tasks.recipe.clock import PERIOD, circle, parts
from tasks.recipe.single import Single


@dataclass(frozen=True)
class Raw:
    """The inputs of the graph by column name: a block of numbers and a block of texts."""

    numbers: dict[str, int]
    texts: dict[str, int]
    writer: Writer

    def select(self, names: list[str]) -> Block:
        """Columns of one kind, side by side."""
        for tensor, places in (("numbers", self.numbers), ("texts", self.texts)):
            if all(name in places for name in names):
                block = Block(self.writer, tensor, len(places))
                return block.columns([places[name] for name in names])
        raise unwritable(f"columns {', '.join(names)}", "one step over columns of one kind")


def unwritable(found: str, wanted: str) -> Refusal:
    """The refusal of what has no counterpart in the graph."""
    remedy = "Use the steps of tasks.recipe, or teach tasks.graph the new one."
    return Refusal("tasks.graph", f"found {found}", f"wanted {wanted}", remedy)


@singledispatch
def prepare(step: Any, x: Any) -> Block:
    """The nodes of one fitted step; `x` is Raw for the first step, a Block for later ones."""
    raise unwritable(type(step).__name__, "a step that can be written as ONNX")


@prepare.register
def _(step: Pipeline, x: Raw | Block) -> Block:
    block: Raw | Block = x
    for _, part in step.steps:
        block = block if isinstance(part, str) else prepare(part, block)
    return block if isinstance(block, Block) else block.select([*block.numbers])


@prepare.register
def _(step: ColumnTransformer, x: Raw) -> Block:
    blocks = []
    for _, part, names in step.transformers_:
        if (isinstance(part, str) and part == "drop") or not len(names):
            continue
        chosen = x.select(list(names))
        blocks.append(chosen if isinstance(part, str) else prepare(part, chosen))
    return x.writer.join(blocks)


@prepare.register
def _(step: FunctionTransformer, x: Block) -> Block:
    if step.func is not None:
        raise unwritable("a function", "passthrough")
    return x


@prepare.register
def _(step: SimpleImputer, x: Block) -> Block:
    filling = np.asarray(step.statistics_, dtype=np.float64)
    kept = np.flatnonzero(~np.isnan(filling)).tolist()
    columns = x.columns(kept)
    missing = columns.apply("IsNaN")
    fill = x.writer.constant(filling[kept])
    filled = x.writer.add("Where", missing, fill, columns, width=len(kept))
    if step.indicator_ is None:
        return filled
    return x.writer.join([filled, prepare(step.indicator_, x)])


@prepare.register
def _(step: MissingIndicator, x: Block) -> Block:
    places = [int(place) for place in step.features_]
    if not places:
        return Block(x.writer, "", 0)
    return x.columns(places).apply("IsNaN").double()


@prepare.register
def _(step: StandardScaler, x: Block) -> Block:
    centred = x - np.asarray(step.mean_) if step.with_mean else x
    return centred / np.asarray(step.scale_) if step.with_std else centred


@prepare.register
def _(step: PCA, x: Block) -> Block:
    components = np.asarray(step.components_, dtype=np.float64)
    found = x @ components.T - np.asarray(step.mean_ @ components.T)
    if not step.whiten:
        return found
    scale: np.ndarray = np.sqrt(np.maximum(step.explained_variance_, np.finfo(np.float64).eps ** 2))
    return found / scale


@prepare.register
def _(step: OneHotEncoder, x: Block) -> Block:
    if step.sparse_output or step.drop_idx_ is not None:
        raise unwritable("sparse or dropped columns", "a dense one-hot encoder")
    tables, unknown, widths = [], [], []
    for place, levels in enumerate(step.categories_):
        shared = _shared(step, place)
        codes = range(len(levels)) if shared is None else shared
        tables.append(dict(zip(levels, map(int, codes), strict=True)))
        rare = None if shared is None else step.infrequent_categories_[place]
        widths.append(max(tables[-1].values()) + 1)
        shares = rare is not None and step.handle_unknown == "infrequent_if_exist"
        unknown.append(widths[-1] - 1 if shares else -1)
    found = _codes(x, tables, unknown)
    wide = found.columns([place for place, width in enumerate(widths) for _ in range(width)])
    local = x.writer.constant([code for width in widths for code in range(width)], np.int64)
    return x.writer.add("Equal", wide, local, width=wide.width).double()


@prepare.register
def _(step: OrdinalEncoder, x: Block) -> Block:
    tables = []
    for place, levels in enumerate(step.categories_):
        shared = _shared(step, place)
        codes = range(len(levels)) if shared is None else shared
        tables.append(dict(zip(levels, map(int, codes), strict=True)))
    return _codes(x, tables, [int(step.unknown_value)] * len(tables)).double()


def _shared(step: OneHotEncoder | OrdinalEncoder, place: int) -> np.ndarray | None:
    """Level to column, where rare levels of the encoder share one."""
    if not step._infrequent_enabled:
        return None
    shared: np.ndarray | None = step._default_to_infrequent_mappings[place]
    return shared


def _codes(x: Block, tables: list[dict[str, int]], unknown: list[int]) -> Block:
    """Texts to int64 codes, all columns in three nodes.

    Each known text of any column gets one number, and a table with a row per column says what it
    means there.
    """
    known = sorted({level for table in tables for level in table})
    if not all(isinstance(level, str) for level in known):
        raise unwritable("categories that are not texts", "text columns")
    meaning = [
        [table.get(level, other) for level in known] + [other]
        for table, other in zip(tables, unknown, strict=True)
    ]
    numbered = x.apply(
        "LabelEncoder", domain="ai.onnx.ml", keys_strings=[level.encode() for level in known],
        values_int64s=list(range(len(known))), default_int64=len(known),
    )  # fmt: skip
    starts = np.arange(len(tables)) * (len(known) + 1)
    places = numbered + Block(x.writer, x.writer.constant(starts, np.int64), 0)
    flat = x.writer.constant(np.ravel(meaning), np.int64)
    return x.writer.add("Gather", flat, places, width=len(tables), axis=0)


@prepare.register
def _(step: Calendar, x: Block) -> Block:
    found = parts(x, lambda block: block.apply("Floor"))
    blocks: list[Block] = []
    for part in step.parts:
        if step.cyclic:
            blocks += circle(found[part], PERIOD[part], lambda block: block.apply("Sin"))
        else:
            blocks.append(found[part])
    side_by_side = x.writer.join(blocks)
    order = [i * x.width + column for column in range(x.width) for i in range(len(blocks))]
    return side_by_side.columns(order)


@prepare.register
def _(step: Single, x: Block) -> Block:
    bounds = x.writer.constant(np.float64(-step.limit)), x.writer.constant(np.float64(step.limit))
    return x.writer.add("Clip", x, *bounds, width=x.width).single().double()
