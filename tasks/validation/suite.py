"""The suite: inferred once, written for people to review, and then used as it stands."""

from __future__ import annotations

import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from charter import Frozen, Refusal
from tasks.validation.expectation import Expectation, Kind

KINDS: tuple[Kind, ...] = ("row", "table", "warning")
READING = [
    "kind row: a row that breaks it goes to quarantine. kind table: the run is refused.",
    "kind warning: shown, nothing else. columns: the type that each column must have.",
    "Change and commit this file: it is used as it stands and never overwritten.",
    "Delete it to have it inferred again. Rules and key of the charter apply on top of it.",
]
REMEDY = "Correct the file, or delete it so that the next run infers it again."


class Suite(Frozen):
    """What was normal in the first good data, as reviewed by people."""

    name: str
    rows: int = 0
    """How many rows it was inferred from."""
    columns: dict[str, str] = {}
    """Arrow type of each column, in any order; empty where nobody wrote them down."""
    expectations: tuple[Expectation, ...]


def location(name: str) -> Path:
    """Where a project's suite is, relative to the working directory."""
    return Path("configs") / "expectations" / f"{name}.json"


def write(suite: Suite, path: Path) -> bool:
    """Write the suite, unless there is one already; whether it was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text(_document(suite)), encoding="utf-8")
        os.link(temporary, path)  # unlike a rename, a link never replaces what people wrote
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def read(path: Path) -> Suite:
    """The suite of a file; a file that is no suite is refused, naming the place."""
    document = parsed(path)
    entries = document.get("expectations")
    if not isinstance(entries, list):
        raise _refused(path, "found no list of expectations", "wanted the key expectations: [...]")
    meta = _mapping(path, "meta", document.get("meta") or {})
    columns = _mapping(path, "meta.columns", meta.get("columns") or {})
    rows = meta.get("rows")
    return Suite(
        name=str(document.get("name") or path.stem),
        rows=rows if isinstance(rows, int) else 0,
        columns={column: str(kind) for column, kind in columns.items()},
        expectations=tuple(_expectation(path, i, entry) for i, entry in enumerate(entries)),
    )


def parsed(path: Path) -> dict[str, Any]:
    """The file as it stands, with whatever people added to it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        found = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise _refused(path, found, "wanted JSON") from None
    except UnicodeDecodeError as error:
        raise _refused(path, f"byte {error.start} is not UTF-8", "wanted JSON") from None
    except OSError as error:
        raise _refused(path, f"cannot be read ({error.strerror})", "wanted a file") from None
    return _mapping(path, "the file", document)


def text(document: dict[str, Any]) -> str:
    """The document as it stands in a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def entry(expectation: Expectation) -> dict[str, Any]:
    """The expectation as it stands in a file."""
    return {
        "type": expectation.type,
        "kwargs": expectation.kwargs,
        "severity": "warning" if expectation.kind == "warning" else "critical",
        "meta": {"kind": expectation.kind},
    }


def _document(suite: Suite) -> dict[str, Any]:
    return {
        "name": suite.name,
        "expectations": [entry(expectation) for expectation in suite.expectations],
        "meta": {"reading": READING, "rows": suite.rows, "columns": suite.columns},
    }


def _expectation(path: Path, position: int, entry: object) -> Expectation:
    where = f"expectations[{position}]"
    given = _mapping(path, where, entry)
    if not isinstance(given.get("type"), str):
        raise _refused(path, f"{where} has no type", "wanted type: expect_...")
    kwargs = _mapping(path, f"{where}.kwargs", given.get("kwargs") or {})
    meta = _mapping(path, f"{where}.meta", given.get("meta") or {})
    kind = meta.get("kind", _usual_kind(given))
    if kind not in KINDS:
        near = get_close_matches(str(kind), KINDS, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        wanted = f"wanted row, table or warning{hint}"
        raise _refused(path, f"{where}.meta.kind is {kind!r}", wanted)
    return Expectation(type=given["type"], kwargs=kwargs, kind=kind, where=f"{path}: {where}")


def _usual_kind(entry: dict[str, Any]) -> Kind:
    """Of an entry that people wrote themselves, without a kind."""
    if entry.get("severity") in ("warning", "info"):
        return "warning"
    spread = any(word in entry["type"] for word in ("quantile", "distinct"))
    return "row" if "_values_to_" in entry["type"] and not spread else "table"


def _mapping(path: Path, where: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused(path, f"{where} is a {type(value).__name__}", "wanted an object, {...}")
    return value


def _refused(path: Path, found: str, wanted: str) -> Refusal:
    return Refusal(str(path), found, wanted, REMEDY)
