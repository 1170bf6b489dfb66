"""Pictures for the Prefect UI, drawn with the charts of the pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from tasks.metrics import greater_is_better
from tasks.pages import charts


def convergence(metric: str, trials: Sequence[Mapping[str, object]]) -> str:
    """Every scored trial as a dot and the best so far as steps, as an SVG that stands alone."""
    scores = [
        (float(trial["number"]), float(trial["score"]), str(trial["family"]))  # type: ignore[arg-type]
        for trial in trials
        if trial["score"] is not None
    ]
    figure = charts.convergence(metric, scores, larger_is_better=greater_is_better(metric))
    return alone(figure)


def alone(figure: str) -> str:
    """The first drawing of a chart with the style of the pages inside."""
    found = re.search(r"<svg (.*?)>(.*?)</svg>", figure, re.DOTALL)
    if found is None:
        raise ValueError("the chart holds no drawing")
    style = files("tasks.pages").joinpath("page.css").read_text()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="240" {found[1]}>'
        f"<style><![CDATA[{style}]]></style>"
        f'<rect width="100%" height="100%" style="fill: var(--surface)"/>{found[2]}</svg>'
    )
