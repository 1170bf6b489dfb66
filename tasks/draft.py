"""A first charter from a look at a data file."""

from __future__ import annotations

import os
import re
from pathlib import Path

from charter import Refusal
from charter.load import load
from tasks.drafting.facts import looked
from tasks.drafting.guesses import guess
from tasks.drafting.source import described
from tasks.drafting.wording import worded


def draft(name: str, data: Path, target: str | None) -> Path:
    """Write `configs/<name>.yaml` from what the file holds; an existing one is never touched.

    What only people know stands there as questions. Without `target` a column is guessed, and the
    draft says so. The draft loads and trains as it stands.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise Refusal(
            name,
            "found a name that cannot be used for tables and deployments",
            "wanted small letters, digits and _, a letter first",
            f"Call it {_tidied(name)}.",
        )
    path = Path("configs") / f"{name}.yaml"
    if path.exists():
        raise _taken(path)
    source = described(data)
    with looked(source) as found:
        text = worded(name, source, found, guess(found, target))
    path.parent.mkdir(exist_ok=True)
    _complete_in_editors(path.parent)
    _write(path, text)
    return path


def _tidied(name: str) -> str:
    tidy = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return (tidy if tidy[:1].isalpha() else f"project_{tidy}")[:63].rstrip("_")


def _taken(path: Path) -> Refusal:
    return Refusal(
        path.as_posix(),
        "found a charter of this name",
        "wanted a new one",
        "Take another name, or move the old charter away; drafts overwrite nothing.",
    )


def _complete_in_editors(folder: Path) -> None:
    from charter import schema

    place = folder / schema.PLACE.name
    if not place.exists():
        place.write_text(schema.text(), encoding="utf-8")


def _write(path: Path, text: str) -> None:
    """Checked under another name first, then linked into place unless somebody was faster."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    try:
        load(temporary)
        os.link(temporary, path)
    except FileExistsError:
        raise _taken(path) from None
    finally:
        temporary.unlink(missing_ok=True)
