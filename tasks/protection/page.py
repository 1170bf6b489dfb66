"""Privacy as a page: the purpose, who agreed, what was found, and how well people hide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from charter import Charter
from tasks.pages import Fact, Section, blocks, charts, figures, keep, render, siblings, tables
from tasks.protection.anonymity import Anonymity
from tasks.protection.scan import BY_NAME

if TYPE_CHECKING:
    from tasks.protect import Protected

DONE = {"refuse": "refused", "drop": "dropped", "mask": "masked", "hash": "hashed"}


def write(charter: Charter, record: Protected) -> None:
    """Write the page to the place that the record names."""
    name = charter.name
    html = render(
        title=f"{name}: privacy",
        subtitle=record.purpose or "No purpose is declared (privacy.purpose).",
        project=name,
        facts=list(_facts(charter, record)),
        sections=[
            Section("Gates", "", tables.verdicts(record.verdicts)),
            _columns(charter, record),
            *_consent(charter, record),
            *_found(charter, record),
            *_groups(charter, record),
            *_erasures(name),
        ],
        links=siblings("Privacy", name),
        footer=f"Table {record.table.where}, version {record.table.version}.",
    )
    keep(record.page, html)


def _facts(charter: Charter, record: Protected) -> Iterator[Fact]:
    yield Fact("Rows in use", f"{record.table.rows:,}")
    if charter.privacy.consent is not None:
        yield Fact("Kept out", f"{sum(record.barred.values()):,}", "counted, stored nowhere")
    best = record.after or record.before
    if best is not None:
        asked = f"asked: {charter.privacy.k}" if charter.privacy.k else "no k asked for"
        yield Fact("k-anonymity", f"{best.k:,}", asked)
        for one in best.closeness[:1]:
            yield Fact("l-diversity", f"{one.l:,}", one.column)
            yield Fact("t-closeness", figures.number(one.t), one.column)
    acted = [one for one in record.found if one.sure and one.share > charter.privacy.found.share]
    yield Fact(
        "Undeclared finds", f"{len(acted):,}", f"columns, {DONE[record.action]}" if acted else ""
    )


def _columns(charter: Charter, record: Protected) -> Section:
    privacy = charter.privacy
    said = {
        "identifiers": (
            privacy.identifiers,
            "keyed hashes (HMAC-SHA-256) from the door on; no inputs",
        ),
        "quasi_identifiers": (privacy.quasi_identifiers, "together they may single a person out"),
        "sensitive": (privacy.sensitive, "what nobody should learn of a person"),
        "never_input": (privacy.never_input, "the model does not use them"),
        "cleared": (privacy.cleared, "vouched for: no personal data"),
    }
    rows = [
        (", ".join(names) or f"(blank: privacy.{key})", key.replace("_", " "), what)
        for key, (names, what) in said.items()
    ]
    return Section(
        "What the charter declares", "",
        tables.table("Columns", ("Columns", "Declared as", "What that means"), rows, wrap=True),
    )  # fmt: skip


def _consent(charter: Charter, record: Protected) -> Iterator[Section]:
    if charter.privacy.consent is None:
        return
    items = [("with consent", float(record.table.rows))]
    items += [(reason, float(rows)) for reason, rows in record.barred.items()]
    yield Section(
        "Consent",
        "Rows without consent for the purpose are counted here and stored nowhere. A consent that is "
        "withdrawn takes its rows out of the next training.",
        charts.bars("Rows by consent", items, wide=True),
    )


def _found(charter: Charter, record: Protected) -> Iterator[Section]:
    if not record.found:
        return
    limit = charter.privacy.found.share
    rows = [
        (one.column, one.kind, "–" if one.kind == BY_NAME else tables.meter(one.share, figures.share(one.share)),
         _became(record, one.sure, one.share > limit))
        for one in record.found
    ]  # fmt: skip
    yield Section(
        "Personal data that nobody declared",
        f"Every value of every other column was looked at. A find counts above {figures.share(limit)} "
        "of the rows (privacy.found.share).",
        tables.table(
            "Finds", ("Column", "What it looks like", "Share of rows", "What became of it"), rows
        ),
    )


def _became(record: Protected, sure: bool, counts: bool) -> str:
    if not sure:
        return "a question: declare or clear it"
    return DONE[record.action] if counts else "below the share, as it was"


def _groups(charter: Charter, record: Protected) -> Iterator[Section]:
    if record.before is None:
        return
    named = {"as it came": record.before} | ({"in the table": record.after} if record.after else {})
    parts = [tables.table("How people hide", ("", *named), list(_measures(named)))]
    if record.generalised is not None:
        lines = [(one.column, one.how) for one in record.generalised.columns]
        parts.append(tables.table("Quasi-identifiers", ("Column", "How it is kept"), lines))
        parts.append(blocks.prose(_left(record)))
    if record.price is not None:
        one = record.price
        parts.append(
            charts.intervals(
                f"What it costs in {one.metric}", [(one.metric, one.cost, one.low, one.high)], mark=0.0,
                caption=f"{figures.number(one.before)} before, {figures.number(one.after)} after: gradient "
                f"boosting on training rows, judged on {one.rows:,} others with their full detail, "
                "95 % interval of a paired bootstrap. Right of 0: worse for it.", wide=True,
            )
        )  # fmt: skip
    yield Section(
        "How well people hide",
        f"A group shares {', '.join(charter.privacy.quasi_identifiers)}. k: rows of the smallest group; "
        "l: fewest different values of a sensitive column in a group; t: how far a group's values are "
        "from those of all.",
        blocks.stack(*parts),
    )


def _erasures(project: str) -> Iterator[Section]:
    from tasks.forget import forgotten

    done = [
        (one.at, f"{sum(one.tables.values()):,}", f"{one.predictions:,}",
         f"{one.searched_mb:,.1f} MB, {'traces left' if one.left else 'nothing left'}")
        for one in forgotten(project)
    ]  # fmt: skip
    if done:
        heads = ("When", "Files of tables", "Answers", "Proof")
        yield Section(
            "Erasures",
            "People who were forgotten (perennial forget); nothing here leads to them. Their files of "
            "tables are gone, with the versions that had them.",
            tables.table("Erasures", heads, done),
        )


def _measures(named: dict[str, Anonymity]) -> Iterator[tuple[str, ...]]:
    first = next(iter(named.values()))
    yield ("k", *(f"{one.k:,}" for one in named.values()))
    yield ("groups", *(f"{one.groups:,}" for one in named.values()))
    yield (
        f"rows in groups below {first.asked}",
        *(f"{one.small:,}" for one in named.values()),
    )
    for at, close in enumerate(first.closeness):
        each = [one.closeness[at] for one in named.values()]
        yield (f"l of {close.column}", *(f"{one.l:,}" for one in each))
        yield (f"t of {close.column}", *(f"{one.t:.3f}" for one in each))


def _left(record: Protected) -> str:
    assert record.generalised is not None
    hidden, gone = record.generalised.suppressed, record.generalised.removed
    if gone:
        return f"{gone:,} rows were too few to hide even with nothing told, and are left out."
    return f"In {hidden:,} rows the quasi-identifiers are left out altogether." if hidden else ""
