"""The service's own pages, made of the release that answers now.

Nothing on them comes from elsewhere; the policy that is sent with them forbids it.
"""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

import orjson
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from serving import form
from serving.form import Bad
from serving.loaded import Loaded
from serving.watch import Refused

HERE = Path(__file__).parent
ALONE = (
    "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs(loaded: Loaded | None, refused: Refused | None) -> HTMLResponse:
    """What the service takes and gives, with a place to try it."""
    if loaded is None:
        return _html("waiting.html", title="No release yet", refused=refused)
    return _html(
        "docs.html",
        title=loaded.predictor.signature.project,
        question=loaded.papers["question"],
        loaded=loaded,
        refused=refused,
        signature=loaded.predictor.signature,
        form=form,
        example=pretty(loaded.form.example),
        answer=pretty(loaded.example),
        problem=_problem(loaded),
    )


def card(loaded: Loaded) -> HTMLResponse:
    """The model card, a page of the bundle itself; no script of it runs."""
    if not loaded.card:
        return _html("no_card.html", title=loaded.predictor.signature.project)
    policy = "style-src 'unsafe-inline'; script-src 'none'"
    return HTMLResponse(loaded.card, headers={"Content-Security-Policy": f"{ALONE}; {policy}"})


def pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _html(name: str, **words: object) -> HTMLResponse:
    nonce = secrets.token_urlsafe(16)
    policy = f"style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'"
    text = _templates().get_template(name).render(nonce=nonce, **words)
    return HTMLResponse(text, headers={"Content-Security-Policy": f"{ALONE}; {policy}"})


def _problem(loaded: Loaded) -> str:
    """A real refusal: the example with one name mistyped."""
    row = loaded.form.example
    name = max(row, key=len, default="")
    row[f"{name}s"] = row.pop(name, None)
    try:
        loaded.form.read(orjson.dumps(row))
    except Bad as bad:
        return pretty({"detail": [problem.model_dump() for problem in bad.problems]})
    return ""


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
