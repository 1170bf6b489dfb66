"""The page of exploration: what to read first, then the evidence."""

from __future__ import annotations

from markupsafe import Markup

from charter import Charter
from tasks.exploration import evidence
from tasks.exploration.findings import Findings
from tasks.exploration.headlines import headlines, target_fact
from tasks.lake import Table
from tasks.pages import Fact, Section, blocks, render, siblings, tables
from tasks.pages.blocks import code
from tasks.pages.figures import moment, number, share


def report(charter: Charter, table: Table, found: Findings) -> str:
    """The whole page."""
    return render(
        title="What the data look like",
        subtitle=charter.goal.question or f"What tells {found.truth.field.name}?",
        project=charter.name,
        facts=_facts(charter, found),
        sections=[
            Section("What to read first", "", blocks.points(headlines(found))),
            _suspects(charter, found),
            _target(found),
            _relations(found),
            _columns(found),
            _missing(found),
            _associations(found),
            *_time(charter, found),
            _method(found),
        ],
        links=siblings("Profile", charter.name),
        footer=f"Table {table.where}, version {table.version}, fingerprint {table.fingerprint[:16]}.",
    )


def _facts(charter: Charter, found: Findings) -> list[Fact]:
    cells = found.rows * len(found.columns)
    missing = sum(column.missing for column in found.columns)
    gappy = sum(column.missing > 0 for column in found.columns)
    return [
        Fact("Rows looked at", number(found.rows), _looked_at(charter, found)),
        Fact("Columns", number(len(found.columns)), _kinds(found)),
        target_fact(found),
        Fact("Missing values", share(missing / cells), f"in {number(gappy)} of the columns"),
        Fact(
            "Suspected leaks",
            number(len(found.suspects)),
            f"{number(len(charter.data.known_later))} columns declared known later",
        ),
    ]


def _looked_at(charter: Charter, found: Findings) -> str:
    """Which rows these are, and how many nobody looked at."""
    notes = [_span(charter, found)]
    if found.rows < found.outside:
        notes.append(f"drawn from {number(found.outside)}")
    notes.append(f"{number(found.held)} more held out" if found.held else "")
    return ", ".join(note for note in notes if note)


def _span(charter: Charter, found: Findings) -> str:
    timed = [c for c in found.columns if c.name == charter.data.time and c.field.kind == "time"]
    if not timed or timed[0].low is None or timed[0].high is None:
        return ""
    return f"{moment(timed[0].low)[:10]} to {moment(timed[0].high)[:10]}"


def _kinds(found: Findings) -> str:
    numbers = sum(column.ordered for column in found.columns)
    groups = sum(column.grouped for column in found.columns)
    return f"{number(numbers)} numbers and times, {number(groups)} groupings"


def _suspects(charter: Charter, found: Findings) -> Section:
    later = [c for c in charter.data.known_later if c != found.truth.field.name]
    excluded = blocks.prose(
        blocks.join(["Declared in ", code("data.known_later"), " and never features: "])
        + Markup(", ").join(code(column) for column in later)
        + "."
        if later
        else blocks.join(["Nothing is declared in ", code("data.known_later"), "."])
    )
    if not found.suspects:
        lead = "No other column looks as if it were known only together with the target."
        return Section("Suspected leaks", lead, excluded)
    named = ", ".join(suspect.column for suspect in found.suspects)
    notice = blocks.notice(
        "bad",
        f"Known only with the target? {named}",
        blocks.points(" ".join(suspect.sentences) for suspect in found.suspects),
        blocks.prose(
            blocks.join(
                ["Name each one in ", code("data.known_later"), " if it is known only after the ",
                 "prediction is made, or in ", code("data.known_before"), " if you vouch for it."]
            )
        ),
    )  # fmt: skip
    lead = "Columns that would make the model look good now and fail when it is used."
    return Section("Suspected leaks", lead, blocks.stack(notice, excluded))


def _target(found: Findings) -> Section:
    truth = found.truth
    task = {
        "binary": "one of two classes",
        "multiclass": f"one of {len(truth.classes)} classes",
        "regression": "a number",
    }[truth.task]
    how = (
        " (read off the values; goal.target.task overrules)" if truth.read_off else " (as declared)"
    )
    lead = f"{truth.field.name} is learnt as {task}{how}."
    if truth.task == "binary":
        lead += f" {truth.classes[1]} counts as positive."
    if truth.missing:
        gap = share(truth.missing / found.rows)
        lead += f" {number(truth.missing)} rows ({gap}) have no target and teach nothing."
    return Section("The target", lead, evidence.target(found))


def _relations(found: Findings) -> Section:
    lead = (
        "How well each column alone tells the target, from 0 (nothing) to 1 (everything), "
        "judged on rows that the estimate did not see."
    )
    return Section("What tells the target", lead, evidence.relations(found))


def _columns(found: Findings) -> Section:
    lead = "Centre, spread and shape of each column."
    return Section("Columns", lead, evidence.columns(found))


def _missing(found: Findings) -> Section:
    gappy = [column for column in found.columns if column.missing]
    if not gappy:
        return Section("Missing values", "No value is missing anywhere.")
    most = max(gappy, key=lambda column: column.missing)
    lead = (
        f"{number(len(gappy))} of {number(len(found.columns))} columns have gaps, "
        f"most of them {most.name} ({share(most.missing / found.rows)})."
    )
    return Section("Missing values", lead, evidence.missing(found))


def _associations(found: Findings) -> Section:
    same = len([p for p in found.associations.redundant if not {p.one, p.other} & set(found.aside)])
    lead = (
        f"{number(same)} {'pair says' if same == 1 else 'pairs say'} nearly the same (0.95 or more) among those that may become features."
        if same
        else "No two columns that may become features say the same."
    )
    return Section("How columns go together", lead, evidence.associations(found))


def _time(charter: Charter, found: Findings) -> list[Section]:
    if found.courses is None:
        return []
    lead = f"Per {found.courses.period}, by {charter.data.time}."
    return [Section("Change over time", lead, evidence.over_time(found))]


def _method(found: Findings) -> Section:
    sample = found.associations.ranked_rows
    ranks = (
        "all of these rows"
        if sample == found.rows
        else f"{number(sample)} of these rows, drawn with a fixed seed"
    )
    rows = [
        ("Rows", _rows(found)),
        ("Strength, two classes", "2 AUC − 1 of the out-of-fold target rate of each level or bin, in 5 folds"),
        ("Strength, more classes", "the same for each class against the rest, their mean"),
        ("Strength, numbers", "R² of the out-of-fold mean of each level or bin"),
        ("Two numbers", f"Spearman's rank correlation, from {ranks}"),
        ("Two groupings", "Cramér's V with Bergsma's bias correction (2013)"),
        ("A grouping and a number", "correlation ratio with Kelley's bias correction (1935)"),
        ("Missing together", "Jaccard: rows with both missing in those with either missing"),
        ("Change", "share of rows that would have to differ to undo the largest shift"),
        ("Infinite numbers", "count as missing"),
    ]  # fmt: skip
    return Section(
        "How it was measured", "", tables.table("Measures", ("What", "How"), rows, wrap=True)
    )


def _rows(found: Findings) -> str:
    drawn = (
        f"{number(found.rows)} drawn with a fixed seed from the {number(found.outside)} rows "
        "outside of the holdout; rows, repeats, twins and gaps in time are counted over all of them"
        if found.rows < found.outside
        else f"all {number(found.rows)} rows outside of the holdout"
    )
    if not found.held:
        return drawn
    return f"{drawn}; the {number(found.held)} rows that judge the model are in custody, unseen"
