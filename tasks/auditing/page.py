"""The audit of the training rows as a page: base rates, and what gives the groups away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charter import Charter
from charter.fairness import JOINED
from tasks.auditing.proxies import Told
from tasks.pages import Fact, Section, blocks, charts, keep, render, siblings, tables
from tasks.pages.figures import number, share
from tasks.split import Training

if TYPE_CHECKING:
    from tasks.audit import Audit, Base

CARRIERS = 12


def write(charter: Charter, training: Training, audit: Audit) -> None:
    """Write the page to the place that the record names."""
    html = render(
        title=f"{charter.name}: audit",
        subtitle="What the training rows say of the groups, before anything learns from them",
        project=charter.name,
        facts=_facts(charter, training, audit),
        sections=[
            Section("Gates", "", tables.verdicts(audit.verdicts)),
            *(_bases(training, audit, name) for name in charter.fairness.names),
            *(_told(charter, one) for one in audit.told),
        ],
        links=siblings("Audit", charter.name),
        footer=f"Audit {audit.fingerprint[:12]}; made from training rows only.",
    )
    keep(audit.page, html)


def _facts(charter: Charter, training: Training, audit: Audit) -> list[Fact]:
    fair = charter.fairness
    used = "may be inputs" if fair.at_prediction else "no inputs, kept for the audit"
    return [
        Fact("sensitive", ", ".join(fair.sensitive), used),
        Fact("measure", fair.resolved(training.task).replace("_", " "),
             f"at most {fair.limit:g} between two groups"),
        Fact("groups", f"{len(audit.bases)}", "columns and intersections"),
        *(Fact(f"tells {one.of}", number(one.area.value), f"area under the ROC curve, {one.value}")
          for one in audit.told),
    ]  # fmt: skip


def _bases(training: Training, audit: Audit, name: str) -> Section:
    mine = [base for base in audit.bases if base.of == name]
    parts = [_rates(training, mine, label) for label in mine[0].rates]
    rows: list[tuple[str | int, ...]] = [
        (base.value, base.rows, share(base.share),
         *(f"{number(one.value)} ({number(one.low)} to {number(one.high)})"
           for one in base.rates.values()))
        for base in mine
    ]  # fmt: skip
    heads = (name, "rows", "share", *mine[0].rates)
    table = tables.table(f"Groups of {name}", heads, rows)
    body = blocks.fold("As a table", table) if JOINED in name else table
    return Section(f"Base rates of {name}", _lead(training, mine), blocks.stack(*parts, body))


def _rates(training: Training, mine: list[Base], label: str) -> str:
    items = [
        (base.value, one.value, one.low, one.high)
        for base in mine
        if (one := base.rates[label]).low == one.low
    ]
    what = f"{training.target} = {label}" if training.task != "regression" else training.target
    return charts.intervals(
        f"{what} by group", items, caption="With 95 % bootstrap intervals.", wide=True
    )


def _lead(training: Training, mine: list[Base]) -> str:
    label = next(iter(mine[0].rates))
    ordered = sorted(mine, key=lambda base: base.rates[label].value)
    low, high = ordered[0], ordered[-1]
    what = "mean" if training.task == "regression" else f"share of {label}"
    return (
        f"The {what} goes from {number(low.rates[label].value)} ({low.value}) to "
        f"{number(high.rates[label].value)} ({high.value}). A model that learns these rows learns "
        "this difference too."
    )


def _told(charter: Charter, one: Told) -> Section:
    items = [(f"{c.column} → {c.value}", max(0.0, c.area - 0.5)) for c in one.carriers[:CARRIERS]]
    rows = [(c.column, c.value, number(c.area)) for c in one.carriers]
    limit = charter.fairness.proxy
    return Section(
        f"What gives {one.of} away",
        f"All inputs together tell {one.value} from the others with an area under the ROC curve of "
        f"{number(one.area.value)} ({number(one.area.low)} to {number(one.area.high)}); 0.5 would "
        f"tell nothing. An input is warned of from {limit:g} on.",
        blocks.stack(
            charts.bars(
                "What each input alone tells, and of which group", items, top=0.5, wide=True,
                shown=lambda gain: number(gain + 0.5),
                caption="Area under the ROC curve; an empty bar is 0.5. By the share of the group "
                "among rows of the same value, on rows that this share was not made from.",
            ),
            blocks.fold("All inputs", tables.table("Inputs", ("input", "group", "area"), rows)),
        ),
    )  # fmt: skip
