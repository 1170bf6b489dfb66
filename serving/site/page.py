"""The page itself, made of the release that answers now."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from serving.form import MAX_ROWS
from serving.loaded import Loaded
from serving.pages import ALONE
from serving.site.fields import Field, fields, readable
from serving.site.words import certainty, meaning, named, outcome
from serving.watch import Refused

OWN = ALONE.replace("img-src data:", "img-src 'self' data:")
POLICY = f"{OWN}; style-src 'self'; script-src 'self'; connect-src 'self'"
ON_DEVICE = (
    f"{OWN}; style-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'"
)
"""The model runs in the page's worker, so its machine code may be compiled there; no text is."""
FIRST = 12  # fields that are shown at once, where there are many
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")


def site(
    loaded: Loaded, refused: Refused | None, journal: bool, device: bool = False
) -> HTMLResponse:
    """The page; the answer to the example stands on it before any script runs.

    `device`: the release may be kept on the user's own.
    """
    signature, charter = loaded.predictor.signature, loaded.charter
    shown = fields(signature, charter)
    goal, experience = charter.get("goal", {}), charter.get("experience", {})
    text = (
        _templates()
        .get_template("site.html")
        .render(
            loaded=loaded,
            signature=signature,
            refused=refused,
            journal=journal,
            device=device,
            title=goal.get("question")
            or f"{readable(signature.project)}: {readable(signature.target)}",
            project=readable(signature.project),
            audience=experience.get("audience") or goal.get("acts_on_it") or "",
            fields=shown[:FIRST] if len(shown) > FIRST + 3 else shown,
            more=shown[FIRST:] if len(shown) > FIRST + 3 else [],
            certainty=certainty(signature, loaded.predictor.decision, charter, loaded.scorecard),
            measures=loaded.scorecard.get("measures", []),
            data=_data(loaded, shown, charter) | {"device": device},
            named=named,
            meaning=meaning,
        )
    )
    return HTMLResponse(text, headers={"content-security-policy": ON_DEVICE if device else POLICY})


def _data(loaded: Loaded, shown: list[Field], charter: dict[str, Any]) -> dict[str, Any]:
    """What the scripts know."""
    signature, decision = loaded.predictor.signature, loaded.predictor.decision
    source = charter.get("data", {}).get("source", {})
    told = charter.get("data", {}).get("columns", {}).get(signature.target) or {}
    return {
        "project": signature.project,
        "target": told.get("label") or signature.target.replace("_", " "),
        "release": loaded.live.release,
        "classes": [
            {"label": label, "say": signature.say.get(label, label), "outcome": outcome(signature, label)}
            for label in signature.classes
        ],
        "threshold": decision.threshold,
        "fields": [
            {"name": one.name, "label": one.label, "control": one.control, "required": one.required,
             "low": one.low, "high": one.high}
            for one in shown
        ],
        "columns": [one.name for one in (*signature.inputs, *signature.carried)],
        "missing": list(source.get("missing") or MISSING),
        "delimiter": source.get("delimiter"),
        "most": MAX_ROWS,
        "example": loaded.example,
    }  # fmt: skip


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
